package wiring_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"google.golang.org/protobuf/proto"

	"github.com/qingcang/qingcang/proto/eventkit"
	journalv1 "github.com/qingcang/qingcang/proto/gen/journal/v1"
	"github.com/qingcang/qingcang/services/internal/auth"
	"github.com/qingcang/qingcang/services/internal/journal"
	"github.com/qingcang/qingcang/services/internal/mongokit"
	"github.com/qingcang/qingcang/services/internal/rewrite"
	"github.com/qingcang/qingcang/services/internal/testkit"
	"github.com/qingcang/qingcang/services/store-owner/internal/wechatlogin"
	"github.com/qingcang/qingcang/services/store-owner/internal/wiring"
)

const (
	waitAtMost = 30 * time.Second
	fee        = 39_800
)

var client = &http.Client{Timeout: waitAtMost}

// world is the service as main starts it, on a database and topics of its own, with WeChat played.
type world struct {
	t      *testing.T
	cfg    wiring.Config
	db     *mongo.Database
	conn   *eventkit.Conn
	wechat *wechat
	logs   logs
	// replicas are the addresses of the service, stops end them.
	replicas []string
	stops    []func()

	mu   sync.Mutex
	keys int
}

// newWorld starts so many replicas, on all topics but those that are missing.
func newWorld(t *testing.T, replicas int, missing ...string) *world {
	t.Helper()
	w := &world{t: t, db: testkit.Mongo(t), wechat: startWeChat(t)}
	w.cfg = wiring.Config{
		BuyerTokenKeys: keyFile(t, 'b'), OwnerTokenKeys: keyFile(t, 'o'), ShareTokenKeys: keyFile(t, 's'), VaultKey: keyFile(t, 'v'),
		Mongo:   mongokit.Config{URI: os.Getenv("MONGODB_URI"), Database: w.db.Name()},
		Kafka:   eventkit.Config{Brokers: testkit.Brokers(t), TopicPrefix: testkit.Prefix(t)},
		Pay:     w.wechat.config(t),
		LogIn:   wechatlogin.Config{AppID: appID, SecretFile: file(t, "secret", "login-secret\n")},
		Outside: rewrite.Config{SimulatorAddr: w.wechat.url},
		Program: "standard",
	}
	conn, err := eventkit.Dial(w.cfg.Kafka)
	if err != nil {
		t.Fatal(err)
	}
	w.conn = conn
	t.Cleanup(conn.Close)
	var topics []eventkit.Topic
	for _, name := range []string{"campaigns.v1", "programs.v1", "order.events.v1", "owner.events.v1"} {
		if topic, _ := eventkit.TopicNamed(name); !slices.Contains(missing, name) {
			topics = append(topics, topic)
		}
	}
	if err := conn.Ensure(t.Context(), topics...); err != nil {
		t.Fatal(err)
	}
	for range replicas {
		w.start()
	}
	return w
}

func keyFile(t *testing.T, fill byte) string {
	t.Helper()
	return file(t, "keys", "k1:"+base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{fill}, 32))+"\n")
}

// start starts one replica, and waits until it is ready.
func (w *world) start() {
	w.t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		w.t.Fatal(err)
	}
	url := "http://" + listener.Addr().String()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	log := slog.New(slog.NewMultiHandler(
		slog.NewTextHandler(w.t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}),
		slog.NewTextHandler(&w.logs, &slog.HandlerOptions{Level: slog.LevelDebug}),
	))
	go func() { done <- wiring.Serve(ctx, w.cfg, listener, log) }()
	once := sync.OnceFunc(func() {
		stop()
		if err := <-done; err != nil {
			w.t.Errorf("the service stopped: %v", err)
		}
	})
	w.t.Cleanup(once)
	w.stops = append(w.stops, once)
	w.replicas = append(w.replicas, url)
	testkit.Eventually(w.t, waitAtMost, func() error {
		request, err := http.NewRequest(http.MethodGet, url+"/readyz", http.NoBody)
		if err != nil {
			return err
		}
		response, err := client.Do(request)
		if err != nil {
			return err
		}
		defer func() { _ = response.Body.Close() }()
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("not ready: %d", response.StatusCode)
		}
		return nil
	})
}

// stop ends one replica as SIGTERM would.
func (w *world) stop(replica int) { w.stops[replica]() }

// key is an Idempotency-Key that was not used before.
func (w *world) key() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.keys++
	return fmt.Sprintf("test-key-%04d", w.keys)
}

// answer is what the service said.
type answer struct {
	status int
	body   map[string]any
}

func (a answer) str(name string) string { s, _ := a.body[name].(string); return s }

// fen fails the test when the amount is not there: absent is not nothing.
func (a answer) fen(t *testing.T, name string) int64 {
	t.Helper()
	n, ok := a.body[name].(float64) // how encoding/json reads a number
	if !ok {
		t.Fatalf("no amount %q in %v", name, a.body)
	}
	return int64(n)
}

// want fails unless the status is this one and, in a problem, so is the code.
func (a answer) want(t *testing.T, status int, code string) answer {
	t.Helper()
	if a.status != status || a.str("code") != code {
		t.Fatalf("got %d %v, want %d %s", a.status, a.body, status, code)
	}
	return a
}

// call asks the first replica.
func (w *world) call(method, path, token, key, body string) answer {
	w.t.Helper()
	return w.callAt(w.replicas[0], method, path, token, key, body)
}

