package wechatpay

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/wechatpay-apiv3/wechatpay-go/core/notify"
	"github.com/wechatpay-apiv3/wechatpay-go/services/payments"
	"github.com/wechatpay-apiv3/wechatpay-go/utils"

	"github.com/qingcang/qingcang/services/internal/fault"
	"github.com/qingcang/qingcang/services/internal/money"
)

// NoticeKind is what a notice tells.
type NoticeKind string

// The kinds of notice.
const (
	NoticePaid     NoticeKind = "paid"
	NoticeRefunded NoticeKind = "refunded" // Refund.State says whether it went well
)

// Notice is a verified message of WeChat Pay about this merchant. It may come
// twice, late or never.
type Notice struct {
	ID   string
	Kind NoticeKind
	// Trade is set for NoticePaid, Refund for NoticeRefunded.
	Trade  Trade
	Refund RefundStatus
}

const (
	maxNoticeBytes = 64 << 10
	gcmNonceBytes  = 12
	algorithm      = "AEAD_AES_256_GCM"
)

// The faults of a notice. All of them mean: it is not from WeChat Pay, or not
// for us; nothing was changed.
var (
	ErrForged   = fault.New(fault.Unauthenticated, "notice_not_authentic", "the notice is not signed by WeChat Pay within the last five minutes")
	errNotice   = fault.New(fault.Invalid, "notice_unreadable", "the notice cannot be read")
	errMerchant = fault.New(fault.Forbidden, "notice_for_another_merchant", "the message is about another merchant, app or currency")
)

// ParseNotice verifies the signature and the age (five minutes) of a notice,
// decrypts it, and checks the merchant. The caller checks the amount, and
// answers 204 only when what it says is stored.
func (c *Client) ParseNotice(ctx context.Context, r *http.Request) (Notice, error) {
	r.Body = http.MaxBytesReader(nil, r.Body, maxNoticeBytes)
	if err := c.notices.Validate(ctx, r); err != nil { // reads the body and puts it back
		return Notice{}, ErrForged.Wrap(err)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return Notice{}, errNotice.Wrap(err)
	}
	var envelope notify.Request
	if err := json.Unmarshal(body, &envelope); err != nil {
		return Notice{}, errNotice.Wrap(err)
	}
	plaintext, err := c.decrypt(envelope.Resource)
	if err != nil {
		return Notice{}, errNotice.Wrap(err)
	}
	notice := Notice{ID: envelope.ID}
	switch envelope.EventType {
	case "TRANSACTION.SUCCESS":
		notice.Kind = NoticePaid
		notice.Trade, err = c.paid(plaintext)
	case "REFUND.SUCCESS", "REFUND.ABNORMAL", "REFUND.CLOSED":
		notice.Kind = NoticeRefunded
		notice.Refund, err = c.refunded(plaintext)
	default:
		err = errNotice
	}
	if err != nil {
		return Notice{}, err
	}
	return notice, nil
}

func (c *Client) decrypt(r *notify.EncryptedResource) ([]byte, error) {
	// The library's GCM panics at a nonce of another size.
	if r == nil || r.Algorithm != algorithm || len(r.Nonce) != gcmNonceBytes {
		return nil, errors.New("not " + algorithm)
	}
	plaintext, err := utils.DecryptAES256GCM(c.apiV3Key, r.AssociatedData, r.Nonce, r.Ciphertext)
	return []byte(plaintext), err
}

func (c *Client) paid(plaintext []byte) (Trade, error) {
	var tx payments.Transaction
	if json.Unmarshal(plaintext, &tx) != nil { // its error would quote the plaintext
		return Trade{}, errNotice
	}
	trade, err := c.trade(&tx)
	if err == nil && !trade.Paid() {
		err = errNotice
	}
	return trade, err
}

func (c *Client) refunded(plaintext []byte) (RefundStatus, error) {
	var n struct {
		MchID       string      `json:"mchid"`
		OutTradeNo  string      `json:"out_trade_no"`
		OutRefundNo string      `json:"out_refund_no"`
		RefundID    string      `json:"refund_id"`
		State       RefundState `json:"refund_status"`
		SettledAt   time.Time   `json:"success_time"`
		Amount      struct {
			RefundFen money.Fen `json:"refund"`
		} `json:"amount"`
	}
	if json.Unmarshal(plaintext, &n) != nil {
		return RefundStatus{}, errNotice
	}
	if !c.isOurs(n.MchID) {
		return RefundStatus{}, errMerchant
	}
	if n.OutRefundNo == "" || n.OutTradeNo == "" || n.State == "" || n.Amount.RefundFen <= 0 {
		return RefundStatus{}, errNotice
	}
	return RefundStatus{
		OutTradeNo: n.OutTradeNo, OutRefundNo: n.OutRefundNo, RefundID: n.RefundID,
		State: n.State, Fen: n.Amount.RefundFen, SettledAt: n.SettledAt,
	}, nil
}
