package wechatpay

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
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/qingcang/qingcang/services/internal/rewrite"
)

const (
	mchID   = "1900000109"
	appID   = "wx0000000000000001"
	keyID   = "PUB_KEY_ID_0119000001"
	apiV3   = "0123456789abcdef0123456789abcdef"
	openID  = "oOPENID0000000000000000000001"
	prepay  = "/v3/pay/transactions/jsapi"
	refunds = "/v3/refund/domestic/refunds"
)

// fake is WeChat Pay with real keys: it verifies what the merchant signs, and
// signs and encrypts what it says.
type fake struct {
	t                  *testing.T
	platform, merchant *rsa.PrivateKey
	// answers are by "METHOD path"; what is not there is a 404.
	answers map[string]answer
	// requests are the bodies received, by "METHOD path".
	requests map[string]map[string]any
	// files are sent as they are, unsigned, by "METHOD path".
	files map[string]string
	// signWith signs the replies; nil is the platform's key.
	signWith *rsa.PrivateKey
}

type answer struct {
	status int
	body   any
}

func newKey(t *testing.T) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// start runs a fake and a client that reaches it as the demo does: by the
// rewritten host, with keys from files.
func start(t *testing.T) (*fake, *Client) {
	t.Helper()
	f := &fake{
		t: t, platform: newKey(t), merchant: newKey(t),
		answers: map[string]answer{}, requests: map[string]map[string]any{}, files: map[string]string{},
	}
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	private, err := x509.MarshalPKCS8PrivateKey(f.merchant)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(f.platform.Public())
	if err != nil {
		t.Fatal(err)
	}
	client, err := New(Config{
		MchID: mchID, AppID: appID, CertSerial: "5157F09EFDC096DE15EBE81A47057A7232F1B8E1",
		PrivateKeyFile:        write(t, "key.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})),
		APIV3KeyFile:          write(t, "apiv3", []byte(apiV3+"\n")),
		PlatformPublicKeyFile: write(t, "pub.pem", pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})),
		PlatformPublicKeyID:   keyID,
		NotifyURL:             "http://127.0.0.1/v1/wechatpay/notices",
	}, rewrite.Config{SimulatorAddr: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	return f, client
}

func write(t *testing.T, name string, content []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

var authorization = regexp.MustCompile(`^WECHATPAY2-SHA256-RSA2048 mchid="(\d+)",nonce_str="(\w+)",timestamp="(\d+)",serial_no="(\w+)",signature="(.+)"$`)

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	m := authorization.FindStringSubmatch(r.Header.Get("Authorization"))
	if len(m) == 0 || m[1] != mchID || r.Host != Host {
		f.t.Errorf("%s %s to %s came with %q", r.Method, r.URL, r.Host, r.Header.Get("Authorization"))
		return
	}
	signature, _ := base64.StdEncoding.DecodeString(m[5])
	digest := sha256.Sum256([]byte(r.Method + "\n" + r.URL.RequestURI() + "\n" + m[3] + "\n" + m[2] + "\n" + string(body) + "\n"))
	if err := rsa.VerifyPKCS1v15(&f.merchant.PublicKey, crypto.SHA256, digest[:], signature); err != nil {
		f.t.Errorf("%s %s is not signed: %v", r.Method, r.URL, err)
	}
	route := r.Method + " " + r.URL.Path
	var sent map[string]any
	_ = json.Unmarshal(body, &sent)
	f.requests[route] = sent
	if file, ok := f.files[route]; ok {
		_, _ = io.WriteString(w, file)
		return
	}
	a, ok := f.answers[route]
	if !ok {
		a = answer{http.StatusNotFound, map[string]any{"code": "ORDER_NOT_EXIST", "message": openID}}
	}
	var reply []byte
	if a.body != nil {
		reply, _ = json.Marshal(a.body)
	}
	f.sign(w.Header(), reply, time.Now())
	w.WriteHeader(a.status)
	_, _ = w.Write(reply)
}

func (f *fake) sign(h http.Header, body []byte, at time.Time) {
	key := f.platform
	if f.signWith != nil {
		key = f.signWith
	}
	timestamp := strconv.FormatInt(at.Unix(), 10)
	digest := sha256.Sum256(fmt.Appendf(nil, "%s\nnonce\n%s\n", timestamp, body))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, digest[:])
	if err != nil {
		f.t.Error(err)
	}
	h.Set("Wechatpay-Serial", keyID)
	h.Set("Wechatpay-Nonce", "nonce")
	h.Set("Wechatpay-Timestamp", timestamp)
	h.Set("Wechatpay-Signature", base64.StdEncoding.EncodeToString(signature))
}

// notice is a signed and encrypted notice as WeChat Pay sends it.
func (f *fake) notice(event string, content any, at time.Time) *http.Request {
	plaintext, err := json.Marshal(content)
	if err != nil {
		f.t.Fatal(err)
	}
	block, err := aes.NewCipher([]byte(apiV3))
	if err != nil {
		f.t.Fatal(err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		f.t.Fatal(err)
	}
	sealed := gcm.Seal(nil, []byte("nonce1234567"), plaintext, []byte("transaction"))
	return f.envelope(map[string]any{
		"id": "EV-1", "create_time": at.Format(time.RFC3339), "event_type": event, "resource_type": "encrypt-resource",
		"resource": map[string]any{
			"algorithm": algorithm, "nonce": "nonce1234567", "associated_data": "transaction",
			"ciphertext": base64.StdEncoding.EncodeToString(sealed),
		},
	}, at)
}

func (f *fake) envelope(content any, at time.Time) *http.Request {
	body, err := json.Marshal(content)
	if err != nil {
		f.t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, "/v1/wechatpay/notices", bytes.NewReader(body))
	f.sign(r.Header, body, at)
	return r
}

func transaction(change map[string]any) map[string]any {
	return merged(map[string]any{
		"mchid": mchID, "appid": appID, "out_trade_no": "pay_1", "transaction_id": "4200001", "trade_state": "SUCCESS",
		"trade_type": "JSAPI", "success_time": "2026-11-22T12:00:00+08:00", "payer": map[string]any{"openid": openID},
		"amount": map[string]any{"total": 39_800, "payer_total": 39_800, "currency": "CNY"},
	}, change)
}

func refund(change map[string]any) map[string]any {
	return merged(map[string]any{
		"refund_id": "5000001", "out_refund_no": "ref_1", "transaction_id": "4200001", "out_trade_no": "pay_1",
		"channel": "ORIGINAL", "user_received_account": "card", "success_time": "2026-11-22T12:00:00+08:00",
		"create_time": "2026-11-22T12:00:00+08:00", "status": "PROCESSING",
		"amount": map[string]any{"total": 39_800, "refund": 9_900, "payer_total": 39_800, "payer_refund": 9_900, "currency": "CNY"},
	}, change)
}

func merged(base, change map[string]any) map[string]any {
	for name, value := range change {
		base[name] = value
	}
	return base
}
