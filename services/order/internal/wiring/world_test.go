package wiring_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/qingcang/qingcang/proto/eventkit"
	brandv1 "github.com/qingcang/qingcang/proto/gen/brand/v1"
	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
	"github.com/qingcang/qingcang/services/internal/auth"
	"github.com/qingcang/qingcang/services/internal/mongokit"
	"github.com/qingcang/qingcang/services/internal/testkit"
	"github.com/qingcang/qingcang/services/internal/wechatpay"
	"github.com/qingcang/qingcang/services/order/internal/eventin"
	"github.com/qingcang/qingcang/services/order/internal/lane"
	"github.com/qingcang/qingcang/services/order/internal/wiring"
)

const (
	patience  = 30 * time.Second
	addressID = "addr_01jz6j8f4tfk2b6a1n8x9q7r5m"
)

// world is the service as main starts it, on a database and topics of its own.
type world struct {
	t      *testing.T
	cfg    wiring.Config
	conn   *eventkit.Conn
	buyers *auth.Keys
	shares *auth.Keys
	// urls are those of the replicas.
	urls []string
	keys int
	// last is the id of the newest event that the world put into the brands' topic.
	last string
	seq  int
}

func newWorld(t *testing.T, replicas int) *world {
	t.Helper()
	w := &world{t: t, cfg: wiring.Config{
		BuyerTokenKeys: keyFile(t, 'b'), ShareTokenKeys: keyFile(t, 's'),
		Mongo: mongokit.Config{URI: os.Getenv("MONGODB_URI"), Database: testkit.Mongo(t).Name()},
		Kafka: eventkit.Config{Brokers: testkit.Brokers(t), TopicPrefix: testkit.Prefix(t)},
		Pay:   providerConfig(t),
	}}
	var errs [3]error
	w.conn, errs[0] = eventkit.Dial(w.cfg.Kafka)
	w.buyers, errs[1] = auth.LoadKeys(w.cfg.BuyerTokenKeys)
	w.shares, errs[2] = auth.LoadKeys(w.cfg.ShareTokenKeys)
	if err := errors.Join(errs[:]...); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.conn.Close)
	if err := w.conn.Ensure(t.Context(), eventkit.Topics()...); err != nil {
		t.Fatal(err)
	}
	for range replicas {
		w.start()
	}
	return w
}

// start starts a replica and waits until it is ready; stop ends it as SIGTERM does.
func (w *world) start() (stop func()) {
	w.t.Helper()
	return w.startFor("")
}

// startFor starts a replica of a campaign's own lane.
func (w *world) startFor(uid string) (stop func()) {
	w.t.Helper()
	cfg := w.cfg
	cfg.Lane = uid
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		w.t.Fatal(err)
	}
	url := "http://" + listener.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	log := slog.New(slog.NewTextHandler(w.t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})).With("replica", len(w.urls))
	go func() { done <- wiring.Serve(ctx, cfg, log, listener) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			w.t.Errorf("the service stopped: %v", err)
		}
	})
	w.t.Cleanup(stop)
	w.urls = append(w.urls, url)
	testkit.Eventually(w.t, patience, func() error {
		response, err := http.Get(url + "/readyz")
		if err != nil {
			return err
		}
		_ = response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("not ready: %d", response.StatusCode)
		}
		return nil
	})
	return stop
}

// opens wants a campaign of SKU "a" and gives it stock, as operator and
// brand-intake do, and waits until its status says that it sells.
func (w *world) opens(uid string, units, holdSeconds int64) {
	w.t.Helper()
	w.opensOn(&campaignv1.Lane{Topic: lane.SharedTopic, Partition: 2}, uid, units, holdSeconds)
}

func (w *world) opensOn(at *campaignv1.Lane, uid string, units, holdSeconds int64) {
	w.t.Helper()
	now := time.Now()
	w.put(&campaignv1.Desired{
		Uid: uid, Generation: 1, BrandId: "brand", HoldSeconds: holdSeconds, BuyerLimitUnits: 10,
		StartAt: timestamppb.New(now), EndAt: timestamppb.New(now.Add(time.Hour)), Lane: at,
		Items: []*campaignv1.Item{{Sku: "a", PriceFen: 100, SettlementFen: 70, Units: units}},
	})
	w.brandSays(&brandv1.StockAllocated{
		CampaignUid: uid, Generation: 1, BrandId: "brand", Lane: at, Add: []*brandv1.AllocatedUnits{{Sku: "a", Units: units}},
	})
	w.phase(uid, campaignv1.Status_PHASE_OPEN)
}

