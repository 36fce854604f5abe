package journal_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/qingcang/qingcang/proto/eventkit"
	brandv1 "github.com/qingcang/qingcang/proto/gen/brand/v1"
	journalv1 "github.com/qingcang/qingcang/proto/gen/journal/v1"
	"github.com/qingcang/qingcang/services/internal/fault"
	"github.com/qingcang/qingcang/services/internal/journal"
	"github.com/qingcang/qingcang/services/internal/testkit"
)

// The machine of these tests sells a stock per key: a StockReleased fact is one unit sold.
type shelf struct {
	Sold map[string]int
	Log  []string
}

type shelves struct{}

func (shelves) New() *shelf { return &shelf{Sold: map[string]int{}} }

func (shelves) Apply(s *shelf, f journal.Fact, _ journal.Meta) {
	sold := f.(*brandv1.StockReleased) //nolint:forcetypeassert // the only fact here
	s.Sold[sold.GetBrandId()]++
	s.Log = append(s.Log, sold.GetCause())
}

func (shelves) Encode(s *shelf) ([]byte, error) { return json.Marshal(s) }

func (shelves) Decode(data []byte) (*shelf, error) {
	s := &shelf{}
	return s, json.Unmarshal(data, s)
}

var errSoldOut = fault.New(fault.Conflict, "sold_out", "nothing is left")

func sell(key, cause string, stock int) journal.Command[*shelf] {
	return journal.Command[*shelf]{Key: key, Decide: func(s *shelf, _ time.Time) ([]journal.Fact, error) {
		if s.Sold[key] >= stock {
			return nil, errSoldOut
		}
		return []journal.Fact{&brandv1.StockReleased{BrandId: key, Cause: cause}}, nil
	}}
}

func brandOf(f journal.Fact) string {
	return f.(*brandv1.StockReleased).GetBrandId() //nolint:forcetypeassert // the only fact here
}

