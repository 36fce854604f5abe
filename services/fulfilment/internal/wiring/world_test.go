package wiring_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"google.golang.org/protobuf/proto"

	"github.com/qingcang/qingcang/proto/eventkit"
	brandv1 "github.com/qingcang/qingcang/proto/gen/brand/v1"
	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
	orderv1 "github.com/qingcang/qingcang/proto/gen/order/v1"
	"github.com/qingcang/qingcang/services/fulfilment/internal/shipping"
	"github.com/qingcang/qingcang/services/fulfilment/internal/wiring"
	"github.com/qingcang/qingcang/services/internal/auth"
	"github.com/qingcang/qingcang/services/internal/ids"
	"github.com/qingcang/qingcang/services/internal/journal"
	"github.com/qingcang/qingcang/services/internal/mongokit"
	"github.com/qingcang/qingcang/services/internal/testkit"
)

const waitAtMost = 30 * time.Second

// world is the service as main starts it, on a database and topics of its own. Brand-intake and the
// order service are played: their events come as their relays publish them.
type world struct {
	t      *testing.T
	cfg    wiring.Config
	db     *mongo.Database
	conn   *eventkit.Conn
	issuer *testkit.Issuer
	url    string
	log    *written
	// seqs are the positions of the last published events, by source.
	seqs map[string]uint64
	keys int
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, db: testkit.Mongo(t), issuer: testkit.StartIssuer(t), log: &written{}, seqs: map[string]uint64{}}
	w.cfg = wiring.Config{
		BuyerTokenKeys: keyFile(t, 'b'), VaultKey: keyFile(t, 'v'), OIDCIssuer: w.issuer.URL, OIDCAudience: testkit.Audience,
		Mongo: mongokit.Config{URI: os.Getenv("MONGODB_URI"), Database: w.db.Name()},
		Kafka: eventkit.Config{Brokers: testkit.Brokers(t), TopicPrefix: testkit.Prefix(t)},
	}
	conn, err := eventkit.Dial(w.cfg.Kafka)
	if err != nil {
		t.Fatal(err)
	}
	w.conn = conn
	t.Cleanup(conn.Close)
	for _, name := range []string{"brand.events.v1", "order.events.v1", "fulfilment.events.v1"} {
		topic, _ := eventkit.TopicNamed(name)
		if err := conn.Ensure(t.Context(), topic); err != nil {
			t.Fatal(err)
		}
	}
	w.start()
	return w
}

func keyFile(t *testing.T, fill byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "keys")
	secret := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{fill}, 32))
	if err := os.WriteFile(path, []byte("k1:"+secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func (w *world) start() {
	w.t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		w.t.Fatal(err)
	}
	w.url = "http://" + listener.Addr().String()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	log := slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	go func() { done <- wiring.Serve(ctx, w.cfg, listener, log) }()
	w.t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			w.t.Errorf("the service stopped: %v", err)
		}
		if w.t.Failed() {
			w.t.Logf("it wrote:\n%s", w.log.bytes())
		}
	})
	testkit.Eventually(w.t, waitAtMost, func() error {
		if a := w.call("GET", "/readyz", "", "", ""); a.status != http.StatusOK {
			return fmt.Errorf("not ready: %d", a.status)
		}
		return nil
	})
}

// written is a log for concurrent use.
type written struct {
	mu   sync.Mutex
	kept bytes.Buffer
}

func (l *written) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.kept.Write(p)
}

func (l *written) bytes() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return bytes.Clone(l.kept.Bytes())
}

// publish publishes an event as the relay of a journal does: shard n into partition n, each event
// naming the one before.
func (w *world) publish(topic, name, key string, m proto.Message) eventkit.Event {
	w.t.Helper()
	shard := ids.Shard(key, journal.Shards)
	source := fmt.Sprintf("%s/%d", name, shard)
	e := eventkit.Event{Type: string(m.ProtoReflect().Descriptor().FullName()), Subject: key, Time: time.Now()}
	if before := w.seqs[source]; before > 0 {
		e.Prev = eventkit.Position{Source: source, Seq: before}.String()
	}
	w.seqs[source]++
	e.ID = eventkit.Position{Source: source, Seq: w.seqs[source]}.String()
	data, err := proto.Marshal(m)
	if err != nil {
		w.t.Fatal(err)
	}
	e.Data = data
	w.repeat(topic, shard, e)
	return e
}