func (w *world) put(d *campaignv1.Desired) {
	w.t.Helper()
	if err := w.conn.Put(w.t.Context(), lane.CampaignTopic, d.GetUid(), d); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) brandSays(m proto.Message) {
	w.t.Helper()
	data, err := proto.Marshal(m)
	if err != nil {
		w.t.Fatal(err)
	}
	w.seq++
	event := eventkit.Event{
		ID: fmt.Sprintf("brand/0/%d/0", w.seq), Prev: w.last, Time: time.Now(),
		Type: string(m.ProtoReflect().Descriptor().FullName()), Data: data,
	}
	if err := w.conn.Publish(w.t.Context(), eventin.BrandEvents, 0, []eventkit.Event{event}); err != nil {
		w.t.Fatal(err)
	}
	w.last = event.ID
}

// phase waits until the campaign's published status has the phase, and returns it.
func (w *world) phase(uid string, want campaignv1.Status_Phase) *campaignv1.Status {
	w.t.Helper()
	newest := &campaignv1.Status{}
	testkit.Eventually(w.t, patience, func() error {
		ctx, cancel := context.WithCancel(w.t.Context())
		defer cancel()
		_ = w.conn.Table(ctx, "campaign-status.v1", func(key string, value []byte) error {
			if key == uid {
				return proto.Unmarshal(value, newest)
			}
			return nil
		}, cancel)
		if newest.GetPhase() != want {
			return fmt.Errorf("the campaign is in phase %s", newest.GetPhase())
		}
		return nil
	})
	return newest
}

// answer is what the service said.
type answer struct {
	status int
	body   map[string]any
}

func (a answer) text(name string) string { s, _ := a.body[name].(string); return s }

// want fails unless the status is this one and, in a problem, so is the code.
func (a answer) want(t *testing.T, status int, code string) answer {
	t.Helper()
	if a.status != status || a.text("code") != code {
		t.Fatalf("got %d %v, want %d %s", a.status, a.body, status, code)
	}
	return a
}

// call sends a request of a buyer to a replica; an empty key is no header.
func (w *world) call(replica int, buyer, method, path, key string, body any) answer {
	w.t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		w.t.Fatal(err)
	}
	if body == nil {
		raw = nil
	}
	request, err := http.NewRequestWithContext(w.t.Context(), method, w.urls[replica]+path, bytes.NewReader(raw))
	if err != nil {
		w.t.Fatal(err)
	}
	if raw != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if key != "" {
		request.Header.Set("Idempotency-Key", key)
	}
	if buyer != "" {
		token, err := auth.Sign(w.buyers, auth.Claims{Subject: buyer, Audience: auth.Buyer}, time.Hour, time.Now())
		if err != nil {
			w.t.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	a := answer{status: response.StatusCode, body: map[string]any{}}
	if err := json.NewDecoder(response.Body).Decode(&a.body); err != nil {
		w.t.Fatalf("%s %s answers %d without JSON: %v", method, path, a.status, err)
	}
	return a
}

// place asks for units of "a" under a key of its own.
func (w *world) place(replica int, buyer, uid string, units int64) answer {
	w.t.Helper()
	return w.call(replica, buyer, http.MethodPost, ordersOf(uid), w.key(), order(units))
}

func ordersOf(uid string) string { return "/v1/campaigns/" + uid + "/orders" }

func order(units int64) map[string]any {
	return map[string]any{"addressId": addressID, "lines": []map[string]any{{"sku": "a", "units": units}}}
}

// key is an Idempotency-Key that was not used before.
func (w *world) key() string {
	w.keys++
	return fmt.Sprintf("test-key-%04d", w.keys)
}

// providerConfig is a client of WeChat Pay with keys that nobody else has.
func providerConfig(t *testing.T) wechatpay.Config {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	private, errPrivate := x509.MarshalPKCS8PrivateKey(key)
	public, errPublic := x509.MarshalPKIXPublicKey(key.Public())
	if err := errors.Join(errPrivate, errPublic); err != nil {
		t.Fatal(err)
	}
	return wechatpay.Config{
		MchID: "1900000109", AppID: "wx0000000000000001", CertSerial: "5157F09EFDC096DE15EBE81A47057A7232F1B8E1",
		PrivateKeyFile:        file(t, "key.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})),
		APIV3KeyFile:          file(t, "apiv3", bytes.Repeat([]byte("a"), 32)),
		PlatformPublicKeyFile: file(t, "pub.pem", pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})),
		PlatformPublicKeyID:   "PUB_KEY_ID_0119000001", NotifyURL: "https://shop.example/v1/wechatpay/notices",
	}
}

func keyFile(t *testing.T, fill byte) string {
	t.Helper()
	return file(t, "keys", []byte("k1:"+base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{fill}, 32))+"\n"))
}

func file(t *testing.T, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
