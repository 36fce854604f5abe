package wiring_test

import (
	"bytes"
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
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/qingcang/qingcang/services/internal/wechatpay"
)

const (
	mchID  = "1900000109"
	appID  = "wx0000000000000001"
	keyID  = "PUB_KEY_ID_0119000001"
	apiV3  = "0123456789abcdef0123456789abcdef"
	serial = "5157F09EFDC096DE15EBE81A47057A7232F1B8E1"
)

// wechat plays WeChat's log-in and WeChat Pay for one merchant. It signs as the real one does;
// that requests are signed is the business of the kit's own tests.
type wechat struct {
	t                  *testing.T
	url                string
	platform, merchant *rsa.PrivateKey

	mu      sync.Mutex
	trades  map[string]*trade
	refunds map[string]int64 // fen by out_refund_no
}

type trade struct {
	fen         int64
	openID      string
	transaction string
	closed      bool
}

func startWeChat(t *testing.T) *wechat {
	t.Helper()
	w := &wechat{t: t, platform: rsaKey(t), merchant: rsaKey(t), trades: map[string]*trade{}, refunds: map[string]int64{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /sns/oauth2/access_token", w.logIn)
	mux.HandleFunc("POST /v3/pay/transactions/jsapi", w.prepay)
	mux.HandleFunc("GET /v3/pay/transactions/out-trade-no/{no}", w.query)
	mux.HandleFunc("POST /v3/pay/transactions/out-trade-no/{no}/close", w.close)
	mux.HandleFunc("POST /v3/refund/domestic/refunds", w.refund)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	w.url = server.URL
	return w
}

func rsaKey(t *testing.T) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func (w *wechat) config(t *testing.T) wechatpay.Config {
	t.Helper()
	private, err := x509.MarshalPKCS8PrivateKey(w.merchant)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(w.platform.Public())
	if err != nil {
		t.Fatal(err)
	}
	return wechatpay.Config{
		MchID: mchID, AppID: appID, CertSerial: serial, PlatformPublicKeyID: keyID,
		PrivateKeyFile:        file(t, "key.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}))),
		APIV3KeyFile:          file(t, "apiv3", apiV3),
		PlatformPublicKeyFile: file(t, "pub.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}))),
		NotifyURL:             "http://127.0.0.1/v1/wechatpay/notices",
	}
}

func file(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// openIDOf is what WeChat calls a user.
func openIDOf(user string) string { return "oOPENID-" + user }

func (w *wechat) logIn(rw http.ResponseWriter, r *http.Request) {
	user, ok := strings.CutPrefix(r.URL.Query().Get("code"), "code-")
	if !ok || r.Host != "api.weixin.qq.com" || r.URL.Query().Get("secret") != "login-secret" {
		_, _ = rw.Write([]byte(`{"errcode":40029,"errmsg":"invalid code"}`))
		return
	}
	_ = json.NewEncoder(rw).Encode(map[string]any{"openid": openIDOf(user), "access_token": "unused", "expires_in": 7200})
}

func (w *wechat) prepay(rw http.ResponseWriter, r *http.Request) {
	var in struct {
		No     string `json:"out_trade_no"`
		Amount struct {
			Total int64 `json:"total"`
		} `json:"amount"`
		Payer struct {
			OpenID string `json:"openid"`
		} `json:"payer"`
	}
	_ = json.NewDecoder(r.Body).Decode(&in)
	w.mu.Lock()
	w.trades[in.No] = &trade{fen: in.Amount.Total, openID: in.Payer.OpenID}
	w.mu.Unlock()
	w.answer(rw, http.StatusOK, map[string]any{"prepay_id": "wx-" + in.No})
}

func (w *wechat) query(rw http.ResponseWriter, r *http.Request) {
	no := r.PathValue("no")
	w.mu.Lock()
	t, known := w.trades[no]
	w.mu.Unlock()
	if !known {
		w.answer(rw, http.StatusNotFound, map[string]any{"code": "ORDER_NOT_EXIST"})
		return
	}
	w.answer(rw, http.StatusOK, t.resource(no))
}

func (t *trade) resource(no string) map[string]any {
	out := map[string]any{
		"mchid": mchID, "appid": appID, "out_trade_no": no, "trade_state": "NOTPAY",
		"amount": map[string]any{"total": t.fen, "currency": "CNY"},
	}
	if t.transaction != "" {
		out["trade_state"], out["transaction_id"], out["success_time"] = "SUCCESS", t.transaction, time.Now().Format(time.RFC3339)
	}
	return out
}

func (w *wechat) close(rw http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	if t := w.trades[r.PathValue("no")]; t != nil {
		t.closed = true
	}
	w.mu.Unlock()
	w.answer(rw, http.StatusNoContent, nil)
}

func (w *wechat) refund(rw http.ResponseWriter, r *http.Request) {
	var in struct {
		Trade  string `json:"out_trade_no"`
		Refund string `json:"out_refund_no"`
		Amount struct {
			Refund int64 `json:"refund"`
		} `json:"amount"`
	}
	_ = json.NewDecoder(r.Body).Decode(&in)
	w.mu.Lock()
	w.refunds[in.Refund] = in.Amount.Refund
	w.mu.Unlock()
	w.answer(rw, http.StatusOK, map[string]any{
		"refund_id": "50001", "out_refund_no": in.Refund, "out_trade_no": in.Trade, "status": "SUCCESS",
		"amount": map[string]any{"refund": in.Amount.Refund, "currency": "CNY"},
	})
}

// refunded is all that went back.
func (w *wechat) refunded() (fen int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, f := range w.refunds {
		fen += f
	}
	return fen
}

// pay is the user paying; the amount is as it should be unless another is given.
func (w *wechat) pay(no, transaction string, fen int64) map[string]any {
	w.mu.Lock()
	defer w.mu.Unlock()
	t := w.trades[no]
	if t == nil {
		w.t.Fatalf("WeChat Pay does not know %s", no)
	}
	t.transaction, t.fen = transaction, fen
	return t.resource(no)
}

// payer is who may pay a trade.
func (w *wechat) payer(no string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.trades[no].openID
}

func (w *wechat) answer(rw http.ResponseWriter, status int, body any) {
	var data []byte
	if body != nil {
		data, _ = json.Marshal(body)
	}
	signInto(w.t, rw.Header(), w.platform, data, time.Now())
	rw.WriteHeader(status)
	_, _ = rw.Write(data)
}

func signInto(t *testing.T, h http.Header, key *rsa.PrivateKey, body []byte, at time.Time) {
	timestamp := strconv.FormatInt(at.Unix(), 10)
	digest := sha256.Sum256(fmt.Appendf(nil, "%s\nnonce\n%s\n", timestamp, body))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, digest[:])
	if err != nil {
		t.Error(err)
	}
	h.Set("Wechatpay-Serial", keyID)
	h.Set("Wechatpay-Nonce", "nonce")
	h.Set("Wechatpay-Timestamp", timestamp)
	h.Set("Wechatpay-Signature", base64.StdEncoding.EncodeToString(signature))
}

// notice is what WeChat Pay sends about a paid trade.
type notice struct {
	header http.Header
	body   []byte
}

func (w *wechat) notice(content map[string]any) notice {
	return w.noticeBy(w.platform, content, time.Now())
}

func (w *wechat) noticeBy(key *rsa.PrivateKey, content map[string]any, at time.Time) notice {
	plaintext, _ := json.Marshal(content)
	block, err := aes.NewCipher([]byte(apiV3))
	if err != nil {
		w.t.Fatal(err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		w.t.Fatal(err)
	}
	body, _ := json.Marshal(map[string]any{
		"id": "EV-1", "event_type": "TRANSACTION.SUCCESS", "resource_type": "encrypt-resource",
		"resource": map[string]any{
			"algorithm": "AEAD_AES_256_GCM", "nonce": "nonce1234567", "associated_data": "transaction",
			"ciphertext": base64.StdEncoding.EncodeToString(gcm.Seal(nil, []byte("nonce1234567"), plaintext, []byte("transaction"))),
		},
	})
	n := notice{header: http.Header{"Content-Type": {"application/json"}}, body: body}
	signInto(w.t, n.header, key, body, at)
	return n
}

func (n notice) request(url string) (*http.Request, error) {
	r, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(n.body))
	if err == nil {
		r.Header = n.header.Clone()
	}
	return r, err
}
