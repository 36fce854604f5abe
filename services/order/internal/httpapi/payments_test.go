package httpapi

import (
	"bytes"
	"context"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/qingcang/qingcang/services/internal/auth"
	"github.com/qingcang/qingcang/services/internal/fault"
	"github.com/qingcang/qingcang/services/internal/ids"
	"github.com/qingcang/qingcang/services/internal/rewrite"
	"github.com/qingcang/qingcang/services/internal/wechatpay"
	"github.com/qingcang/qingcang/services/order/internal/app"
)

const (
	mchID   = "1900000001"
	appID   = "wx0000000000000001"
	apiV3   = "0123456789abcdef0123456789abcdef"
	keyID   = "PUB_KEY_ID_01"
	openID  = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"
	notices = "/v1/wechatpay/notices"
)

// desk stands for the use cases of payment and notes what it is asked.
type desk struct {
	openedBy string
	taken    []wechatpay.Notice
	fails    error
}

func (d *desk) Open(_ context.Context, orderID, buyerID, openID string) (app.OpenPayment, error) {
	d.openedBy = buyerID + " " + openID
	return app.OpenPayment{PaymentID: "pay_of_" + orderID, PrepayID: "wx1", Fen: 13_999, ExpiresAt: time.Unix(1_800_000_000, 0)}, d.fails
}

func (d *desk) TakeNotice(_ context.Context, n wechatpay.Notice) error {
	if d.fails == nil {
		d.taken = append(d.taken, n)
	}
	return d.fails
}

// door is the service's handler with WeChat Pay's keys and those of the tokens.
type door struct {
	*testing.T
	http.Handler
	desk     *desk
	tokens   *auth.Keys
	platform *rsa.PrivateKey
}

