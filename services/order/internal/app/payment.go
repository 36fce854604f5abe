// Package app is what the order service does for its callers, one use case a
// file.
package app

import (
	"context"
	"log/slog"
	"time"

	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
	"github.com/qingcang/qingcang/proto/lane/record"
	"github.com/qingcang/qingcang/services/internal/wechatpay"
	"github.com/qingcang/qingcang/services/order/internal/payment"
)

// HeldOrders knows which orders wait for their money.
type HeldOrders interface {
	// Held returns a buyer's order that holds its stock. An order of somebody
	// else is not found; one that holds nothing is payment.ErrHoldOver or
	// payment.ErrPaid.
	Held(ctx context.Context, orderID, buyerID string) (payment.Held, error)
}

// PayLane tells a lane that money came.
type PayLane interface {
	Pay(ctx context.Context, lane *campaignv1.Lane, p *record.Pay) error
}

// Cashier opens payments at the provider.
type Cashier interface {
	Prepay(ctx context.Context, r wechatpay.PrepayRequest) (prepayID string, err error)
	PaySign(ctx context.Context, prepayID string, now time.Time) (wechatpay.PayParams, error)
}

// Treasury asks the provider what became of payments, ends them, and gives
// money back.
type Treasury interface {
	Query(ctx context.Context, outTradeNo string) (wechatpay.Trade, error)
	Close(ctx context.Context, outTradeNo string) error
	Refund(ctx context.Context, r wechatpay.RefundRequest) (wechatpay.RefundStatus, error)
	QueryRefund(ctx context.Context, outRefundNo string) (wechatpay.RefundStatus, error)
}

// Payments takes and returns the money of orders. What it decides is in the
// payment journal before anybody hears of it.
type Payments struct {
	journal  *PaymentJournal
	orders   HeldOrders
	lane     PayLane
	cashier  Cashier
	treasury Treasury
	now      func() time.Time
	log      *slog.Logger
}

// PaymentsConfig is what Payments needs.
type PaymentsConfig struct {
	Journal  *PaymentJournal
	Orders   HeldOrders
	Lane     PayLane
	Cashier  Cashier
	Treasury Treasury
	// Now is the clock; nil is the machine's.
	Now func() time.Time
	Log *slog.Logger
}

// NewPayments returns the use cases of payment.
func NewPayments(c PaymentsConfig) *Payments {
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Payments{
		journal: c.Journal, orders: c.Orders, lane: c.Lane, cashier: c.Cashier, treasury: c.Treasury,
		now: c.Now, log: c.Log,
	}
}

// do decides about the money of one order.
func (p *Payments) do(ctx context.Context, orderID string, decide func(o *payment.Order, now time.Time) ([]payment.Fact, error)) error {
	return p.journal.Do(ctx, paymentCommand{
		Key:    orderID,
		Decide: func(s *payment.Orders, now time.Time) ([]payment.Fact, error) { return decide(s.Order(orderID), now) },
	})
}
