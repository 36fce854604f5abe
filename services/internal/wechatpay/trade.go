package wechatpay

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/wechatpay-apiv3/wechatpay-go/core"
	"github.com/wechatpay-apiv3/wechatpay-go/services/payments"
	"github.com/wechatpay-apiv3/wechatpay-go/services/payments/jsapi"
	"github.com/wechatpay-apiv3/wechatpay-go/utils"

	"github.com/qingcang/qingcang/services/internal/money"
)

// currency is the only one that the merchant takes.
const currency = "CNY"

// maxDescriptionRunes is under WeChat's limit of 127 characters.
const maxDescriptionRunes = 120

// TradeState is where a payment stands, in WeChat's words.
type TradeState string

// The states of a trade.
const (
	TradeSuccess    TradeState = "SUCCESS"
	TradeRefund     TradeState = "REFUND" // paid, and since then refunded in whole or in part
	TradeNotPay     TradeState = "NOTPAY"
	TradeClosed     TradeState = "CLOSED"
	TradeUserPaying TradeState = "USERPAYING"
	TradeRevoked    TradeState = "REVOKED"
	TradePayError   TradeState = "PAYERROR"
)

// Trade is a payment as WeChat Pay knows it.
type Trade struct {
	OutTradeNo    string
	TransactionID string
	State         TradeState
	Fen           money.Fen
	PaidAt        time.Time
}

// Paid reports whether the buyer's money arrived.
func (t Trade) Paid() bool { return t.State == TradeSuccess || t.State == TradeRefund }

// Outstanding reports whether the money did not arrive and still may.
func (t Trade) Outstanding() bool {
	return t.State == TradeNotPay || t.State == TradeUserPaying || t.State == TradePayError
}

// Over reports whether the money can no longer arrive.
func (t Trade) Over() bool { return t.State == TradeClosed || t.State == TradeRevoked }

// PrepayRequest asks for a payment.
type PrepayRequest struct {
	// OutTradeNo is our id, 6 to 32 characters; a repeat with it is the same payment.
	OutTradeNo  string
	Fen         money.Fen
	Description string
	// PayerOpenID is who may pay. It is personal: it goes nowhere else.
	PayerOpenID string
	// ExpireAt is when it can no longer be paid; WeChat counts in whole seconds.
	ExpireAt time.Time
}

// Prepay opens a payment and returns the id that the phone's page needs.
func (c *Client) Prepay(ctx context.Context, r PrepayRequest) (prepayID string, err error) {
	api := jsapi.JsapiApiService{Client: c.core}
	description := []rune(r.Description)
	resp, _, err := api.Prepay(ctx, jsapi.PrepayRequest{
		Appid:       &c.appID,
		Mchid:       &c.mchID,
		Description: core.String(string(description[:min(len(description), maxDescriptionRunes)])),
		OutTradeNo:  &r.OutTradeNo,
		TimeExpire:  &r.ExpireAt,
		NotifyUrl:   &c.notifyURL,
		Amount:      &jsapi.Amount{Total: (*int64)(&r.Fen), Currency: core.String(currency)},
		Payer:       &jsapi.Payer{Openid: &r.PayerOpenID},
	})
	if err != nil {
		return "", remoteFault("prepay", err)
	}
	if deref(resp.PrepayId) == "" {
		return "", errReply
	}
	return *resp.PrepayId, nil
}

// Query returns a payment, or a NotFound fault if WeChat does not know it. It
// stands in for a notice that was lost.
func (c *Client) Query(ctx context.Context, outTradeNo string) (Trade, error) {
	api := jsapi.JsapiApiService{Client: c.core}
	tx, _, err := api.QueryOrderByOutTradeNo(ctx, jsapi.QueryOrderByOutTradeNoRequest{OutTradeNo: &outTradeNo, Mchid: &c.mchID})
	if err != nil {
		return Trade{}, remoteFault("query", err)
	}
	trade, err := c.trade(tx)
	if err != nil {
		return Trade{}, err
	}
	if trade.OutTradeNo != outTradeNo {
		return Trade{}, errReply
	}
	return trade, nil
}

// Close ends a payment that was not made, so that it cannot be made any more.
// It returns a Conflict fault if it was paid meanwhile: query it.
func (c *Client) Close(ctx context.Context, outTradeNo string) error {
	api := jsapi.JsapiApiService{Client: c.core}
	_, err := api.CloseOrder(ctx, jsapi.CloseOrderRequest{OutTradeNo: &outTradeNo, Mchid: &c.mchID})
	if err != nil {
		return remoteFault("close", err)
	}
	return nil
}

// trade checks that WeChat's word is about this merchant and in its currency.
func (c *Client) trade(tx *payments.Transaction) (Trade, error) {
	if !c.isOurs(deref(tx.Mchid)) || deref(tx.Appid) != c.appID {
		return Trade{}, errMerchant
	}
	t := Trade{OutTradeNo: deref(tx.OutTradeNo), TransactionID: deref(tx.TransactionId), State: TradeState(deref(tx.TradeState))}
	if t.OutTradeNo == "" || t.State == "" {
		return Trade{}, errReply
	}
	if tx.Amount != nil {
		if code := deref(tx.Amount.Currency); code != currency && code != "" {
			return Trade{}, errMerchant
		}
		t.Fen = money.Fen(deref(tx.Amount.Total))
	}
	if at := deref(tx.SuccessTime); at != "" {
		paidAt, err := time.Parse(time.RFC3339, at)
		if err != nil {
			return Trade{}, errReply.Wrap(err)
		}
		t.PaidAt = paidAt
	}
	if t.Paid() && (t.Fen <= 0 || t.TransactionID == "") {
		return Trade{}, errReply
	}
	return t, nil
}

// PayParams are what the phone's page hands to WeixinJSBridge.
type PayParams struct {
	AppID     string
	TimeStamp string
	NonceStr  string
	Package   string
	SignType  string
	PaySign   string
}

// PaySign signs the parameters by which the phone's page opens the payment.
func (c *Client) PaySign(ctx context.Context, prepayID string, now time.Time) (PayParams, error) {
	nonce, err := utils.GenerateNonce()
	if err != nil {
		return PayParams{}, fmt.Errorf("wechatpay: make a nonce: %w", err)
	}
	p := PayParams{
		AppID: c.appID, TimeStamp: strconv.FormatInt(now.Unix(), 10), NonceStr: nonce,
		Package: "prepay_id=" + prepayID, SignType: "RSA",
	}
	signature, err := c.core.Sign(ctx, p.AppID+"\n"+p.TimeStamp+"\n"+p.NonceStr+"\n"+p.Package+"\n")
	if err != nil {
		return PayParams{}, fmt.Errorf("wechatpay: sign for the page: %w", err)
	}
	p.PaySign = signature.Signature
	return p, nil
}

func deref[T any](p *T) T {
	var zero T
	if p == nil {
		return zero
	}
	return *p
}
