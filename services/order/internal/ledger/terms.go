package ledger

import (
	"cmp"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
	"github.com/qingcang/qingcang/services/internal/money"
)

// item is the number of a SKU in its campaign, in the order in which they came.
type item uint32

// stock is one SKU in a campaign. Units are what the pool gave less what was let go.
type stock struct{ units, held, sold int64 }

// free is what can be held now.
func (s *stock) free() int64 { return s.units - s.held - s.sold }

// shelf is the SKUs of a campaign, in arrays by item; about 45 bytes each. Few of
// a thousand campaigns sell at a time, and the others should not weigh.
type shelf struct {
	text   string   // all SKUs, one after the other
	ends   []uint32 // of each in the text
	stock  []stock
	sorted []item // by SKU
}

func (s *shelf) len() int { return len(s.ends) }

// sku returns the SKU of an item.
func (s *shelf) sku(i item) string {
	begin := uint32(0)
	if i > 0 {
		begin = s.ends[i-1]
	}
	return s.text[begin:s.ends[i]]
}

// find returns the item of a SKU that the campaign ever had.
func (s *shelf) find(sku string) (item, bool) {
	at, ok := s.search(sku)
	if !ok {
		return 0, false
	}
	return s.sorted[at], true
}

func (s *shelf) search(sku string) (int, bool) {
	return slices.BinarySearchFunc(s.sorted, sku, func(i item, sku string) int { return cmp.Compare(s.sku(i), sku) })
}

// add makes items of those SKUs that are none yet.
func (s *shelf) add(skus []string) {
	var text strings.Builder
	text.WriteString(s.text)
	s.ends, s.stock, s.sorted = slices.Grow(s.ends, len(skus)), slices.Grow(s.stock, len(skus)), slices.Grow(s.sorted, len(skus))
	var fresh []item
	seen := map[string]bool{}
	for _, sku := range skus {
		if _, known := s.search(sku); known || seen[sku] {
			continue
		}
		seen[sku] = true
		text.WriteString(sku)
		fresh = append(fresh, item(len(s.ends)))
		s.ends, s.stock = append(s.ends, uint32(text.Len())), append(s.stock, stock{})
	}
	s.text = text.String()
	s.sorted = append(s.sorted, fresh...)
	slices.SortFunc(s.sorted, func(a, b item) int { return cmp.Compare(s.sku(a), s.sku(b)) })
}

// terms are what a campaign sells under from an entry on: a desired generation
// for which the pool gave stock.
type terms struct {
	since  int64               // offset of the entry that made them count
	head   *campaignv1.Desired // without items
	offers []offer             // by item
}

// offer is what a generation says of an item; price -1 is none.
type offer struct {
	price, settlement money.Fen
	units             int64
}

var noOffer = offer{price: -1}

func (t *terms) offer(i item) offer {
	if t == nil || int(i) >= len(t.offers) {
		return noOffer
	}
	return t.offers[i]
}

// headOf is a desired state without its items.
func headOf(d *campaignv1.Desired) *campaignv1.Desired {
	items := d.Items
	d.Items = nil
	head := proto.CloneOf(d)
	d.Items = items
	return head
}

// termsOf puts a generation's items on the shelf.
func (c *campaign) termsOf(since int64, d *campaignv1.Desired) *terms {
	skus := make([]string, 0, len(d.GetItems()))
	for _, it := range d.GetItems() {
		skus = append(skus, it.GetSku())
	}
	c.shelf.add(skus)
	t := &terms{since: since, head: headOf(d), offers: make([]offer, c.shelf.len())}
	for i := range t.offers {
		t.offers[i] = noOffer
	}
	for _, it := range d.GetItems() {
		i, _ := c.shelf.find(it.GetSku())
		t.offers[i] = offer{price: money.Fen(it.GetPriceFen()), settlement: money.Fen(it.GetSettlementFen()), units: it.GetUnits()}
	}
	return t
}

// good returns the terms that count, nil while no generation was given stock.
func (c *campaign) good() *terms {
	if len(c.terms) == 0 {
		return nil
	}
	return c.terms[len(c.terms)-1]
}

// goodHead returns the generation that counts, which may be nil.
func (c *campaign) goodHead() *campaignv1.Desired {
	if t := c.good(); t != nil {
		return t.head
	}
	return nil
}

// termsAt returns the terms under which the entry at an offset was decided; an entry
// that made terms count was not decided under them. It is nil before the first.
func (c *campaign) termsAt(offset int64) *terms {
	for n := len(c.terms) - 1; n >= 0; n-- {
		if c.terms[n].since < offset {
			return c.terms[n]
		}
	}
	return nil
}
