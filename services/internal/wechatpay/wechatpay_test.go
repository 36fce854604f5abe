package wechatpay

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/qingcang/qingcang/services/internal/fault"
	"github.com/qingcang/qingcang/services/internal/rewrite"
)

func TestPrepayAsksForTheAmountUntilTheDeadline(t *testing.T) {
	f, client := start(t)
	f.answers["POST "+prepay] = answer{http.StatusOK, map[string]any{"prepay_id": "wx201"}}
	id, err := client.Prepay(context.Background(), PrepayRequest{
		OutTradeNo: "pay_1", Fen: 39_800, Description: strings.Repeat("衣", 300), PayerOpenID: openID,
		ExpireAt: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC),
	})
	if err != nil || id != "wx201" {
		t.Fatalf("got %q, %v", id, err)
	}
	sent := f.requests["POST "+prepay]
	amount, _ := sent["amount"].(map[string]any)
	if sent["out_trade_no"] != "pay_1" || sent["time_expire"] != "2026-11-22T12:00:00Z" || amount["total"] != float64(39_800) || amount["currency"] != "CNY" {
		t.Fatalf("sent %v", sent)
	}
	if description, _ := sent["description"].(string); len([]rune(description)) != maxDescriptionRunes {
		t.Fatalf("the description has %d characters", len([]rune(description)))
	}
}

func TestThePageGetsASignatureThatWeChatAccepts(t *testing.T) {
	f, client := start(t)
	p, err := client.PaySign(context.Background(), "wx201", time.Unix(1_800_000_000, 0))
	if err != nil {
		t.Fatal(err)
	}
	signature, err := base64.StdEncoding.DecodeString(p.PaySign)
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256([]byte(appID + "\n1800000000\n" + p.NonceStr + "\nprepay_id=wx201\n"))
	if err := rsa.VerifyPKCS1v15(&f.merchant.PublicKey, crypto.SHA256, digest[:], signature); err != nil || p.SignType != "RSA" {
		t.Fatalf("got %+v: %v", p, err)
	}
}

func TestQuery(t *testing.T) {
	for name, c := range map[string]struct {
		answer answer
		want   Trade
		kind   fault.Kind
	}{
		"a payment that was made": {
			answer: answer{200, transaction(nil)},
			want:   Trade{OutTradeNo: "pay_1", TransactionID: "4200001", State: TradeSuccess, Fen: 39_800, PaidAt: time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC)},
		},
		"a payment that is still open": {
			answer: answer{200, map[string]any{"mchid": mchID, "appid": appID, "out_trade_no": "pay_1", "trade_state": "NOTPAY"}},
			want:   Trade{OutTradeNo: "pay_1", State: TradeNotPay},
		},
		"one that WeChat does not know":    {answer: answer{404, map[string]any{"code": "ORDER_NOT_EXIST"}}, kind: fault.NotFound},
		"of another merchant":              {answer: answer{200, transaction(map[string]any{"mchid": "2"})}, kind: fault.Forbidden},
		"of another app":                   {answer: answer{200, transaction(map[string]any{"appid": "wx2"})}, kind: fault.Forbidden},
		"in another currency":              {answer: answer{200, transaction(map[string]any{"amount": map[string]any{"total": 1, "currency": "USD"}})}, kind: fault.Forbidden},
		"about another payment":            {answer: answer{200, transaction(map[string]any{"out_trade_no": "pay_2"})}, kind: fault.Internal},
		"paid, but nothing":                {answer: answer{200, transaction(map[string]any{"amount": nil})}, kind: fault.Internal},
		"while WeChat is down":             {answer: answer{502, nil}, kind: fault.Unavailable},
		"too often":                        {answer: answer{429, map[string]any{"code": "FREQUENCY_LIMITED"}}, kind: fault.Unavailable},
		"with a certificate that is wrong": {answer: answer{401, map[string]any{"code": "SIGN_ERROR"}}, kind: fault.Internal},
	} {
		t.Run(name, func(t *testing.T) {
			f, client := start(t)
			f.answers["GET /v3/pay/transactions/out-trade-no/pay_1"] = c.answer
			got, err := client.Query(context.Background(), "pay_1")
			got.PaidAt = got.PaidAt.UTC()
			if got != c.want {
				t.Fatalf("got %+v, %v; want %+v", got, err, c.want)
			}
			if refused := c.want == (Trade{}); refused != (err != nil) || (refused && fault.KindOf(err) != c.kind) {
				t.Fatalf("got %v, want the kind %s", err, c.kind)
			}
		})
	}
}

