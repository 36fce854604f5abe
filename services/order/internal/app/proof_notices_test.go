package app

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
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/qingcang/qingcang/services/internal/proof"
	"github.com/qingcang/qingcang/services/internal/rewrite"
	"github.com/qingcang/qingcang/services/internal/wechatpay"
	"github.com/qingcang/qingcang/services/order/internal/payment"
)

const (
	postMerchant = "1900000109"
	postApp      = "wx0000000000000001"
	postKeyID    = "PUB_KEY_ID_0119000001"
	postAPIV3    = "0123456789abcdef0123456789abcdef"
	// postKeyBits is the least that Go signs with: what is proved is not RSA.
	postKeyBits = 1024
)

// repeats is WeChat Pay's schedule of a notice that is not answered: fifteen times
// in 24 hours and 4 minutes.
var repeats = []time.Duration{
	15 * time.Second, 15 * time.Second, 30 * time.Second, 3 * time.Minute, 10 * time.Minute, 20 * time.Minute,
	30 * time.Minute, 30 * time.Minute, 30 * time.Minute, time.Hour, 3 * time.Hour, 3 * time.Hour, 3 * time.Hour,
	6 * time.Hour, 6 * time.Hour,
}

// stamps are what signs notices: WeChat Pay's key and a forger's. The client is
// the real one that verifies and decrypts them.
type stamps struct {
	platform, forger *rsa.PrivateKey
	client           *wechatpay.Client
}