func newDoor(t *testing.T) *door {
	t.Helper()
	tokens, err := auth.NewKeys(map[string][]byte{"k1": bytes.Repeat([]byte{7}, 32)}, "k1")
	if err != nil {
		t.Fatal(err)
	}
	platform, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	d := &door{T: t, desk: &desk{}, tokens: tokens, platform: platform}
	d.Handler, err = New(nil, NewPayments(d.desk, d.merchant(), d.desk, tokens), nil, Door{Buyers: tokens, Probes: http.NotFoundHandler()})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// merchant is the production client, with the test's keys.
func (d *door) merchant() *wechatpay.Client {
	d.Helper()
	private, err := x509.MarshalPKCS8PrivateKey(d.platform) // whose it is does not matter: nothing is asked of WeChat Pay
	if err != nil {
		d.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(&d.platform.PublicKey)
	if err != nil {
		d.Fatal(err)
	}
	client, err := wechatpay.New(wechatpay.Config{
		MchID: mchID, AppID: appID, CertSerial: "1", NotifyURL: "https://shop.example" + notices,
		PrivateKeyFile:        d.file("key.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})),
		APIV3KeyFile:          d.file("apiv3", []byte(apiV3)),
		PlatformPublicKeyFile: d.file("pub.pem", pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})),
		PlatformPublicKeyID:   keyID,
	}, rewrite.Config{})
	if err != nil {
		d.Fatal(err)
	}
	return client
}

func (d *door) file(name string, content []byte) string {
	d.Helper()
	path := filepath.Join(d.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		d.Fatal(err)
	}
	return path
}

// notice is a payment's notice as WeChat Pay sends it.
func (d *door) notice(at time.Time) *http.Request {
	d.Helper()
	plaintext := fmt.Sprintf(`{"mchid":%q,"appid":%q,"out_trade_no":"pay_1","transaction_id":"4200001","trade_state":"SUCCESS",
		"success_time":"2026-11-22T12:00:00+08:00","amount":{"total":13999,"currency":"CNY"}}`, mchID, appID)
	block, err := aes.NewCipher([]byte(apiV3))
	if err != nil {
		d.Fatal(err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		d.Fatal(err)
	}
	const nonce = "nonce1234567"
	body, err := json.Marshal(map[string]any{
		"id": "EV-1", "event_type": "TRANSACTION.SUCCESS",
		"resource": map[string]any{
			"algorithm": "AEAD_AES_256_GCM", "nonce": nonce, "associated_data": "transaction",
			"ciphertext": base64.StdEncoding.EncodeToString(gcm.Seal(nil, []byte(nonce), []byte(plaintext), []byte("transaction"))),
		},
	})
	if err != nil {
		d.Fatal(err)
	}
	timestamp := strconv.FormatInt(at.Unix(), 10)
	digest := sha256.Sum256(fmt.Appendf(nil, "%s\nnonce\n%s\n", timestamp, body))
	signature, err := rsa.SignPKCS1v15(rand.Reader, d.platform, crypto.SHA256, digest[:])
	if err != nil {
		d.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, notices, bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Wechatpay-Serial", keyID)
	r.Header.Set("Wechatpay-Nonce", "nonce")
	r.Header.Set("Wechatpay-Timestamp", timestamp)
	r.Header.Set("Wechatpay-Signature", base64.StdEncoding.EncodeToString(signature))
	return r
}

func (d *door) answers(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	d.ServeHTTP(w, r)
	return w
}

func TestNotices(t *testing.T) {
	cases := map[string]struct {
		change     func(d *door, r *http.Request)
		age        time.Duration
		wantStatus int
		wantTaken  int
	}{
		"one from WeChat Pay is taken": {wantStatus: http.StatusNoContent, wantTaken: 1},
		"one with another body is forged": {
			change: func(_ *door, r *http.Request) {
				const forged = `{"id":"EV-1","event_type":"TRANSACTION.SUCCESS"}`
				r.Body, r.ContentLength = io.NopCloser(strings.NewReader(forged)), int64(len(forged))
			},
			wantStatus: http.StatusUnauthorized,
		},
		"one with another's signature is forged": {
			change:     func(_ *door, r *http.Request) { r.Header.Set("Wechatpay-Signature", "AAAA") },
			wantStatus: http.StatusUnauthorized,
		},
		"one that is replayed after five minutes is refused": {age: 6 * time.Minute, wantStatus: http.StatusUnauthorized},
		"one without a signature is no notice": {
			change:     func(_ *door, r *http.Request) { r.Header.Del("Wechatpay-Signature") },
			wantStatus: http.StatusBadRequest,
		},
		"one about a payment of somebody else is not found": {
			change:     func(d *door, _ *http.Request) { d.desk.fails = app.ErrPaymentUnknown },
			wantStatus: http.StatusNotFound,
		},
		"one that could not be made durable is to come again": {
			change: func(d *door, _ *http.Request) {
				d.desk.fails = fault.New(fault.Unavailable, "down", "the store is away")
			},
			wantStatus: http.StatusServiceUnavailable,
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			d := newDoor(t)
			r := d.notice(time.Now().Add(-c.age))
			if c.change != nil {
				c.change(d, r)
			}
			if w := d.answers(r); w.Code != c.wantStatus || len(d.desk.taken) != c.wantTaken {
				t.Fatalf("answered %d, took %d; want %d, %d: %s", w.Code, len(d.desk.taken), c.wantStatus, c.wantTaken, w.Body)
			}
		})
	}
}

func TestTakenNoticesSayWhatWasPaid(t *testing.T) {
	d := newDoor(t)
	d.answers(d.notice(time.Now()))
	if len(d.desk.taken) != 1 || d.desk.taken[0].Trade.OutTradeNo != "pay_1" || d.desk.taken[0].Trade.Fen != 13_999 {
		t.Fatalf("took %+v", d.desk.taken)
	}
}

func TestPayOrder(t *testing.T) {
	orderID := ids.Derive("ord", "test")
	cases := map[string]struct {
		orderID, key string
		payer        func(d *door) string
		wantStatus   int
		wantOpenedBy string
	}{
		"the buyer's openid reaches the provider, and only there": {
			orderID: orderID, key: "key-00001", payer: sealedFor("per_b"), wantStatus: http.StatusOK, wantOpenedBy: "per_b " + openID,
		},
		"a token that carries no openid cannot pay": {
			orderID: orderID, key: "key-00001", payer: func(*door) string { return "" }, wantStatus: http.StatusUnauthorized,
		},
		"another's openid cannot pay": {
			orderID: orderID, key: "key-00001", payer: sealedFor("per_x"), wantStatus: http.StatusUnauthorized,
		},
		"a write without a key is refused": {
			orderID: orderID, payer: sealedFor("per_b"), wantStatus: http.StatusBadRequest,
		},
		"what is no order id is refused": {
			orderID: "ord_1", key: "key-00001", payer: sealedFor("per_b"), wantStatus: http.StatusBadRequest,
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			d := newDoor(t)
			token, err := auth.Sign(d.tokens, auth.Claims{Subject: "per_b", Audience: auth.Buyer, Payer: c.payer(d)}, time.Hour, time.Now())
			if err != nil {
				t.Fatal(err)
			}
			r := httptest.NewRequest(http.MethodPost, "/v1/orders/"+c.orderID+"/payments", nil)
			r.Header.Set("Authorization", "Bearer "+token)
			if c.key != "" {
				r.Header.Set("Idempotency-Key", c.key)
			}
			w := d.answers(r)
			if w.Code != c.wantStatus || d.desk.openedBy != c.wantOpenedBy {
				t.Fatalf("answered %d, opened by %q; want %d, %q: %s", w.Code, d.desk.openedBy, c.wantStatus, c.wantOpenedBy, w.Body)
			}
			if strings.Contains(w.Body.String(), openID) {
				t.Fatal("the answer shows the openid")
			}
		})
	}
}

func sealedFor(holder string) func(d *door) string {
	return func(d *door) string {
		sealed, err := auth.SealSubject(d.tokens, holder, openID)
		if err != nil {
			d.Fatal(err)
		}
		return sealed
	}
}
