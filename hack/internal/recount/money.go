package recount

import (
	orderv1 "github.com/qingcang/qingcang/proto/gen/order/v1"
)

// money is what the sales mean for each party, computed from the lanes' decisions and the units that
// were short or came back; the amounts in the journals are not looked at.
type money struct {
	brands, owners, platform book
}

// line is one sold SKU of an order.
type line struct{ order, sku string }

// followMoney checks that each sold order was paid once, and computes what is due.
func followMoney(r *Result, journal Journal, s *sales) *money {
	paid := map[string]bool{}
	received := map[string]bool{} // payments
	reversed := map[line]int64{}
	for _, shard := range journal {
		for _, fact := range shard {
			switch f := fact.(type) {
			case *orderv1.PaymentReceived:
				if received[f.GetPaymentId()] {
					r.fault(&r.DuplicateOrders, 1, "payment %s was received twice", f.GetPaymentId())
				}
				received[f.GetPaymentId()] = true
			case *orderv1.OrderPaid:
				if paid[f.GetOrderId()] {
					r.fault(&r.DuplicateOrders, 1, "order %s was booked as paid twice", f.GetOrderId())
				}
				paid[f.GetOrderId()] = true
				if o := s.accepted[f.GetOrderId()]; o == nil || !o.sold {
					r.fault(&r.UnexplainedFen, f.GetFen(), "order %s was booked as paid and no lane sold it", f.GetOrderId())
				}
			case *orderv1.LineShort:
				reversed[line{f.GetOrderId(), f.GetLine().GetSku()}] += f.GetLine().GetUnits()
			case *orderv1.LineReturned:
				reversed[line{f.GetOrderId(), f.GetLine().GetSku()}] += f.GetLine().GetUnits()
				r.UnitsReturned += f.GetLine().GetUnits()
			}
		}
	}
	m := &money{brands: book{}, owners: book{}, platform: book{}}
	for _, id := range sorted(s.accepted) {
		o := s.accepted[id]
		if !o.sold {
			continue
		}
		if !paid[id] {
			r.fault(nil, 0, "order %s was sold and not booked as paid", id) // the sums below miss its money
		}
		m.add(r, id, o, reversed)
	}
	return m
}

const bps = 10_000

// add splits what is left of a sold order: the brand's settlement price for each unit, the owner's
// commission of each line rounded down, the rest for the platform.
func (m *money) add(r *Result, id string, o *order, reversed map[line]int64) {
	f := o.confirmed
	for _, l := range f.GetLines() {
		back := reversed[line{id, l.GetSku()}]
		if back > l.GetUnits() {
			r.fault(&r.UnexplainedFen, (back-l.GetUnits())*l.GetPriceFen(), "order %s: %d units of %s came back of %d", id, back, l.GetSku(), l.GetUnits())
		}
		r.RefundFen += back * l.GetPriceFen()
		kept := l.GetUnits() - back
		brand, owner := kept*l.GetSettlementFen(), int64(0)
		if f.GetOwnerId() != "" {
			owner = kept * l.GetPriceFen() * int64(f.GetCommissionBps()) / bps
		}
		m.brands[f.GetBrandId()+":"+f.GetCampaignUid()] += brand
		m.platform[f.GetCampaignUid()] += kept*l.GetPriceFen() - brand - owner
		if f.GetOwnerId() != "" {
			m.owners[f.GetOwnerId()+":"+f.GetCampaignUid()] += owner
		}
	}
}
