package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/qingcang/qingcang/services/internal/fault"
	"github.com/qingcang/qingcang/services/internal/wechatpay"
	"github.com/qingcang/qingcang/services/order/internal/payment"
)

// giveBack asks for a refund. Asked for again, also after a crash at any place,
// it is the same refund: the provider knows it by its number.
func (p *Payments) giveBack(ctx context.Context, orderID string, r payment.Refund) error {
	status, err := p.treasury.Refund(ctx, wechatpay.RefundRequest{
		OutTradeNo: payment.PaymentID(orderID), OutRefundNo: r.Number(),
		RefundFen: r.Fen, TotalFen: r.Of.Fen, Reason: r.Reason,
	})
	if errors.Is(err, wechatpay.ErrRefused) {
		p.log.WarnContext(ctx, "the provider does not take a refund; finance has to see to it", "order", orderID, "refund", r.ID, "err", err)
		return p.recordRefund(ctx, orderID, payment.RefundAnswer{Number: r.Number(), State: payment.RefundRefused})
	}
	if errors.Is(err, wechatpay.ErrShort) { // asked for again; finance has it when that goes on
		return errors.Join(err, p.recordRefund(ctx, orderID, payment.RefundAnswer{Number: r.Number(), State: payment.RefundShort}))
	}
	if err != nil {
		return err
	}
	return p.refundStatus(ctx, orderID, status)
}

// follow asks what became of a refund that the provider took.
func (p *Payments) follow(ctx context.Context, orderID, number string) error {
	status, err := p.treasury.QueryRefund(ctx, number)
	if err != nil {
		return err
	}
	return p.refundStatus(ctx, orderID, status)
}

// AskAgain asks the provider about a payment, or about one of its refunds if a
// number is given. What is not ours it leaves alone.
func (p *Payments) AskAgain(ctx context.Context, outTradeNo, outRefundNo string) error {
	orderID, err := p.orderOf(ctx, outTradeNo)
	switch {
	case errors.Is(err, ErrPaymentUnknown):
		return nil
	case err != nil:
		return err
	case outRefundNo != "":
		return p.follow(ctx, orderID, outRefundNo)
	}
	_, err = p.ask(ctx, orderID)
	return err
}

// refundNotice takes in what a notice says of a refund. Notices do not tell when
// the provider took it, by which its bill counts the day: where that is not
// known here, because its answer was lost, the provider is asked.
func (p *Payments) refundNotice(ctx context.Context, orderID string, s wechatpay.RefundStatus) error {
	asked := false
	err := p.journal.View(ctx, orderID, func(orders *payment.Orders) {
		for _, r := range orders.Order(orderID).Refunds {
			asked = asked || r.Number() == s.OutRefundNo && r.Stage == payment.RefundAsked
		}
	})
	switch {
	case err != nil:
		return err
	case asked:
		return p.follow(ctx, orderID, s.OutRefundNo)
	default:
		return p.refundStatus(ctx, orderID, s)
	}
}

// refundStates are WeChat Pay's words; see
// https://pay.weixin.qq.com/doc/v3/merchant/4013071031.
var refundStates = map[wechatpay.RefundState]payment.RefundState{
	wechatpay.RefundProcessing: payment.RefundProcessing,
	wechatpay.RefundSuccess:    payment.RefundMade,
	wechatpay.RefundClosed:     payment.RefundClosed,
	wechatpay.RefundAbnormal:   payment.RefundAbnormal,
}

// errRefundState is no decision: somebody has to learn the provider's new word.
var errRefundState = fault.New(fault.Internal, "refund_state_unknown", "the provider says of a refund what means nothing here")

func (p *Payments) refundStatus(ctx context.Context, orderID string, s wechatpay.RefundStatus) error {
	state, known := refundStates[s.State]
	if !known {
		return errRefundState.Wrap(fmt.Errorf("refund %s: %q", s.OutRefundNo, s.State))
	}
	return p.recordRefund(ctx, orderID, payment.RefundAnswer{
		Number: s.OutRefundNo, State: state, Fen: s.Fen, AcceptedAt: s.AcceptedAt, SettledAt: s.SettledAt,
	})
}

// recordRefund journals what became of a refund.
func (p *Payments) recordRefund(ctx context.Context, orderID string, a payment.RefundAnswer) error {
	return p.do(ctx, orderID, func(o *payment.Order, now time.Time) ([]payment.Fact, error) {
		return payment.RecordRefund(o, a, now)
	})
}