func (w *world) repeat(topic string, partition int, e eventkit.Event) {
	w.t.Helper()
	if err := w.conn.Publish(w.t.Context(), topic, partition, []eventkit.Event{e}); err != nil {
		w.t.Fatal(err)
	}
}

// brand is a brand with an API key.
type brand struct {
	id, keyID, key string
	issued         eventkit.Event
}

func (w *world) brand(name string) brand {
	w.t.Helper()
	b := brand{id: ids.Derive("brand", w.t.Name(), name), keyID: ids.Derive("key", w.t.Name(), name)}
	b.issued = w.publish("brand.events.v1", "brand", b.id, issued(&b))
	list := "/v1/brands/" + b.id + "/shipping-orders"
	testkit.Eventually(w.t, waitAtMost, func() error {
		if a := w.call("GET", list, b.key, "", ""); a.status != http.StatusOK {
			return fmt.Errorf("the key is not known yet: %d", a.status)
		}
		return nil
	})
	return b
}

// issued gives a brand the key of its key id.
func issued(b *brand) *brandv1.BrandKeyIssued {
	b.key = "qck_" + b.keyID + ".secret"
	sum := sha256.Sum256([]byte(b.key))
	return &brandv1.BrandKeyIssued{BrandId: b.id, KeyId: b.keyID, KeySha256: sum[:]}
}

// buyer is a buyer with a token and an address in the vault.
type buyer struct{ id, token, addressID string }

const address = `{"name":"王芳","phone":"13900000001","province":"浙江省","city":"杭州市","district":"西湖区","street":"文三路 1 号"}`

func (w *world) buyer(name string) buyer {
	w.t.Helper()
	keys, err := auth.LoadKeys(w.cfg.BuyerTokenKeys)
	if err != nil {
		w.t.Fatal(err)
	}
	b := buyer{id: ids.Derive("per", w.t.Name(), name)}
	if b.token, err = auth.Sign(keys, auth.Claims{Subject: b.id, Audience: auth.Buyer}, time.Hour, time.Now()); err != nil {
		w.t.Fatal(err)
	}
	b.addressID = w.call("POST", "/v1/addresses", b.token, w.key(), address).want(w.t, http.StatusCreated, "").str("addressId")
	return b
}

// order is a paid order of two shirts and a pair of trousers that waits for the brand's warehouse.
type order struct{ id, shipping string }

func (w *world) order(name string, of brand, by buyer, window *campaignv1.ReturnWindow) order {
	w.t.Helper()
	o := order{id: ids.Derive("ord", w.t.Name(), name)}
	o.shipping = shipping.IDFor(o.id)
	w.publish("order.events.v1", "order", o.id, &orderv1.OrderPaid{
		OrderId: o.id, CampaignUid: "8c0c2f1e-7b7e-4a63-9f0e-0e6f2b8e2d11", BrandId: of.id, BuyerId: by.id, AddressId: by.addressID,
		Lines: []*orderv1.PaidLine{{Sku: "C1", Units: 2}, {Sku: "K1", Units: 1}}, ReturnWindow: window,
	})
	testkit.Eventually(w.t, waitAtMost, func() error {
		if a := w.call("GET", "/v1/orders/"+o.id+"/delivery", by.token, "", ""); a.str("state") != "waiting" {
			return fmt.Errorf("the order is not heard of yet: %d %v", a.status, a.body)
		}
		return nil
	})
	return o
}

func (w *world) picked(name string, of brand, by buyer) order {
	w.t.Helper()
	week := &campaignv1.ReturnWindow{Seconds: 7 * 24 * 3600, From: campaignv1.ReturnWindow_FROM_NEXT_MIDNIGHT}
	o := w.order(name, of, by, week)
	w.call("POST", "/v1/shipping-orders/"+o.shipping+"/picking", of.key, "", "").want(w.t, http.StatusOK, "")
	return o
}

