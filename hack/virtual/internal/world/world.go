// Package world is the order service in virtual time (testing/synctest): its replicas as main starts
// them, but for the listener, over a broker and a database in memory. The operator and the brands'
// stock pool are played by the test. Everything ends with the test: a goroutine that is left behind
// fails it, because the bubble of virtual time then never ends.
package world

import (
	"bytes"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/qingcang/qingcang/proto/eventkit"
	brandv1 "github.com/qingcang/qingcang/proto/gen/brand/v1"
	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
	"github.com/qingcang/qingcang/services/internal/auth"
	"github.com/qingcang/qingcang/services/internal/testkit"
	"github.com/qingcang/qingcang/services/internal/wechatpay"
	"github.com/qingcang/qingcang/services/order/internal/eventin"
	"github.com/qingcang/qingcang/services/order/internal/lane"
	"github.com/qingcang/qingcang/services/order/virtual/internal/network"
)

const (
	// Patience bounds every wait, in virtual time.
	Patience = 2 * time.Minute
	// Partition is the lane of all campaigns here.
	Partition = 2

	// leftOver is how long a goroutine may outlive its replica: a join of the consumer group that a
	// replica did not wait for ends with its connection, and its retry with a timer.
	leftOver = 30 * time.Second

	brokerPort = 9092
	// An answer of the broker takes between these two.
	minLatency, maxLatency = 500 * time.Microsecond, 3 * time.Millisecond
)

// World is a broker, a database, a provider of payments, and replicas.
type World struct {
	testing.TB
	// Rand is for the test's own goroutine.
	Rand     *rand.Rand
	Network  *network.Network
	Broker   *kfake.Cluster
	Database *Database
	Provider *Provider
	Logs     *Logs
	// Conn is the test's own way to the broker; no fault of the network meets it.
	Conn *eventkit.Conn

	conns          []*eventkit.Conn // of the replicas
	buyers, shares *auth.Keys
	started        int
	keys           int
	// last is the id of the newest event of the stock pool, of which there are said.
	last string
	said int

	lags struct { // how long answers take
		sync.Mutex
		*rand.Rand
	}
}

// New makes a world without replicas. It must be called in a bubble of testing/synctest.
func New(t testing.TB, seed *rand.Rand) *World {
	t.Helper()
	w := &World{
		TB: t, Rand: seed, Network: &network.Network{}, Database: newDatabase(), Logs: NewLogs(),
		Provider: &Provider{trades: map[string]wechatpay.Trade{}, refunds: map[string]wechatpay.RefundStatus{}},
	}
	w.lags.Rand = rand.New(rand.NewPCG(seed.Uint64(), 0))
	t.Cleanup(w.end)
	broker, err := kfake.NewCluster(kfake.Ports(brokerPort), kfake.ListenFn(w.Network.Listen))
	w.must(err)
	t.Cleanup(broker.Close)
	t.Cleanup(w.Network.Close)
	w.Broker = broker
	w.Conn, err = eventkit.Dial(eventkit.Config{Brokers: broker.ListenAddrs(), Dial: w.Network.SureHost().Dial})
	w.must(err)
	t.Cleanup(w.Conn.Close)
	w.must(w.Conn.Ensure(t.Context(), eventkit.Topics()...))
	w.buyers, err = auth.NewKeys(map[string][]byte{"k1": bytes.Repeat([]byte{'b'}, 32)}, "k1")
	w.must(err)
	w.shares, err = auth.NewKeys(map[string][]byte{"k1": bytes.Repeat([]byte{'s'}, 32)}, "k1")
	w.must(err)
	return w
}

// end fails the test if anything goes on behind it. What a replica that died was asking the broker has
// opened new connections since: they are given back once more.
func (w *World) end() {
	time.Sleep(leftOver)
	for _, conn := range w.conns {
		conn.Close()
	}
	time.Sleep(leftOver)
	synctest.Wait()
	for _, stack := range leftOvers() {
		w.Errorf("a goroutine is left behind: %s", stack)
	}
}

