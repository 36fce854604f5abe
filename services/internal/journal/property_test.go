package journal_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	journalv1 "github.com/qingcang/qingcang/proto/gen/journal/v1"
	"github.com/qingcang/qingcang/services/internal/fault"
	"github.com/qingcang/qingcang/services/internal/journal"
)

// What can happen to an insertion.
const (
	goesWell = iota
	replyLost
	refused
	landsLate // after the store has said that it failed
	faults
)

// faulty is a memory store whose insertions meet the faults of a script.
type faulty struct {
	*journal.MemoryStore
	mu     sync.Mutex
	script []int
	late   []func()
}

func (f *faulty) next() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, land := range f.late {
		land()
	}
	f.late = nil
	if len(f.script) == 0 {
		return goesWell
	}
	next := f.script[0]
	f.script = f.script[1:]
	return next
}

func (f *faulty) Insert(ctx context.Context, shard int, seq uint64, b *journalv1.Batch) error {
	switch f.next() {
	case replyLost:
		_ = f.MemoryStore.Insert(ctx, shard, seq, b)
		return errors.New("the reply was lost")
	case refused:
		return errors.New("no server")
	case landsLate:
		f.mu.Lock()
		defer f.mu.Unlock()
		f.late = append(f.late, func() { _ = f.MemoryStore.Insert(ctx, shard, seq, b) })
		return errors.New("no answer in time")
	}
	return f.MemoryStore.Insert(ctx, shard, seq, b)
}

// unsnapshotted is the journal alone, without its snapshots.
type unsnapshotted struct{ journal.Store }

func (unsnapshotted) LatestSnapshot(context.Context, int) (*journalv1.Snapshot, bool, error) {
	return nil, false, nil
}

// replica is a running journal that can be started again.
type replica struct {
	*journal.Journal[*shelf]
	stop func()
}

func startReplica(t *rapid.T, store journal.Store) *replica {
	j, err := journal.Open(context.Background(), journal.Config{
		Name: "shelf", Store: store, SnapshotEvery: 3, Subject: brandOf, Log: slog.New(slog.DiscardHandler),
	}, shelves{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = j.Run(ctx)
	}()
	return &replica{Journal: j, stop: func() { cancel(); <-done }}
}

// states is every shard as a replica sees it, encoded.
func states(t *rapid.T, j *journal.Journal[*shelf]) (out [journal.Shards][]byte) {
	j.Each(func(shard int, s *shelf) {
		data, err := shelves{}.Encode(s)
		if err != nil {
			t.Fatal(err)
		}
		out[shard] = data
	})
	return out
}

// once sells under a cause that takes effect once, as an idempotency key does.
func once(key, cause string) journal.Command[*shelf] {
	c := sell(key, cause, 1<<30)
	sale := c.Decide
	c.Decide = func(s *shelf, now time.Time) ([]journal.Fact, error) {
		for _, had := range s.Log {
			if had == cause {
				return nil, nil
			}
		}
		return sale(s, now)
	}
	return c
}

// noDeadline hides a method of T that must not be called where time is simulated.
type noDeadline struct{ rapid.TB }

func TestAnyHistoryOfTwoReplicasFoldsToTheSame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rapid.Check(noDeadline{t}, func(t *rapid.T) {
			store := &faulty{MemoryStore: journal.NewMemoryStore(), script: rapid.SliceOfN(rapid.IntRange(goesWell, faults-1), 0, 60).Draw(t, "faults")}
			replicas := []*replica{startReplica(t, store), startReplica(t, store)}
			rounds := rapid.IntRange(1, 8).Draw(t, "rounds")
			sales, events := 0, uint64(0)
			for range rounds {
				if which := rapid.IntRange(0, 5).Draw(t, "restart"); which < len(replicas) {
					replicas[which].stop()
					replicas[which] = startReplica(t, store)
				}
				var all sync.WaitGroup
				for range rapid.IntRange(1, 6).Draw(t, "sales") {
					sales++
					at, command := replicas[rapid.IntRange(0, 1).Draw(t, "at")], once(rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "key"), fmt.Sprint("sale-", sales))
					all.Go(func() { untilDone(t, func() error { return at.Do(context.Background(), command) }) })
				}
				var heardNow []journal.Command[*shelf]
				for range rapid.IntRange(0, 5).Draw(t, "events") {
					events++
					heardNow = append(heardNow, heard(events, rapid.SampledFrom([]string{"a", "b"}).Draw(t, "about")))
				}
				// Both replicas believe that the partition is theirs.
				for _, at := range replicas {
					all.Go(func() { untilDone(t, func() error { return at.Hear(context.Background(), heardNow) }) })
				}
				all.Wait()
			}
			for _, at := range replicas {
				untilDone(t, func() error { return look(at.Journal) })
			}
			first, second := states(t, replicas[0].Journal), states(t, replicas[1].Journal)
			replay, err := journal.Open(context.Background(), journal.Config{Name: "shelf", Store: unsnapshotted{store}, Subject: brandOf}, shelves{})
			if err != nil {
				t.Fatal(err)
			}
			for _, at := range replicas {
				at.stop()
			}
			for shard, want := range states(t, replay) {
				if !bytes.Equal(first[shard], want) || !bytes.Equal(second[shard], want) {
					t.Fatalf("shard %d is %s and %s in the replicas, %s in the journal", shard, first[shard], second[shard], want)
				}
			}
			checkEffects(t, replay, sales, events)
		})
	})
}

// checkEffects wants each sale once, and each event once and in order.
func checkEffects(t *rapid.T, j *journal.Journal[*shelf], sales int, events uint64) {
	seen := map[string]int{}
	var order []string
	j.Each(func(_ int, s *shelf) {
		for _, cause := range s.Log {
			if seen[cause]++; len(cause) > 0 && cause[0] != 's' {
				order = append(order, cause)
			}
		}
	})
	for n := range sales {
		if got := seen[fmt.Sprint("sale-", n+1)]; got != 1 {
			t.Fatalf("sale %d took effect %d times", n+1, got)
		}
	}
	if uint64(len(order)) != events {
		t.Fatalf("%d events took effect, want %d: %v", len(order), events, order)
	}
	for i, cause := range order {
		if cause != fmt.Sprint(i+1) {
			t.Fatalf("events took effect in the order %v", order)
		}
	}
}

// untilDone asks again while the outcome is unknown, as a caller with the same key does.
func untilDone(t *rapid.T, ask func() error) {
	for range 100 {
		err := ask()
		if err == nil {
			return
		}
		var f *fault.Error
		if !errors.As(err, &f) || f.Kind != fault.Unavailable {
			t.Errorf("got %v", err)
			return
		}
	}
	t.Errorf("no answer after many tries")
}

func look(j *journal.Journal[*shelf]) error { return j.Look(context.Background()) }