func (w *world) callAt(replica, method, path, token, key, body string) answer {
	w.t.Helper()
	r, err := http.NewRequest(method, replica+path, strings.NewReader(body))
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
	return w.send(r)
}

func (w *world) tell(replica string, n notice) answer {
	w.t.Helper()
	r, err := n.request(replica + "/v1/wechatpay/notices")
	if err != nil {
		w.t.Fatal(err)
	}
	return w.send(r)
}

func (w *world) send(r *http.Request) answer {
	w.t.Helper()
	response, err := client.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	kept(w.t, r, response, data)
	a := answer{status: response.StatusCode}
	if len(data) > 0 {
		if err := json.Unmarshal(data, &a.body); err != nil {
			w.t.Fatalf("%s: %v", data, err)
		}
	}
	return a
}

// logIn returns the session of a WeChat user.
func (w *world) logIn(user string) answer {
	w.t.Helper()
	return w.call("POST", "/v1/sessions", "", "", `{"code":"code-`+user+`"}`).want(w.t, 200, "")
}

// owner returns the tokens of a user who paid the fee.
func (w *world) owner(user string) (personID, buyerToken, ownerToken string) {
	w.t.Helper()
	buyer := w.logIn(user).str("buyerToken")
	id := w.call("POST", "/v1/memberships", buyer, w.key(), "").want(w.t, 201, "").str("membershipId")
	w.tell(w.replicas[0], w.wechat.notice(w.wechat.pay(id, "tx-"+id, fee))).want(w.t, 204, "")
	session := w.logIn(user)
	return session.str("personId"), buyer, session.str("ownerToken")
}

// facts are all that the journal holds, by type.
func (w *world) facts() map[string][]*journalv1.Event {
	w.t.Helper()
	out := map[string][]*journalv1.Event{}
	store := journal.NewMongoStore(w.db, wiring.Collection)
	for shard := range journal.Shards {
		err := store.Range(w.t.Context(), shard, 1, func(_ uint64, b *journalv1.Batch) error {
			for _, e := range b.GetEvents() {
				out[e.GetType()] = append(out[e.GetType()], e)
			}
			return nil
		})
		if err != nil {
			w.t.Fatal(err)
		}
	}
	return out
}

// count is the number of facts in the journal.
func (w *world) count() int {
	n := 0
	for _, events := range w.facts() {
		n += len(events)
	}
	return n
}

// published reads the service's topic as it stands.
func (w *world) published() []eventkit.Event {
	w.t.Helper()
	var out []eventkit.Event
	for partition := range journal.Shards {
		end, err := w.conn.EndOffset(w.t.Context(), "owner.events.v1", partition)
		if err != nil {
			w.t.Fatal(err)
		}
		for next := int64(0); next < end; {
			records, err := w.conn.Fetch(w.t.Context(), "owner.events.v1", partition, next)
			if err != nil {
				w.t.Fatal(err)
			}
			for _, r := range records {
				out, next = append(out, r.Event), r.Offset+1
			}
		}
	}
	return out
}

// orderEvents publishes events of the order service in one partition, as its relay would. The
// positions go on from where the last call ended.
type orderEvents struct {
	w *world
	// partition is 3 unless it is set.
	partition int
	seq       uint64
	prev      string
}

func (o *orderEvents) at() int {
	if o.partition == 0 {
		return 3
	}
	return o.partition
}

func (o *orderEvents) publish(messages ...proto.Message) {
	o.w.t.Helper()
	var events []eventkit.Event
	for _, m := range messages {
		o.seq++
		data, err := proto.Marshal(m)
		if err != nil {
			o.w.t.Fatal(err)
		}
		e := eventkit.Event{
			ID: eventkit.Position{Source: fmt.Sprintf("order/%d", o.at()), Seq: o.seq}.String(), Prev: o.prev,
			Type: string(m.ProtoReflect().Descriptor().FullName()), Time: time.Now(), Data: data,
		}
		events, o.prev = append(events, e), e.ID
	}
	o.send(events)
}

func (o *orderEvents) send(events []eventkit.Event) {
	o.w.t.Helper()
	if err := o.w.conn.Publish(o.w.t.Context(), "order.events.v1", o.at(), events); err != nil {
		o.w.t.Fatal(err)
	}
}

func (w *world) authKeys(path string) *auth.Keys {
	w.t.Helper()
	keys, err := auth.LoadKeys(path)
	if err != nil {
		w.t.Fatal(err)
	}
	return keys
}

// logs keep every line that the service wrote.
type logs struct {
	mu    sync.Mutex
	lines bytes.Buffer
}

func (l *logs) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lines.Write(line)
}

func (l *logs) contain(what string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return bytes.Contains(l.lines.Bytes(), []byte(what))
}

// everything is all that the database holds, the vault's ciphertext included.
func (w *world) everything() []byte {
	w.t.Helper()
	names, err := w.db.ListCollectionNames(w.t.Context(), bson.D{})
	if err != nil {
		w.t.Fatal(err)
	}
	var out []byte
	for _, name := range names {
		cursor, err := w.db.Collection(name).Find(w.t.Context(), bson.D{})
		if err != nil {
			w.t.Fatal(err)
		}
		for cursor.Next(w.t.Context()) {
			out = append(out, cursor.Current...)
		}
		_ = cursor.Close(w.t.Context())
	}
	return out
}