func (w *World) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// latency draws how long an answer takes.
func (w *World) latency() time.Duration {
	w.lags.Lock()
	defer w.lags.Unlock()
	return minLatency + time.Duration(w.lags.Int64N(int64(maxLatency-minLatency)))
}

// Eventually waits until the condition holds.
func (w *World) Eventually(condition func() error) {
	w.Helper()
	testkit.Eventually(w, Patience, condition)
}

// Together runs n calls in parallel and waits for them.
func (w *World) Together(n int, call func(i int)) {
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { call(i) })
	}
	all.Wait()
}

// Pass lets virtual time pass.
func (w *World) Pass(d time.Duration) { time.Sleep(d) }

// Key is an Idempotency-Key that was not used before.
func (w *World) Key() string {
	w.keys++
	return fmt.Sprintf("virtual-%06d", w.keys)
}

// Campaign is what the operator wants; Open and Want fill in the rest.
type Campaign = campaignv1.Desired

// Sale is a campaign that begins now and lasts a day, with units of each SKU at 1 yuan and holds of
// ten minutes.
func Sale(uid string, units int64, skus ...string) *Campaign {
	d := &Campaign{
		Uid: uid, Generation: 1, BrandId: "brand", HoldSeconds: 600,
		StartAt: timestamppb.New(time.Now()), EndAt: timestamppb.New(time.Now().Add(24 * time.Hour)),
		Lane: &campaignv1.Lane{Topic: lane.SharedTopic, Partition: Partition},
	}
	for _, sku := range skus {
		d.Items = append(d.Items, &campaignv1.Item{Sku: sku, PriceFen: 100, SettlementFen: 70, Units: units})
	}
	return d
}

// Want says what the operator wants and gives the campaign its stock, as the pool does.
func (w *World) Want(d *Campaign) {
	w.Helper()
	w.must(w.Conn.Put(w.Context(), lane.CampaignTopic, d.GetUid(), d))
	answer := &brandv1.StockAllocated{CampaignUid: d.GetUid(), Generation: d.GetGeneration(), BrandId: d.GetBrandId(), Lane: d.GetLane()}
	for _, item := range d.GetItems() {
		answer.Add = append(answer.Add, &brandv1.AllocatedUnits{Sku: item.GetSku(), Units: item.GetUnits()})
	}
	w.brandSays(answer)
}

// Open is Want, and waits until a replica says that the campaign sells.
func (w *World) Open(d *Campaign, at *Replica) {
	w.Helper()
	w.Want(d)
	w.Eventually(func() error { return at.InPhase(d.GetUid(), campaignv1.Status_PHASE_OPEN) })
}

func (w *World) brandSays(m proto.Message) {
	w.Helper()
	data, err := proto.Marshal(m)
	w.must(err)
	w.said++
	event := eventkit.Event{
		ID: fmt.Sprintf("brand/0/%d/0", w.said), Prev: w.last, Time: time.Now(),
		Type: string(m.ProtoReflect().Descriptor().FullName()), Data: data,
	}
	w.must(w.Conn.Publish(w.Context(), eventin.BrandEvents, 0, []eventkit.Event{event}))
	w.last = event.ID
}

// Phase waits until the campaign's published status has the phase, and returns it.
func (w *World) Phase(uid string, want campaignv1.Status_Phase) *campaignv1.Status {
	w.Helper()
	var newest *campaignv1.Status
	w.Eventually(func() error {
		newest = w.Status(uid)
		if newest.GetPhase() != want {
			return fmt.Errorf("the campaign is in phase %s", newest.GetPhase())
		}
		return nil
	})
	return newest
}

func ready(*http.Request) error { return nil }

// logger is a replica's.
func (w *World) logger(name string) *slog.Logger { return slog.New(w.Logs).With("replica", name) }
