// Package settlement keeps a brand's account with the platform: what campaigns
// sold, what was short, what came back, and what is due. The order service
// splits money; here its amounts are posted as they come. It is pure.
package settlement

import (
	"google.golang.org/protobuf/proto"

	brandv1 "github.com/qingcang/qingcang/proto/gen/brand/v1"
	moneyv1 "github.com/qingcang/qingcang/proto/gen/money/v1"
	orderv1 "github.com/qingcang/qingcang/proto/gen/order/v1"
	"github.com/qingcang/qingcang/services/internal/book"
	"github.com/qingcang/qingcang/services/internal/money"
)

// The classes of the brand's book.
const (
	SaleProceeds book.Class = "sale_proceeds"
	BrandPending book.Class = "brand_pending"
	BrandPayable book.Class = "brand_payable"
)

// Chart says where money may go. A sale debits the proceeds that the platform
// holds and credits what may become due; a reversal goes the other way; after
// the return window the pending part becomes payable, and never turns back.
var Chart = book.Table{
	SaleProceeds: {Nature: book.Asset, To: []book.Class{BrandPending}},
	BrandPending: {Nature: book.Liability, To: []book.Class{SaleProceeds, BrandPayable}},
	BrandPayable: {Nature: book.Liability},
}

// Cause is one event of an order. ID is the event's id: a posting takes it, so
// that the same cause cannot post twice.
type Cause struct {
	ID    string
	Event proto.Message
}

// Order returns the order and the brand that the event is about, false for an
// event that means nothing to a brand's account.
func (c Cause) Order() (orderID, brandID string, ok bool) {
	switch e := c.Event.(type) {
	case *orderv1.OrderPaid:
		return e.GetOrderId(), e.GetBrandId(), true
	case *orderv1.LineShort:
		return e.GetOrderId(), e.GetBrandId(), true
	case *orderv1.LineReturned:
		return e.GetOrderId(), e.GetBrandId(), true
	case *orderv1.OrderMatured:
		return e.GetOrderId(), e.GetBrandId(), true
	}
	return "", "", false
}

// Post turns an order's event into the fact of the brand's account. It needs no
// state: the journal takes each event in once, and the order service has
// decided all amounts.
func Post(c Cause) ([]proto.Message, error) {
	var f *brandv1.SettlementPosted
	switch e := c.Event.(type) {
	case *orderv1.OrderPaid:
		f = posted(e, brandv1.SettlementPosted_KIND_SOLD, paid(e.GetLines()))
	case *orderv1.LineShort:
		f = posted(e, brandv1.SettlementPosted_KIND_SHORT, reversed(e.GetLine()))
	case *orderv1.LineReturned:
		f = posted(e, brandv1.SettlementPosted_KIND_RETURNED, reversed(e.GetLine()))
	case *orderv1.OrderMatured:
		f = posted(e, brandv1.SettlementPosted_KIND_MATURED, paid(e.GetLines()))
	default:
		return nil, nil
	}
	if len(f.GetLines()) == 0 { // an order of which nothing is left matures with nothing
		return nil, nil
	}
	posting, err := posting(c.ID, f)
	if err != nil {
		return nil, err
	}
	f.Posting = posting
	return []proto.Message{f}, nil
}

// orderEvent is what all four events have.
type orderEvent interface {
	GetOrderId() string
	GetBrandId() string
	GetCampaignUid() string
}

func posted(e orderEvent, kind brandv1.SettlementPosted_Kind, lines []*brandv1.SettlementLine) *brandv1.SettlementPosted {
	return &brandv1.SettlementPosted{
		BrandId: e.GetBrandId(), CampaignUid: e.GetCampaignUid(), OrderId: e.GetOrderId(), Kind: kind, Lines: lines,
	}
}

func paid(lines []*orderv1.PaidLine) []*brandv1.SettlementLine {
	out := make([]*brandv1.SettlementLine, 0, len(lines))
	for _, l := range lines {
		out = append(out, &brandv1.SettlementLine{
			Sku: l.GetSku(), Units: l.GetUnits(), BrandFen: l.GetBrandFen(), OwnerFen: l.GetOwnerFen(), PlatformFen: l.GetPlatformFen(),
		})
	}
	return out
}

func reversed(l *orderv1.ReversedLine) []*brandv1.SettlementLine {
	return []*brandv1.SettlementLine{{
		Sku: l.GetSku(), Units: l.GetUnits(), BrandFen: l.GetBrandFen(), OwnerFen: l.GetOwnerFen(), PlatformFen: l.GetPlatformFen(),
	}}
}

// posting moves the brand's part. Nil when it is nothing, as of a gift.
func posting(id string, f *brandv1.SettlementPosted) (*moneyv1.Posting, error) {
	var fen money.Fen
	for _, l := range f.GetLines() {
		var err error
		if fen, err = fen.Add(money.Fen(l.GetBrandFen())); err != nil {
			return nil, err
		}
	}
	proceeds := book.Account(SaleProceeds)
	pending := book.Account(BrandPending, f.GetBrandId(), f.GetCampaignUid())
	payable := book.Account(BrandPayable, f.GetBrandId(), f.GetCampaignUid())
	var p *moneyv1.Posting
	switch f.GetKind() {
	case brandv1.SettlementPosted_KIND_SOLD:
		p = book.Post(id, book.Debit(proceeds, fen), book.Credit(pending, fen))
	case brandv1.SettlementPosted_KIND_MATURED:
		p = book.Post(id, book.Debit(pending, fen), book.Credit(payable, fen))
	default:
		p = reversal(id, pending, proceeds, f.GetKind(), fen)
	}
	if p == nil {
		return nil, nil
	}
	return p, Chart.Check(p)
}