const nothingThere = `"lines":[{"sku":"C1","num":2,"realnum":0,"lacknum":2},{"sku":"K1","num":1,"realnum":0,"lacknum":1}]}`

const sentWhole = `{"carrier":"SF","waybillNo":"SF1","lines":[{"sku":"C1","num":2,"realnum":2,"lacknum":0},{"sku":"K1","num":1,"realnum":1,"lacknum":0}]}`

func (w *world) signed(name string, of brand, by buyer) order {
	w.t.Helper()
	o := w.picked(name, of, by)
	w.call("POST", "/v1/shipping-orders/"+o.shipping+"/shipment", of.key, w.key(), sentWhole).want(w.t, http.StatusOK, "")
	w.call("POST", "/v1/shipping-orders/"+o.shipping+"/receipt", w.issuer.Token(w.t, "carrier"), "", "").want(w.t, http.StatusOK, "")
	return o
}

// key is an Idempotency-Key that was not used before.
func (w *world) key() string {
	w.keys++
	return fmt.Sprintf("test-key-%04d", w.keys)
}

// answer is what the service said.
type answer struct {
	status int
	body   map[string]any
}

func (a answer) str(name string) string { s, _ := a.body[name].(string); return s }

// want fails unless the status is this one and, in a problem, so is the code.
func (a answer) want(t *testing.T, status int, code string) answer {
	t.Helper()
	if a.status != status || a.str("code") != code {
		t.Fatalf("got %d %v, want %d %s", a.status, a.body, status, code)
	}
	return a
}

func (w *world) call(method, path, token, key, body string) answer {
	w.t.Helper()
	r, err := http.NewRequest(method, w.url+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	if key != "" {
		r.Header.Set("Idempotency-Key", key)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	a := answer{status: response.StatusCode}
	_ = json.Unmarshal(data, &a.body) // probes answer with text
	return a
}

// told are the published facts of one type, in the order of their shard.
func told[F proto.Message](w *world, orderID string) []F {
	w.t.Helper()
	var facts []F
	for _, r := range w.published(ids.Shard(orderID, journal.Shards)) {
		m, err := r.Event.Decode()
		if err != nil {
			w.t.Fatal(err)
		}
		if f, ok := m.(F); ok && r.Event.Subject == orderID {
			facts = append(facts, f)
		}
	}
	return facts
}

// eventuallyTold waits until a fact of the type was published, and returns all of them.
func eventuallyTold[F proto.Message](w *world, orderID string) (facts []F) {
	w.t.Helper()
	testkit.Eventually(w.t, waitAtMost, func() error {
		if facts = told[F](w, orderID); len(facts) == 0 {
			return fmt.Errorf("no %T was published", *new(F))
		}
		return nil
	})
	return facts
}

func (w *world) published(partition int) (records []eventkit.Record) {
	w.t.Helper()
	end, err := w.conn.EndOffset(w.t.Context(), "fulfilment.events.v1", partition)
	if err != nil {
		w.t.Fatal(err)
	}
	for next := int64(0); next < end; {
		some, err := w.conn.Fetch(w.t.Context(), "fulfilment.events.v1", partition, next)
		if err != nil {
			w.t.Fatal(err)
		}
		for _, r := range some {
			records, next = append(records, r), r.Offset+1
		}
	}
	return records
}

// stored is all that the database holds, as bytes.
func (w *world) stored() (out []byte) {
	w.t.Helper()
	names, err := w.db.ListCollectionNames(w.t.Context(), bson.D{})
	if err != nil {
		w.t.Fatal(err)
	}
	for _, name := range names {
		cursor, err := w.db.Collection(name).Find(w.t.Context(), bson.D{})
		if err != nil {
			w.t.Fatal(err)
		}
		for cursor.Next(w.t.Context()) {
			out = append(out, cursor.Current...)
		}
		if err := cursor.Err(); err != nil {
			w.t.Fatal(err)
		}
		_ = cursor.Close(w.t.Context())
	}
	return out
}
