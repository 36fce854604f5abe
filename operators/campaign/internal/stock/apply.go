package stock

import (
	"google.golang.org/protobuf/proto"

	"github.com/qingcang/qingcang/proto/eventkit"
	brandv1 "github.com/qingcang/qingcang/proto/gen/brand/v1"
)

// The causes for which a record is parked: read, counted, and not obeyed.
const (
	undecodable = "undecodable"
	nameless    = "nameless" // it says of no brand what it says
	impossible  = "impossible"
)

// heard are the types that are folded; the others, stock files above all, are not even decoded.
var heard = typeNames(
	&brandv1.BrandApproved{}, &brandv1.BrandSuspended{}, &brandv1.GoodsApproved{}, &brandv1.StyleTried{},
	&brandv1.StockAllocated{}, &brandv1.StockRefused{}, &brandv1.StockReleased{},
)

func typeNames(messages ...proto.Message) map[string]bool {
	names := map[string]bool{}
	for _, m := range messages {
		names[string(proto.MessageName(m))] = true
	}
	return names
}

// apply takes an event in. It returns the brand in which something changed that campaigns may wait
// for, or why the event is parked.
func (b *book) apply(e eventkit.Event) (gained, parked string) {
	if !heard[e.Type] {
		return "", ""
	}
	m, err := e.Decode()
	if err != nil {
		return "", undecodable
	}
	of, ok := m.(interface{ GetBrandId() string })
	if !ok || of.GetBrandId() == "" {
		return "", nameless
	}
	if !possible(m) {
		return "", impossible
	}
	return b.fold(of.GetBrandId(), m), ""
}

func (b *book) fold(id string, m proto.Message) (gained string) {
	switch m := m.(type) {
	case *brandv1.BrandApproved:
		b.brand(id).standing = Open
	case *brandv1.BrandSuspended:
		b.brand(id).standing = Barred
		return ""
	case *brandv1.GoodsApproved:
		b.take(id, m.GetGoods())
		return id // take counts its gain
	case *brandv1.StyleTried:
		brand := b.brand(id)
		brand.tried[brand.number(m.GetStyleNo())] = m.GetIndexTenths()
	case *brandv1.StockReleased:
		b.move(id, m.GetUnits(), 1)
	case *brandv1.StockAllocated:
		b.move(id, m.GetAdd(), -1)
		delete(b.refusals, m.GetCampaignUid())
		return ""
	case *brandv1.StockRefused:
		b.refusals[m.GetCampaignUid()] = refusal{m.GetGeneration(), b.brand(id).gains}
		return ""
	}
	b.brand(id).gains++
	return id
}

// maxUnits and maxFen bound what one event can say: a stock file has cells of at most 2·10⁹ units, and
// nothing costs more than ¥1,000,000,000.
const (
	maxUnits = 1 << 40
	maxFen   = 100_000_000_000
	maxIndex = 100 // tenths of a point
)

// possible tells whether an event says what can be. Whoever wrote the others is not to be believed.
func possible(m proto.Message) bool {
	switch m := m.(type) {
	case *brandv1.GoodsApproved:
		for _, g := range m.GetGoods() {
			if g.GetSku() == "" || !within(g.GetUnits(), maxUnits) || !within(g.GetTagPriceFen(), maxFen) || !within(g.GetSettlementFen(), maxFen) {
				return false
			}
		}
	case *brandv1.StyleTried:
		return m.GetStyleNo() != "" && within(int64(m.GetIndexTenths()), maxIndex)
	case *brandv1.StockAllocated:
		return m.GetCampaignUid() != "" && unitsPossible(m.GetAdd())
	case *brandv1.StockRefused:
		return m.GetCampaignUid() != ""
	case *brandv1.StockReleased:
		return unitsPossible(m.GetUnits())
	}
	return true
}

func unitsPossible(list []*brandv1.AllocatedUnits) bool {
	for _, u := range list {
		if !within(u.GetUnits(), maxUnits) {
			return false
		}
	}
	return true
}

func within(n, limit int64) bool { return n >= 0 && n <= limit }
