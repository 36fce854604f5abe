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
	"path/filepath"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/qingcang/qingcang/proto/eventkit"
	brandv1 "github.com/qingcang/qingcang/proto/gen/brand/v1"
	"github.com/qingcang/qingcang/services/catalog/internal/eventin"
	"github.com/qingcang/qingcang/services/catalog/internal/httpapi"
	"github.com/qingcang/qingcang/services/catalog/internal/wiring"
	"github.com/qingcang/qingcang/services/internal/auth"
	"github.com/qingcang/qingcang/services/internal/testkit"
)

const waitAtMost = 30 * time.Second

// world is the service as main starts it, on topics of its own.
type world struct {
	t      *testing.T
	cfg    wiring.Config
	conn   *eventkit.Conn
	issuer *testkit.Issuer
	url    string
	// published counts the brand events.
	published uint64
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, issuer: testkit.StartIssuer(t)}
	w.cfg = wiring.Config{
		ShareTokenKeys: filepath.Join(t.TempDir(), "share-keys"), OIDCIssuer: w.issuer.URL, OIDCAudience: testkit.Audience,
		Kafka: eventkit.Config{Brokers: testkit.Brokers(t), TopicPrefix: testkit.Prefix(t)},
	}
	secret := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{'s'}, 32))
	if err := os.WriteFile(w.cfg.ShareTokenKeys, []byte("k1:"+secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	conn, err := eventkit.Dial(w.cfg.Kafka)
	if err != nil {
		t.Fatal(err)
	}
	w.conn = conn
	t.Cleanup(conn.Close)
	for _, name := range []string{eventin.CampaignTopic, eventin.StatusTopic, eventin.BrandTopic} {
		topic, _ := eventkit.TopicNamed(name)
		if err := conn.Ensure(t.Context(), topic); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

// serve starts the service.
func (w *world) serve() {
	w.t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		w.t.Fatal(err)
	}
	w.url = "http://" + listener.Addr().String()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	log := slog.New(slog.NewTextHandler(w.t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	go func() { done <- wiring.Serve(ctx, w.cfg, listener, log) }()
	w.t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			w.t.Errorf("the service stopped: %v", err)
		}
	})
}

// start starts the service and waits until it is ready.
func (w *world) start() {
	w.t.Helper()
	w.serve()
	testkit.Eventually(w.t, waitAtMost, func() error {
		if status, body := w.ask("/readyz?verbose", ""); status != http.StatusOK {
			return fmt.Errorf("not ready: %d %s", status, body)
		}
		return nil
	})
}

// put writes the newest value of a campaign.
func (w *world) put(topic, uid string, value proto.Message) {
	w.t.Helper()
	if err := w.conn.Put(w.t.Context(), topic, uid, value); err != nil {
		w.t.Fatal(err)
	}
}

// approve publishes goods as brand-intake's relay does.
func (w *world) approve(goods ...*brandv1.Goods) {
	w.t.Helper()
	w.published++
	w.publish(w.published, &brandv1.GoodsApproved{BrandId: brandID, BrandName: "Nanshan", Goods: goods})
}

func (w *world) publish(seq uint64, m proto.Message) {
	w.t.Helper()
	data, err := proto.Marshal(m)
	if err != nil {
		w.t.Fatal(err)
	}
	id := func(seq uint64) string {
		if seq == 0 {
			return ""
		}
		return eventkit.Position{Source: "brand/3", Seq: seq}.String()
	}
	err = w.conn.Publish(w.t.Context(), eventin.BrandTopic, 3, []eventkit.Event{{
		ID: id(seq), Prev: id(seq - 1), Type: string(m.ProtoReflect().Descriptor().FullName()), Subject: brandID, Time: time.Now(), Data: data,
	}})
	if err != nil {
		w.t.Fatal(err)
	}
}

// share is an owner's link to a style.
func (w *world) share(campaignUID, styleNo string) string {
	w.t.Helper()
	keys, err := auth.LoadKeys(w.cfg.ShareTokenKeys)
	if err != nil {
		w.t.Fatal(err)
	}
	token, err := auth.EncodeShare(keys, auth.ShareToken{
		ShareID: "share_2x4y6z8a0b1c2d3e4f5g6h7j8k", Owner: "per_2x4y6z8a0b1c2d3e4f5g6h7j8k", Campaign: campaignUID, Style: styleNo,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return token
}

func (w *world) ask(path, token string) (status int, body []byte) {
	w.t.Helper()
	r, err := http.NewRequest(http.MethodGet, w.url+path, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err = io.ReadAll(response.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return response.StatusCode, body
}

// get reads a view, whose fields must all be in the contract.
func get[T any](w *world, path, token string) T {
	w.t.Helper()
	status, body := w.ask(path, token)
	var view T
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&view); status != http.StatusOK || err != nil {
		w.t.Fatalf("%s: %d %s, %v", path, status, body, err)
	}
	return view
}

// refused fails unless the path is answered with this status and code.
func (w *world) refused(path, token string, status int, code string) {
	w.t.Helper()
	got, body := w.ask(path, token)
	var problem httpapi.Problem
	if err := json.Unmarshal(body, &problem); err != nil || got != status || problem.Code != code {
		w.t.Errorf("%s: %d %s, %v; want %d %s", path, got, body, err, status, code)
	}
}
