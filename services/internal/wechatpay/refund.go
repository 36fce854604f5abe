package wechatpay

import (
	"context"
	"time"

	"github.com/wechatpay-apiv3/wechatpay-go/core"
	"github.com/wechatpay-apiv3/wechatpay-go/services/refunddomestic"

	"github.com/qingcang/qingcang/services/internal/money"
)

// RefundState is where a refund stands, in WeChat's words.
type RefundState string

// The states of a refund.
const (
	RefundSuccess    RefundState = "SUCCESS"
	RefundProcessing RefundState = "PROCESSING"
	// RefundClosed means that our balance did not cover it for seven days: it is to
	// be asked for again, under a new number.
	RefundClosed RefundState = "CLOSED"
	// RefundAbnormal means that the buyer's card is gone or frozen. The money is in
	// between; a person says where it is to go, and then it may still succeed.
	RefundAbnormal RefundState = "ABNORMAL"
)

// RefundRequest asks for money to go back to the buyer.
type RefundRequest struct {
	OutTradeNo string
	// OutRefundNo is our id, at most 64 characters; a repeat with it is the same refund.
	OutRefundNo string
	RefundFen   money.Fen
	// TotalFen is what the buyer had paid for the whole trade.
	TotalFen money.Fen
	// Reason is shown to the buyer, at most 80 bytes.
	Reason string
}

// RefundStatus is a refund as WeChat Pay knows it.
type RefundStatus struct {
	OutTradeNo  string
	OutRefundNo string
	RefundID    string
	State       RefundState
	Fen         money.Fen
	// AcceptedAt is when WeChat Pay took the refund; a notice does not tell it.
	AcceptedAt time.Time
	SettledAt  time.Time
}

// Refund asks for a refund, or for the state of one that was asked for.
func (c *Client) Refund(ctx context.Context, r RefundRequest) (RefundStatus, error) {
	api := refunddomestic.RefundsApiService{Client: c.core}
	var reason *string
	if r.Reason != "" {
		reason = &r.Reason
	}
	resp, _, err := api.Create(ctx, refunddomestic.CreateRequest{
		OutTradeNo:  &r.OutTradeNo,
		OutRefundNo: &r.OutRefundNo,
		Reason:      reason,
		NotifyUrl:   &c.notifyURL,
		Amount: &refunddomestic.AmountReq{
			Refund: (*int64)(&r.RefundFen), Total: (*int64)(&r.TotalFen), Currency: core.String(currency),
		},
	})
	if err != nil {
		return RefundStatus{}, remoteFault("refund", err)
	}
	return refundStatus(resp, r.OutRefundNo)
}

// QueryRefund returns a refund, or a NotFound fault.
func (c *Client) QueryRefund(ctx context.Context, outRefundNo string) (RefundStatus, error) {
	api := refunddomestic.RefundsApiService{Client: c.core}
	resp, _, err := api.QueryByOutRefundNo(ctx, refunddomestic.QueryByOutRefundNoRequest{OutRefundNo: &outRefundNo})
	if err != nil {
		return RefundStatus{}, remoteFault("query refund", err)
	}
	return refundStatus(resp, outRefundNo)
}

func refundStatus(r *refunddomestic.Refund, outRefundNo string) (RefundStatus, error) {
	s := RefundStatus{
		OutTradeNo: deref(r.OutTradeNo), OutRefundNo: deref(r.OutRefundNo), RefundID: deref(r.RefundId),
		State: RefundState(deref(r.Status)), AcceptedAt: deref(r.CreateTime), SettledAt: deref(r.SuccessTime),
	}
	if r.Amount != nil {
		s.Fen = money.Fen(deref(r.Amount.Refund))
	}
	if s.OutRefundNo != outRefundNo || s.State == "" || s.Fen <= 0 {
		return RefundStatus{}, errReply
	}
	return s, nil
}
