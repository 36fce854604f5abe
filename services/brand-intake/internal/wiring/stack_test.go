package wiring_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
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
	"github.com/qingcang/qingcang/services/brand-intake/internal/wiring"
	"github.com/qingcang/qingcang/services/internal/mongokit"
	"github.com/qingcang/qingcang/services/internal/testkit"
)

// patience bounds the wait for what happens behind a request.
const patience = 60 * time.Second

// stack is the service as main starts it, on a database and topics of its own.
type stack struct {
	t      *testing.T
	url    string
	db     *mongo.Database
	conn   *eventkit.Conn
	logs   *logBook
	issuer *testkit.Issuer
	// last has the newest event id that the test published, by source.
	last map[string]string
	// halt stops the service and waits for it.
	halt func()
	cfg  wiring.Config
}

// logBook keeps all that the service logs.
type logBook struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (l *logBook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.Write(p)
}

func (l *logBook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.String()
}

func newStack(t *testing.T) *stack {
	t.Helper()
	s := &stack{t: t, db: testkit.Mongo(t), logs: &logBook{}, issuer: testkit.StartIssuer(t), last: map[string]string{}}
	kafka := eventkit.Config{Brokers: testkit.Brokers(t), TopicPrefix: testkit.Prefix(t)}
	conn, err := eventkit.Dial(kafka)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	if err := conn.Ensure(t.Context(), eventkit.Topics()...); err != nil {
		t.Fatal(err)
	}
	s.conn = conn
	keys := filepath.Join(t.TempDir(), "vault.keys")
	if err := os.WriteFile(keys, []byte("k1:"+base64.StdEncoding.EncodeToString(make([]byte, 32))+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.cfg = wiring.Config{
		Mongo: mongokit.Config{URI: os.Getenv("MONGODB_URI"), Database: s.db.Name()}, Kafka: kafka,
		OIDCIssuer: s.issuer.URL, OIDCAudience: testkit.Audience, VaultKeyFile: keys,
	}
	s.start()
	return s
}

// start runs the service until halt or the end of the test.
func (s *stack) start() {
	s.t.Helper()
	var lc net.ListenConfig
	listener, err := lc.Listen(s.t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		s.t.Fatal(err)
	}
	s.url = "http://" + listener.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	log := slog.New(slog.NewJSONHandler(s.logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
	slog.SetDefault(log)
	go func() { done <- wiring.Serve(ctx, s.cfg, log, listener) }()
	var once sync.Once
	s.halt = func() {
		once.Do(func() {
			cancel()
			if err := <-done; err != nil {
				s.t.Errorf("the service stopped with %v", err)
			}
		})
	}
	s.t.Cleanup(s.halt)
}

// reply is an answer of the service.
type reply struct {
	t      *testing.T
	status int
	body   []byte
	header http.Header
}

// call sends a request. Headers come as name, value, name, value.
func (s *stack) call(method, path, token string, body io.Reader, headers ...string) reply {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, body)
	if err != nil {
		s.t.Fatal(err)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	for n := 0; n < len(headers); n += 2 {
		r.Header.Set(headers[n], headers[n+1])
	}
	response, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return reply{t: s.t, status: response.StatusCode, body: data, header: response.Header}
}

func (s *stack) get(path, token string) reply {
	s.t.Helper()
	return s.call(http.MethodGet, path, token, nil)
}

func (s *stack) post(path, token, body string, headers ...string) reply {
	s.t.Helper()
	if body == "" {
		return s.call(http.MethodPost, path, token, nil, headers...)
	}
	return s.call(http.MethodPost, path, token, strings.NewReader(body), append(headers, "Content-Type", "application/json")...)
}

// submit sends a stock file.
func (s *stack) submit(brandID, key, idempotencyKey string, file io.Reader, headers ...string) reply {
	s.t.Helper()
	headers = append(headers, "Content-Type", "text/csv", "Idempotency-Key", idempotencyKey)
	return s.call(http.MethodPost, "/v1/brands/"+brandID+"/submissions", key, file, headers...)
}

// wants fails the test unless the status is this one, and returns the body.
func (r reply) wants(status int) map[string]any {
	r.t.Helper()
	if r.status != status {
		r.t.Fatalf("got %d %s, want %d", r.status, r.body, status)
	}
	if len(r.body) == 0 {
		return nil
	}
	body := map[string]any{}
	if err := json.Unmarshal(r.body, &body); err != nil {
		r.t.Fatalf("%s: %v", r.body, err)
	}
	return body
}

// wantsCode is wants for a problem with a code.
func (r reply) wantsCode(status int, code string) map[string]any {
	r.t.Helper()
	body := r.wants(status)
	if body["code"] != code || !strings.HasPrefix(r.header.Get("Content-Type"), "application/problem+json") {
		r.t.Fatalf("got %s, want the problem %q", r.body, code)
	}
	return body
}

// text returns a field of an answer.
func text(t *testing.T, body map[string]any, field string) string {
	t.Helper()
	value, ok := body[field].(string)
	if !ok {
		t.Fatalf("no %s in %v", field, body)
	}
	return value
}

// brand applies, is approved and gets a key.
func (s *stack) brand(name string) (brandID, key string) {
	s.t.Helper()
	staff := s.issuer.Token(s.t, "operations")
	body := `{"name":"` + name + `","contact":{"name":"Li Na","phone":"+8613812345678","email":"lina@example.com"}}`
	brandID = text(s.t, s.post("/v1/brands", "", body, "Idempotency-Key", "apply-"+name).wants(http.StatusCreated), "brandId")
	s.post("/v1/brands/"+brandID+"/approval", staff, "").wants(http.StatusOK)
	issued := s.post("/v1/brands/"+brandID+"/keys", staff, "", "Idempotency-Key", "key-for-"+name).wants(http.StatusCreated)
	return brandID, text(s.t, issued, "key")
}

// say publishes an event of another service.
func (s *stack) say(topic string, partition int, id string, m proto.Message) {
	s.t.Helper()
	data, err := proto.Marshal(m)
	if err != nil {
		s.t.Fatal(err)
	}
	position, err := eventkit.ParsePosition(id)
	if err != nil {
		s.t.Fatal(err)
	}
	event := eventkit.Event{
		ID: id, Prev: s.last[position.Source], Type: string(m.ProtoReflect().Descriptor().FullName()),
		Subject: "subject", Time: time.Now(), Data: data,
	}
	s.last[position.Source] = id
	if err := s.conn.Publish(s.t.Context(), topic, partition, []eventkit.Event{event}); err != nil {
		s.t.Fatal(err)
	}
}

// told returns what the service has published so far, of all shards.
func (s *stack) told() (events []proto.Message) {
	s.t.Helper()
	for partition := range 8 {
		end, err := s.conn.EndOffset(s.t.Context(), "brand.events.v1", partition)
		if err != nil {
			s.t.Fatal(err)
		}
		for offset := int64(0); offset < end; {
			records, err := s.conn.Fetch(s.t.Context(), "brand.events.v1", partition, offset)
			if err != nil {
				s.t.Fatal(err)
			}
			for _, r := range records {
				m, err := r.Event.Decode()
				if err != nil {
					s.t.Fatal(err)
				}
				events = append(events, m)
				offset = r.Offset + 1
			}
		}
	}
	return events
}

// journal returns every byte of the service's own collections but the vault's.
func (s *stack) journal() string {
	s.t.Helper()
	var all bytes.Buffer
	names, err := s.db.ListCollectionNames(s.t.Context(), bson.D{})
	if err != nil {
		s.t.Fatal(err)
	}
	for _, name := range names {
		if strings.HasPrefix(name, "contacts_") {
			continue
		}
		cursor, err := s.db.Collection(name).Find(s.t.Context(), bson.D{})
		if err != nil {
			s.t.Fatal(err)
		}
		for cursor.Next(s.t.Context()) {
			all.Write(cursor.Current)
		}
		if err := cursor.Err(); err != nil {
			s.t.Fatal(err)
		}
	}
	return all.String()
}