func cancelled(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

func open(t *testing.T, store journal.Store, every int) *journal.Journal[*shelf] {
	t.Helper()
	j, err := journal.Open(t.Context(), journal.Config{
		Name: "shelf", Store: store, SnapshotEvery: every, Log: slog.New(slog.DiscardHandler),
		Subject: brandOf,
	}, shelves{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := j.Run(ctx); err != nil {
			t.Error(err)
		}
	}()
	t.Cleanup(func() { cancel(); <-done })
	return j
}

func soldOf(t *testing.T, j *journal.Journal[*shelf], key string) (n int) {
	t.Helper()
	if err := j.View(t.Context(), key, func(s *shelf) { n = s.Sold[key] }); err != nil {
		t.Fatal(err)
	}
	return n
}

// unreliable loses replies: what it was asked to insert may be there although it says it failed.
type unreliable struct {
	journal.Store
	calls atomic.Int64
}

func (u *unreliable) Insert(ctx context.Context, shard int, seq uint64, b *journalv1.Batch) error {
	err := u.Store.Insert(ctx, shard, seq, b)
	if n := u.calls.Add(1); n%5 == 0 {
		return errors.New("the reply was lost")
	} else if n%7 == 0 {
		return context.DeadlineExceeded
	}
	return err
}

func TestReplicas(t *testing.T) {
	stores := map[string]func(*testing.T) journal.Store{
		"in memory":                   func(*testing.T) journal.Store { return journal.NewMemoryStore() },
		"in memory, every fifth lost": func(*testing.T) journal.Store { return &unreliable{Store: journal.NewMemoryStore()} },
		"in MongoDB":                  func(t *testing.T) journal.Store { return journal.NewMongoStore(testkit.Mongo(t), "shelf") },
		"in MongoDB, every fifth lost": func(t *testing.T) journal.Store {
			return &unreliable{Store: journal.NewMongoStore(testkit.Mongo(t), "shelf")}
		},
	}
	for name, store := range stores {
		t.Run("two replicas sell exactly the stock, "+name, func(t *testing.T) {
			testTwoReplicas(t, store(t))
		})
	}
}

func testTwoReplicas(t *testing.T, store journal.Store) {
	const stock, buyers = 100, 400
	replicas := []*journal.Journal[*shelf]{open(t, store, 0), open(t, store, 0)}
	var wg sync.WaitGroup
	var sold, refused atomic.Int64
	for n := range buyers {
		wg.Go(func() {
			err := replicas[n%2].Do(t.Context(), sell("hot", fmt.Sprintf("buyer-%d", n), stock))
			switch {
			case err == nil:
				sold.Add(1)
			case errors.Is(err, errSoldOut):
				refused.Add(1)
			default:
				t.Errorf("buyer %d: %v", n, err)
			}
		})
	}
	wg.Wait()
	if sold.Load() != stock || refused.Load() != buyers-stock {
		t.Errorf("sold %d, refused %d; want %d and %d", sold.Load(), refused.Load(), stock, buyers-stock)
	}
	for n, replica := range replicas {
		if got := soldOf(t, replica, "hot"); got != stock {
			t.Errorf("replica %d sees %d sold, want %d", n, got, stock)
		}
	}
	if got := soldOf(t, open(t, store, 0), "hot"); got != stock {
		t.Errorf("a replica that starts now sees %d sold, want %d", got, stock)
	}
}

func TestSnapshots(t *testing.T) {
	for name, store := range map[string]journal.Store{
		"in memory":  journal.NewMemoryStore(),
		"in MongoDB": journal.NewMongoStore(testkit.Mongo(t), "shelf"),
	} {
		t.Run("a start from a snapshot sees what a start from nothing sees, "+name, func(t *testing.T) {
			j := open(t, store, 10)
			for n := range 55 {
				if err := j.Do(t.Context(), sell("key", fmt.Sprint(n), 1000)); err != nil {
					t.Fatal(err)
				}
			}
			testkit.Eventually(t, 10*time.Second, func() error { return snapshotOf(t.Context(), store, "key") })
			if got := soldOf(t, open(t, store, 10), "key"); got != 55 {
				t.Errorf("sold %d after the start, want 55", got)
			}
		})
	}
}

// heard is one event of a source, applied as a sale under its id.
func heard(seq uint64, key string) journal.Command[*shelf] {
	c := sell(key, fmt.Sprint(seq), 1<<30)
	c.Route = "one shard"
	c.Heard = &eventkit.Position{Source: "src/0", Seq: seq}
	return c
}

func TestHeardEventsTakeEffectOnceAndInOrder(t *testing.T) {
	store := &unreliable{Store: journal.NewMemoryStore()}
	j := open(t, store, 0)
	random := rand.New(rand.NewPCG(1, 2))
	const events = 300
	for from := 1; from <= events; {
		// Every delivery begins a little before the last one ended, as after a restart.
		start := max(1, from-random.IntN(20))
		end := min(events, from+random.IntN(30))
		var batch []journal.Command[*shelf]
		for seq := start; seq <= end; seq++ {
			batch = append(batch, heard(uint64(seq), fmt.Sprint("key-", seq%3)))
		}
		if err := j.Hear(t.Context(), batch); err != nil {
			t.Fatal(err)
		}
		from = end + 1
	}
	if err := j.View(t.Context(), "one shard", func(s *shelf) {
		for i, cause := range s.Log {
			if cause != fmt.Sprint(i+1) {
				t.Fatalf("effect %d is of event %s", i+1, cause)
			}
		}
		if len(s.Log) != events {
			t.Errorf("%d effects, want %d", len(s.Log), events)
		}
	}); err != nil {
		t.Fatal(err)
	}
}

func TestAnEventThatFailsHoldsUpItsSourceUntilItIsTakenIn(t *testing.T) {
	j := open(t, journal.NewMemoryStore(), 0)
	broken := heard(2, "b")
	broken.Decide = func(*shelf, time.Time) ([]journal.Fact, error) { return nil, errSoldOut }
	// The third event has another key, so that it is decided in the same round as the second.
	if err := j.Hear(t.Context(), []journal.Command[*shelf]{heard(1, "a"), broken, heard(3, "c"), heard(4, "a")}); err == nil {
		t.Fatal("a failed event was passed over")
	}
	if err := j.Hear(t.Context(), []journal.Command[*shelf]{heard(1, "a"), heard(2, "b"), heard(3, "c"), heard(4, "a")}); err != nil {
		t.Fatal(err)
	}
	if err := j.View(t.Context(), "one shard", func(s *shelf) {
		if got := fmt.Sprint(s.Log); got != "[1 2 3 4]" {
			t.Errorf("effects %s, want [1 2 3 4]", got)
		}
	}); err != nil {
		t.Fatal(err)
	}
}

// shelfTopic is where a journal of these tests is published.
func shelfTopic(t *testing.T) (conn *eventkit.Conn, name string) {
	t.Helper()
	topic := eventkit.Topic{Name: "shelf.v1", Partitions: journal.Shards, Cleanup: "delete", RetentionMs: -1, MaxMessageBytes: 1 << 20}
	conn, err := eventkit.Dial(eventkit.Config{Brokers: testkit.Brokers(t), TopicPrefix: testkit.Prefix(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	if err := conn.Ensure(t.Context(), topic); err != nil {
		t.Fatal(err)
	}
	return conn, topic.Name
}

func TestRelayPublishesEveryFactOnceInOrder(t *testing.T) {
	conn, topic := shelfTopic(t)
	j := open(t, journal.NewMemoryStore(), 0)
	const facts = 60
	shard := journal.ShardOf("key")
	// Two relays, each of which believes that the partition is its own, are stopped and started over
	// and over while facts are written.
	ctx, cancel := context.WithCancel(t.Context())
	var relays sync.WaitGroup
	for range 2 {
		relays.Go(func() {
			for ctx.Err() == nil {
				short, stop := context.WithTimeout(ctx, 150*time.Millisecond)
				_ = j.Relay(conn, topic).Own(short, eventkit.Assignment{Topic: topic, Partition: shard})
				stop()
			}
		})
	}
	for n := range facts {
		if err := j.Do(t.Context(), sell("key", fmt.Sprint(n), 1000)); err != nil {
			t.Fatal(err)
		}
	}
	seen := 0
	group, stopGroup := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- conn.Consume(group, eventkit.Group{ID: "reader", Log: slog.New(slog.DiscardHandler), Topics: map[string]eventkit.Role{
			topic: {Handle: func(_ context.Context, records []eventkit.Record) error {
				for _, r := range records {
					m, err := r.Event.Decode()
					if err != nil {
						return err
					}
					if got := m.(*brandv1.StockReleased).GetCause(); got != fmt.Sprint(seen) { //nolint:forcetypeassert // the only fact here
						t.Errorf("event %d is %s", seen, got)
					}
					if seen++; seen == facts {
						stopGroup()
					}
				}
				return nil
			}},
		}})
	}()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(60 * time.Second):
		t.Error("the reader did not see all facts in a minute")
	}
	stopGroup()
	cancel()
	relays.Wait()
	if seen != facts {
		t.Errorf("%d events, want %d", seen, facts)
	}
}

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		goleak.IgnoreTopFunction("github.com/segmentio/kafka-go.(*connPool).discover"),
		goleak.IgnoreAnyFunction("github.com/segmentio/kafka-go.(*conn).run"),
		goleak.IgnoreAnyFunction("internal/poll.runtime_pollWait"),
	)
}