func TestAReplyThatIsNotSignedByWeChatIsNotBelieved(t *testing.T) {
	f, client := start(t)
	f.signWith = newKey(t)
	f.answers["GET /v3/pay/transactions/out-trade-no/pay_1"] = answer{200, transaction(nil)}
	if trade, err := client.Query(context.Background(), "pay_1"); err == nil {
		t.Fatalf("got %+v", trade)
	}
}

func TestAnErrorOfWeChatDoesNotCarryWhatItQuotes(t *testing.T) {
	_, client := start(t)
	_, err := client.Query(context.Background(), "pay_9")
	if err == nil || strings.Contains(err.Error(), openID) {
		t.Fatalf("got %v", err)
	}
}

func TestClose(t *testing.T) {
	f, client := start(t)
	const route = "POST /v3/pay/transactions/out-trade-no/pay_1/close"
	f.answers[route] = answer{http.StatusNoContent, nil}
	if err := client.Close(context.Background(), "pay_1"); err != nil {
		t.Fatal(err)
	}
	f.answers[route] = answer{http.StatusBadRequest, map[string]any{"code": "ORDERPAID"}}
	if err := client.Close(context.Background(), "pay_1"); !errors.Is(err, ErrPaid) {
		t.Fatalf("got %v", err)
	}
}

func TestRefund(t *testing.T) {
	f, client := start(t)
	f.answers["POST "+refunds] = answer{http.StatusOK, refund(nil)}
	f.answers["GET "+refunds+"/ref_1"] = answer{http.StatusOK, refund(map[string]any{"status": "SUCCESS"})}
	asked, err := client.Refund(context.Background(), RefundRequest{OutTradeNo: "pay_1", OutRefundNo: "ref_1", RefundFen: 9_900, TotalFen: 39_800})
	if err != nil || asked.State != RefundProcessing || asked.Fen != 9_900 || asked.OutTradeNo != "pay_1" {
		t.Fatalf("got %+v, %v", asked, err)
	}
	settled, err := client.QueryRefund(context.Background(), "ref_1")
	if err != nil || settled.State != RefundSuccess || settled.SettledAt.IsZero() {
		t.Fatalf("got %+v, %v", settled, err)
	}
	f.answers["POST "+refunds] = answer{http.StatusForbidden, map[string]any{"code": "NOT_ENOUGH"}}
	if _, err := client.Refund(context.Background(), RefundRequest{OutTradeNo: "pay_1", OutRefundNo: "ref_2", RefundFen: 1, TotalFen: 1}); !errors.Is(err, ErrShort) {
		t.Fatalf("got %v", err)
	}
	if _, err := client.QueryRefund(context.Background(), "ref_9"); !errors.Is(err, ErrUnknown) {
		t.Fatalf("got %v", err)
	}
}

func TestANoticeOfAPaymentIsRead(t *testing.T) {
	f, client := start(t)
	n, err := client.ParseNotice(context.Background(), f.notice("TRANSACTION.SUCCESS", transaction(nil), time.Now()))
	if err != nil || n.ID != "EV-1" || n.Kind != NoticePaid || n.Trade.Fen != 39_800 || n.Trade.OutTradeNo != "pay_1" {
		t.Fatalf("got %+v, %v", n, err)
	}
}

func TestANoticeOfARefundIsRead(t *testing.T) {
	f, client := start(t)
	content := map[string]any{
		"mchid": mchID, "out_trade_no": "pay_1", "out_refund_no": "ref_1", "refund_id": "5000001", "refund_status": "SUCCESS",
		"success_time": "2026-11-22T12:00:00+08:00", "amount": map[string]any{"total": 39_800, "refund": 9_900},
	}
	n, err := client.ParseNotice(context.Background(), f.notice("REFUND.SUCCESS", content, time.Now()))
	if err != nil || n.Kind != NoticeRefunded || n.Refund.OutRefundNo != "ref_1" || n.Refund.Fen != 9_900 || n.Refund.State != RefundSuccess {
		t.Fatalf("got %+v, %v", n, err)
	}
}