func newStamps(t *testing.T) *stamps {
	t.Helper()
	key := func() *rsa.PrivateKey {
		k, err := rsa.GenerateKey(rand.Reader, postKeyBits)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	s := &stamps{platform: key(), forger: key()}
	private, err := x509.MarshalPKCS8PrivateKey(key())
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(s.platform.Public())
	if err != nil {
		t.Fatal(err)
	}
	file := func(name string, content []byte) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	s.client, err = wechatpay.New(wechatpay.Config{
		MchID: postMerchant, AppID: postApp, CertSerial: "5157F09EFDC096DE15EBE81A47057A7232F1B8E1",
		PrivateKeyFile:        file("key.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})),
		APIV3KeyFile:          file("apiv3", []byte(postAPIV3)),
		PlatformPublicKeyFile: file("pub.pem", pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})),
		PlatformPublicKeyID:   postKeyID, NotifyURL: "https://shop.example/v1/wechatpay/notices",
	}, rewrite.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// letter is a notice as it goes over the wire.
type letter struct {
	header http.Header
	body   []byte
}

// seal encrypts and signs what a notice says, now.
func (s *stamps) seal(t *proof.Trial, trade wechatpay.Trade, merchant string, key *rsa.PrivateKey) letter {
	plaintext, err := json.Marshal(map[string]any{
		"mchid": merchant, "appid": postApp, "out_trade_no": trade.OutTradeNo, "transaction_id": trade.TransactionID,
		"trade_state": "SUCCESS", "trade_type": "JSAPI", "success_time": trade.PaidAt.Format(time.RFC3339),
		"amount": map[string]any{"total": int64(trade.Fen), "currency": "CNY"},
	})
	if err != nil {
		t.Fatal(err)
	}
	block, err := aes.NewCipher([]byte(postAPIV3))
	if err != nil {
		t.Fatal(err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	body, err := json.Marshal(map[string]any{
		"id": "EV-" + strconv.FormatInt(t.Int64(), 36), "event_type": "TRANSACTION.SUCCESS", "resource_type": "encrypt-resource",
		"create_time": time.Now().Format(time.RFC3339), "resource": map[string]any{
			"algorithm": "AEAD_AES_256_GCM", "nonce": "nonce1234567", "associated_data": "transaction",
			"ciphertext": base64.StdEncoding.EncodeToString(gcm.Seal(nil, []byte("nonce1234567"), plaintext, []byte("transaction"))),
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	stamp := strconv.FormatInt(time.Now().Unix(), 10)
	digest := sha256.Sum256(fmt.Appendf(nil, "%s\nnonce\n%s\n", stamp, body))
	signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	header := http.Header{}
	header.Set("Wechatpay-Serial", postKeyID)
	header.Set("Wechatpay-Nonce", "nonce")
	header.Set("Wechatpay-Timestamp", stamp)
	header.Set("Wechatpay-Signature", base64.StdEncoding.EncodeToString(signature))
	return letter{header: header, body: body}
}

// post is the way of notices from WeChat Pay to the market, in virtual time.
type post struct {
	*market
	stamps *stamps
	begin  time.Time
	// lost is how many of four letters are lost on their way.
	lost   int
	agenda []appointment
}

// appointment is something that happens at a time.
type appointment struct {
	at time.Time
	do func()
}

func (p *post) at(after time.Duration, do func()) {
	p.agenda = append(p.agenda, appointment{at: p.begin.Add(after), do: do})
}

// run lets time pass until nothing is left on the agenda.
func (p *post) run() {
	for len(p.agenda) > 0 {
		next := 0
		for i, a := range p.agenda {
			if a.at.Before(p.agenda[next].at) {
				next = i
			}
		}
		a := p.agenda[next]
		p.agenda = slices.Delete(p.agenda, next, next+1)
		p.until(a.at)
		a.do()
	}
}

// until lets the time pass for everybody: the machine's clock here is virtual.
func (p *post) until(at time.Time) {
	if d := at.Sub(p.clock.Now()); d > 0 {
		<-time.After(d)
		p.tick(d)
	}
}

// hand brings a letter to the service's door and reports whether it was answered
// with 2xx.
func (p *post) hand(l letter) bool { return p.handTo(p.any(), l) }

func (p *post) handTo(door *Payments, l letter) bool {
	request := &http.Request{Method: http.MethodPost, Header: l.header.Clone(), Body: http.NoBody}
	request.Body = readCloser{bytes.NewReader(l.body)}
	notice, err := p.stamps.client.ParseNotice(context.Background(), request)
	if err != nil {
		return false
	}
	return door.TakeNotice(context.Background(), notice) == nil
}

type readCloser struct{ *bytes.Reader }

func (readCloser) Close() error { return nil }

// pays is the buyer's payment, right or not; WeChat Pay tells it until it is
// answered, and a while longer than it need.
func (p *post) pays(id string) {
	p.provider.mu.Lock()
	trade := p.provider.trades[payment.PaymentID(id)]
	p.provider.mu.Unlock()
	if trade.State != wechatpay.TradeNotPay {
		return
	}
	p.provider.pay(id, "tx_"+id, trade.Fen)
	p.tell(payment.PaymentID(id), 0)
}

func (p *post) tell(number string, attempt int) {
	p.provider.mu.Lock()
	trade := p.provider.trades[number]
	p.provider.mu.Unlock()
	l := p.stamps.seal(p.Trial, trade, postMerchant, p.stamps.platform)
	if answered := p.carry(l); answered || attempt == len(repeats) {
		return
	}
	p.at(p.clock.Now().Sub(p.begin)+repeats[attempt], func() { p.tell(number, attempt+1) })
}

// carry brings a letter, loses it, doubles it, or loses its answer. A copy may
// turn up hours later.
func (p *post) carry(l letter) (answered bool) {
	if p.Chance(4) {
		p.at(p.clock.Now().Sub(p.begin)+time.Duration(p.Int64N(int64(2*time.Hour))), func() { p.hand(l) })
	}
	switch {
	case p.IntN(4) < p.lost:
		return false
	case p.Chance(5):
		var hands sync.WaitGroup
		for _, door := range []*Payments{p.any(), p.any()} {
			hands.Go(func() { p.handTo(door, l) })
		}
		hands.Wait()
		return false // which answer it heard is anybody's guess
	default:
		return p.hand(l) && !p.Chance(5)
	}
}

// forge brings letters that are not WeChat Pay's, or not about this merchant, or
// were written over: each says that the order was paid.
func (p *post) forge(id string) {
	trade := wechatpay.Trade{
		OutTradeNo: payment.PaymentID(id), TransactionID: "tx_forged_" + strconv.Itoa(p.IntN(4)), Fen: proofPrice, PaidAt: p.clock.Now(),
	}
	merchant, key := postMerchant, p.stamps.platform
	kind := p.IntN(4)
	switch kind {
	case 0:
		key = p.stamps.forger
	case 1:
		merchant = "1900000999"
	}
	l := p.stamps.seal(p.Trial, trade, merchant, key)
	switch kind {
	case 2:
		l.body = bytes.Replace(l.body, []byte("EV-"), []byte("EW-"), 1)
	case 3:
		l.header.Set("Wechatpay-Timestamp", strconv.FormatInt(time.Now().Unix()+1, 10))
	}
	if p.hand(l) {
		p.Fatalf("a forged notice (%d) was taken", kind)
	}
}

// look is what the service does by itself: it hears the lane and does its work.
func (p *post) look() {
	p.deliver()
	p.chores()
}

// buyer decides what the buyer of an order does.
func (p *post) buyer(id string) {
	number := payment.PaymentID(id)
	p.provider.mu.Lock()
	if trade, known := p.provider.trades[number]; known && p.Chance(6) {
		trade.Fen += 7 // the prepay was for another amount than the order's
		p.provider.trades[number] = trade
	}
	p.provider.mu.Unlock()
	if !p.Chance(5) {
		p.at(time.Duration(p.Int64N(int64(90*time.Second))), func() { p.pays(id) })
	}
}
