package httpapi

import (
	"context"
	"io"
	"net/http"

	"github.com/qingcang/qingcang/services/internal/auth"
	"github.com/qingcang/qingcang/services/internal/wechatpay"
	"github.com/qingcang/qingcang/services/order/internal/app"
)

// PaymentOpener opens the payment of a held order.
type PaymentOpener interface {
	Open(ctx context.Context, orderID, buyerID, openID string) (app.OpenPayment, error)
}

// NoticeParser verifies what claims to come from WeChat Pay.
type NoticeParser interface {
	ParseNotice(ctx context.Context, r *http.Request) (wechatpay.Notice, error)
}

// NoticeTaker makes durable what a verified notice says.
type NoticeTaker interface {
	TakeNotice(ctx context.Context, n wechatpay.Notice) error
}

// Payments serves the routes of payment.
type Payments struct {
	opener  PaymentOpener
	notices NoticeParser
	taker   NoticeTaker
	// payers opens the openid that a buyer's token carries sealed.
	payers *auth.Keys
}

// NewPayments returns the routes of payment. The keys are those of the buyer tokens.
func NewPayments(opener PaymentOpener, notices NoticeParser, taker NoticeTaker, payers *auth.Keys) *Payments {
	return &Payments{opener: opener, notices: notices, taker: taker, payers: payers}
}

// PayOrder opens the payment of one of the buyer's orders. The order has one
// payment whatever the Idempotency-Key: asking again opens the same.
func (p *Payments) PayOrder(ctx context.Context, r PayOrderRequestObject) (PayOrderResponseObject, error) {
	buyer, ok := auth.PrincipalFrom(ctx)
	if !ok {
		return nil, auth.ErrNoCredentials
	}
	openID, err := auth.OpenSubject(p.payers, buyer.ID, buyer.Payer)
	if err != nil {
		return nil, err
	}
	opened, err := p.opener.Open(ctx, r.OrderID, buyer.ID, openID)
	if err != nil {
		return nil, err
	}
	return PayOrder200JSONResponse{
		PaymentID: opened.PaymentID, Fen: int64(opened.Fen), ExpiresAt: opened.ExpiresAt.UTC(),
		Payment: JSAPIPayment{
			PrepayID: opened.PrepayID, AppID: opened.Params.AppID, TimeStamp: opened.Params.TimeStamp,
			NonceStr: opened.Params.NonceStr, Package: opened.Params.Package,
			SignType: opened.Params.SignType, PaySign: opened.Params.PaySign,
		},
	}, nil
}

// ReceiveWechatPayNotice answers 204 only when what the notice says is durable:
// WeChat Pay repeats it until then.
func (p *Payments) ReceiveWechatPayNotice(ctx context.Context, r ReceiveWechatPayNoticeRequestObject) (ReceiveWechatPayNoticeResponseObject, error) {
	notice, err := p.notices.ParseNotice(ctx, signedRequest(r))
	if err != nil {
		return nil, err
	}
	if err := p.taker.TakeNotice(ctx, notice); err != nil {
		return nil, err
	}
	return ReceiveWechatPayNotice204Response{}, nil
}

// signedRequest gives the client back what the signature is about: the headers
// as they were sent and the bytes of the body.
func signedRequest(r ReceiveWechatPayNoticeRequestObject) *http.Request {
	header := http.Header{}
	header.Set("Wechatpay-Timestamp", r.Params.WechatpayTimestamp)
	header.Set("Wechatpay-Nonce", r.Params.WechatpayNonce)
	header.Set("Wechatpay-Signature", r.Params.WechatpaySignature)
	header.Set("Wechatpay-Serial", r.Params.WechatpaySerial)
	return &http.Request{Method: http.MethodPost, Header: header, Body: io.NopCloser(r.Body)}
}
