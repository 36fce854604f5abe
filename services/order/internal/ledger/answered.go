//go:build !mutant_answer_twice

package ledger

import (
	"slices"

	lanev1 "github.com/qingcang/qingcang/proto/gen/lane/v1"
)

// answered reports whether the payment has its result. One that came before its
// order was on its way back already when the order came.
func (l *Ledger) answered(p *lanev1.Pay) bool {
	if c, ok := l.campaigns[p.GetCampaignUid()]; ok {
		if _, stray := c.strays[p.GetPaymentId()]; stray {
			return true
		}
	}
	o, ok := l.orders[p.GetOrderId()]
	return ok && slices.ContainsFunc(o.Payments, func(known Payment) bool { return known.ID == p.GetPaymentId() })
}
