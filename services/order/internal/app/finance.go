package app

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/qingcang/qingcang/services/order/internal/payment"
)

// maxFinanceRefunds bounds one answer; the rest follows behind its last id.
const maxFinanceRefunds = 200

// Refunds lists refunds of a stage in the order of their ids, from behind one
// on; it is empty at the end.
func (p *Payments) Refunds(ctx context.Context, stage payment.RefundStage, after string) ([]payment.FinanceRefund, error) {
	if err := p.journal.Look(ctx); err != nil {
		return nil, err
	}
	var out []payment.FinanceRefund
	p.journal.Each(func(_ int, s *payment.Orders) { out = append(out, s.Refunds(stage)...) })
	out = slices.DeleteFunc(out, func(r payment.FinanceRefund) bool { return r.ID <= after })
	slices.SortFunc(out, func(a, b payment.FinanceRefund) int { return cmp.Compare(a.ID, b.ID) })
	return out[:min(len(out), maxFinanceRefunds)], nil
}

// Resolve takes down what finance did about a refund that waited for it.
func (p *Payments) Resolve(ctx context.Context, refundID string, r payment.Resolution) error {
	if err := p.journal.Look(ctx); err != nil {
		return err
	}
	orderID, found := "", false
	p.journal.Each(func(_ int, s *payment.Orders) {
		if id, ok := s.OfRefund(refundID); ok {
			orderID, found = id, true
		}
	})
	if !found {
		return payment.ErrRefundUnknown
	}
	return p.do(ctx, orderID, func(o *payment.Order, now time.Time) ([]payment.Fact, error) {
		return payment.ResolveRefund(o, refundID, r, now)
	})
}