func TestANoticeIsRefused(t *testing.T) {
	f, client := start(t)
	paid := func(change map[string]any) *http.Request {
		return f.notice("TRANSACTION.SUCCESS", transaction(change), time.Now())
	}
	forged := paid(nil)
	forged.Header.Set("Wechatpay-Nonce", "other")
	changed := paid(nil)
	body, _ := io.ReadAll(changed.Body)
	changed.Body = io.NopCloser(bytes.NewReader(bytes.Replace(body, []byte("EV-1"), []byte("EV-2"), 1)))
	unsigned := paid(nil)
	unsigned.Header.Del("Wechatpay-Signature")
	huge := paid(nil)
	huge.Body = io.NopCloser(strings.NewReader(strings.Repeat("x", maxNoticeBytes+1)))
	resource := func(change map[string]any) *http.Request {
		return f.envelope(map[string]any{"event_type": "TRANSACTION.SUCCESS", "resource": merged(map[string]any{
			"algorithm": algorithm, "nonce": "nonce1234567", "ciphertext": "AAAA",
		}, change)}, time.Now())
	}
	for name, c := range map[string]struct {
		request *http.Request
		want    *fault.Error
	}{
		"forged":                         {forged, ErrForged},
		"changed on the way":             {changed, ErrForged},
		"without a signature":            {unsigned, ErrForged},
		"larger than any notice":         {huge, ErrForged},
		"older than five minutes":        {f.notice("TRANSACTION.SUCCESS", transaction(nil), time.Now().Add(-6*time.Minute)), ErrForged},
		"from the future":                {f.notice("TRANSACTION.SUCCESS", transaction(nil), time.Now().Add(6*time.Minute)), ErrForged},
		"for another merchant":           {paid(map[string]any{"mchid": "2"}), errMerchant},
		"for another app":                {paid(map[string]any{"appid": "wx2"}), errMerchant},
		"of a payment that was not made": {paid(map[string]any{"trade_state": "NOTPAY"}), errNotice},
		"of an event that is not ours":   {f.notice("PAYSCORE.USER_PAID", transaction(nil), time.Now()), errNotice},
		"that is not JSON inside":        {f.notice("TRANSACTION.SUCCESS", "text", time.Now()), errNotice},
		"encrypted with another key":     {resource(nil), errNotice},
		"with a nonce of another size":   {resource(map[string]any{"nonce": "short"}), errNotice},
		"with another algorithm":         {resource(map[string]any{"algorithm": "AEAD_SM4_GCM"}), errNotice},
		"without content":                {f.envelope(map[string]any{"event_type": "TRANSACTION.SUCCESS"}, time.Now()), errNotice},
		"with a refund of nothing":       {f.notice("REFUND.SUCCESS", map[string]any{"mchid": mchID, "out_refund_no": "r", "out_trade_no": "p", "refund_status": "SUCCESS"}, time.Now()), errNotice},
		"with another merchant's refund": {f.notice("REFUND.SUCCESS", map[string]any{"mchid": "2"}, time.Now()), errMerchant},
	} {
		t.Run(name, func(t *testing.T) {
			if n, err := client.ParseNotice(context.Background(), c.request); !errors.Is(err, c.want) {
				t.Fatalf("got %+v, %v; want %v", n, err, c.want)
			}
		})
	}
}

func TestAConfigurationThatCannotWorkIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		cfg     Config
		outside rewrite.Config
	}{
		"without keys":                  {Config{NotifyURL: "https://shop.example/notices"}, rewrite.Config{}},
		"with a simulator that is none": {Config{}, rewrite.Config{SimulatorAddr: "::"}},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := New(c.cfg, c.outside); err == nil {
				t.Fatal("it was accepted")
			}
		})
	}
}
