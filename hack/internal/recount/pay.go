package recount

import (
	"maps"

	"github.com/qingcang/qingcang/hack/internal/lanelog"
)

// parties are whom an order is about: who gets it, who earns on it, and where it goes.
type parties struct{ buyer, owner, address string }

// pay checks what a payment says of its order. A lane keeps no particulars of orders that hold
// nothing and takes them from the payment, so that a wrong one would sell what nobody asked for.
func (s *sales) pay(at string, p lanelog.Pay) {
	said, saidUnits := parties{p.Buyer, p.Owner, p.Address}, units(p.Lines)
	none := said == parties{} && len(p.Lines) == 0
	o, ok := s.accepted[p.Order]
	switch {
	case none && (!ok || s.settled[p.Campaign]): // of a settled campaign a lane knows no order
	case !ok:
		s.r.fault(nil, 0, "%s: payment %s carries %v for %v, and no order %s was accepted before it", at, p.Payment, saidUnits, said, p.Order)
	case p.Campaign != o.campaign:
		s.r.fault(nil, 0, "%s: payment %s is for campaign %s, and order %s is of %s", at, p.Payment, p.Campaign, p.Order, o.campaign)
	case said != o.parties || !maps.Equal(saidUnits, o.lines):
		s.r.fault(nil, 0, "%s: payment %s carries %v for %v, and order %s held %v for %v", at, p.Payment, saidUnits, said, p.Order, o.lines, o.parties)
	}
}

// units adds lines up by SKU.
func units(lines []lanelog.Line) map[string]int64 {
	sum := map[string]int64{}
	for _, l := range lines {
		sum[l.SKU] += l.Units
	}
	return sum
}
