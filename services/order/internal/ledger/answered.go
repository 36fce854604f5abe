//go:build !mutant_answer_twice

package ledger

import "github.com/qingcang/qingcang/proto/lane/record"

// answered reports whether the payment has its result. One that came before its
// order was on its way back already when the order came.
func (l *Ledger) answered(p *record.Pay) bool {
	c, ok := l.campaigns[p.CampaignUID]
	if !ok {
		return false
	}
	if _, back := c.returned[p.PaymentID]; back {
		return true
	}
	k, _ := keyOf(p.OrderID)
	state, _, _ := c.orders.get(k.print())
	return state == isConfirmed && c.confirmedBy(k.print(), p)
}
