package app

import (
	"context"

	"github.com/qingcang/qingcang/services/internal/money"
	"github.com/qingcang/qingcang/services/order/internal/payment"
)

// Refunded returns how much of an order's money has gone back to the buyer, and
// whether that is all that came.
func (p *Payments) Refunded(ctx context.Context, orderID string) (fen money.Fen, whole bool, err error) {
	err = p.journal.View(ctx, orderID, func(s *payment.Orders) {
		o := s.Order(orderID)
		fen, whole = o.RefundedFen(), o.Refunded()
	})
	return fen, whole, err
}
