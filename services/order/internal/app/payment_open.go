package app

import (
	"context"
	"time"

	"github.com/qingcang/qingcang/services/internal/money"
	"github.com/qingcang/qingcang/services/internal/wechatpay"
	"github.com/qingcang/qingcang/services/order/internal/payment"
)

// description is what the buyer's payment page and bill say; it names no goods.
const description = "清仓订单 Qingcang order"

// OpenPayment is a payment that the buyer can make now.
type OpenPayment struct {
	PaymentID string
	PrepayID  string
	Fen       money.Fen
	ExpiresAt time.Time
	Params    wechatpay.PayParams
}

// Open opens the payment of a buyer's held order, to be made by the openid.
// An order has one payment: asked again, also after a crash at any place, it
// opens the same one.
func (p *Payments) Open(ctx context.Context, orderID, buyerID, openID string) (OpenPayment, error) {
	held, err := p.orders.Held(ctx, orderID, buyerID)
	if err != nil {
		return OpenPayment{}, err
	}
	prepay, err := p.prepay(ctx, orderID, held, openID)
	if err != nil {
		return OpenPayment{}, err
	}
	params, err := p.cashier.PaySign(ctx, prepay, p.now())
	if err != nil {
		return OpenPayment{}, err
	}
	return OpenPayment{
		PaymentID: payment.PaymentID(orderID), PrepayID: prepay,
		Fen: held.Fen, ExpiresAt: held.Deadline, Params: params,
	}, nil
}

// prepay returns a prepay id that can be used. The journal knows of the payment
// before the provider does, so no money can come that nobody waits for.
func (p *Payments) prepay(ctx context.Context, orderID string, held payment.Held, openID string) (string, error) {
	var known payment.Prepay
	err := p.do(ctx, orderID, func(o *payment.Order, now time.Time) ([]payment.Fact, error) {
		known = o.Prepay
		return payment.RequestPrepay(o, held, now)
	})
	if err != nil {
		return "", err
	}
	if known.ID != "" && p.now().Sub(known.CreatedAt) < payment.PrepayValid {
		return known.ID, nil
	}
	id, err := p.cashier.Prepay(ctx, wechatpay.PrepayRequest{
		OutTradeNo: payment.PaymentID(orderID), Fen: held.Fen, Description: description,
		PayerOpenID: openID, ExpireAt: held.Deadline,
	})
	if err != nil {
		return "", err
	}
	err = p.do(ctx, orderID, func(o *payment.Order, now time.Time) ([]payment.Fact, error) {
		return payment.RecordPrepay(o, id, now)
	})
	return id, err
}
