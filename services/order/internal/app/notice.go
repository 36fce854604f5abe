package app

import (
	"context"
	"time"

	orderv1 "github.com/qingcang/qingcang/proto/gen/order/v1"
	"github.com/qingcang/qingcang/proto/lane/record"
	"github.com/qingcang/qingcang/services/internal/fault"
	"github.com/qingcang/qingcang/services/internal/wechatpay"
	"github.com/qingcang/qingcang/services/order/internal/payment"
)

// ErrPaymentUnknown refuses a notice about a payment that this service never
// opened: whatever it is, it is not ours to answer.
var ErrPaymentUnknown = fault.New(fault.NotFound, "payment_unknown", "no order has this payment")

// tellTimeout bounds how long a notice's answer waits for the lane.
const tellTimeout = 5 * time.Second

// TakeNotice takes a verified notice of the provider in. On nil what it says is
// durable; told twice, it changes nothing.
func (p *Payments) TakeNotice(ctx context.Context, n wechatpay.Notice) error {
	switch n.Kind {
	case wechatpay.NoticePaid:
		orderID, err := p.orderOf(ctx, n.Trade.OutTradeNo)
		if err != nil {
			return err
		}
		return p.receive(ctx, orderID, n.Trade)
	case wechatpay.NoticeRefunded:
		orderID, err := p.orderOf(ctx, n.Refund.OutTradeNo)
		if err != nil {
			return err
		}
		return p.refundNotice(ctx, orderID, n.Refund)
	default:
		return nil
	}
}

// receive journals money that came, and tells the order's lane. If the lane
// cannot be told now, the money is safe all the same: Work finds it untold.
func (p *Payments) receive(ctx context.Context, orderID string, t wechatpay.Trade) error {
	var facts []payment.Fact
	err := p.do(ctx, orderID, func(o *payment.Order, now time.Time) (_ []payment.Fact, err error) {
		facts, err = payment.Receive(o, payment.Receipt{TransactionID: t.TransactionID, Fen: t.Fen, PaidAt: t.PaidAt}, now)
		return facts, err
	})
	if err != nil || len(facts) != 1 { // heard before, or more was decided than that money came
		return err
	}
	received, ok := facts[0].(*orderv1.PaymentReceived)
	if !ok {
		return nil
	}
	// The provider may hang up now: what follows is not for its answer.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tellTimeout)
	defer cancel()
	err = p.lane.Pay(ctx, received.GetLane(), &record.Pay{
		OrderID: orderID, CampaignUID: received.GetCampaignUid(), PaymentID: received.GetPaymentId(), Fen: received.GetFen(),
	})
	if err != nil {
		p.log.WarnContext(ctx, "the lane was not told of a payment yet", "order", orderID, "err", err)
	}
	return nil
}

// orderOf finds the order of a payment: first among what is applied here, then
// after a look at what other replicas wrote.
func (p *Payments) orderOf(ctx context.Context, paymentID string) (string, error) {
	orderID, found := "", false
	search := func(_ int, s *payment.Orders) {
		if id, ok := s.OfPayment(paymentID); ok {
			orderID, found = id, true
		}
	}
	if p.journal.Each(search); found {
		return orderID, nil
	}
	if err := p.journal.Look(ctx); err != nil {
		return "", err
	}
	if p.journal.Each(search); found {
		return orderID, nil
	}
	return "", ErrPaymentUnknown
}
