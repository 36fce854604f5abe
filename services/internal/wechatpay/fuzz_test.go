package wechatpay

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/qingcang/qingcang/services/internal/fault"
)

// Whatever WeChat Pay itself signs and encrypts, a notice that is believed names our merchant's payment
// or refund and an amount, and a refusal does not tell who paid.
func FuzzNotice(f *testing.F) {
	fake, client := start(f)
	paid, err := json.Marshal(transaction(nil))
	if err != nil {
		f.Fatal(err)
	}
	refunded := []byte(`{"mchid":"` + mchID + `","out_trade_no":"pay_1","out_refund_no":"ref_1","refund_status":"SUCCESS","amount":{"refund":9900}}`)
	f.Add("TRANSACTION.SUCCESS", paid)
	f.Add("TRANSACTION.SUCCESS", []byte(strings.Replace(string(paid), "39800", "-1", 1)))
	f.Add("TRANSACTION.SUCCESS", []byte(strings.Replace(string(paid), "12:00", "25:00", 1)))
	f.Add("TRANSACTION.SUCCESS", []byte("null"))
	f.Add("REFUND.SUCCESS", refunded)
	f.Add("REFUND.CLOSED", []byte(strings.Replace(string(refunded), "9900", "9e99", 1)))
	f.Add("", []byte("{"))
	f.Fuzz(func(t *testing.T, event string, plaintext []byte) {
		n, err := client.ParseNotice(context.Background(), fake.sealed(event, plaintext, time.Now()))
		if err != nil {
			if errors.Is(err, ErrForged) && len(plaintext) < maxNoticeBytes/2 {
				t.Fatalf("what WeChat Pay signed counts as forged: %v", err)
			}
			if strings.Contains(string(plaintext), openID) && strings.Contains(err.Error(), openID) {
				t.Fatalf("the refusal tells who paid: %v", err)
			}
			return
		}
		switch n.Kind {
		case NoticePaid:
			if !n.Trade.Paid() || n.Trade.Fen <= 0 || n.Trade.OutTradeNo == "" || n.Trade.TransactionID == "" {
				t.Fatalf("believed %+v", n.Trade)
			}
		case NoticeRefunded:
			if n.Refund.Fen <= 0 || n.Refund.OutTradeNo == "" || n.Refund.OutRefundNo == "" || n.Refund.State == "" {
				t.Fatalf("believed %+v", n.Refund)
			}
		default:
			t.Fatalf("believed a notice of the kind %q", n.Kind)
		}
		if !strings.Contains(string(plaintext), mchID) && !strings.Contains(string(plaintext), `\u`) {
			t.Fatalf("believed %s, which does not name the merchant", plaintext)
		}
	})
}

// Nothing that WeChat Pay did not sign is believed, whatever it looks like.
func FuzzForgedNotice(f *testing.F) {
	_, client := start(f)
	f.Add([]byte(`{"id":"EV-1","event_type":"TRANSACTION.SUCCESS","resource":{}}`), keyID, "nonce", "c2lnbmF0dXJl")
	f.Add([]byte(nil), "", "", "")
	f.Fuzz(func(t *testing.T, body []byte, serial, nonce, signature string) {
		r := httptest.NewRequest(http.MethodPost, "/v1/wechatpay/notices", strings.NewReader(string(body)))
		r.Header = map[string][]string{
			"Wechatpay-Serial": {serial}, "Wechatpay-Nonce": {nonce}, "Wechatpay-Signature": {signature},
			"Wechatpay-Timestamp": {strconv.FormatInt(time.Now().Unix(), 10)},
		}
		if n, err := client.ParseNotice(context.Background(), r); err == nil || fault.KindOf(err) != fault.Unauthenticated {
			t.Fatalf("got %+v, %v", n, err)
		}
	})
}
