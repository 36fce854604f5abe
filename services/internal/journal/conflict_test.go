package journal_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	journalv1 "github.com/qingcang/qingcang/proto/gen/journal/v1"
	"github.com/qingcang/qingcang/services/internal/journal"
)

// contested has another writer take every slot first, a bounded number of times.
type contested struct {
	journal.Store
	mu     sync.Mutex
	thefts int
}

func (c *contested) Insert(ctx context.Context, shard int, seq uint64, b *journalv1.Batch) error {
	c.mu.Lock()
	steal := c.thefts > 0
	c.thefts--
	c.mu.Unlock()
	if steal {
		if err := c.Store.Insert(ctx, shard, seq, &journalv1.Batch{BatchId: fmt.Sprint("thief-", seq)}); err != nil {
			return err
		}
	}
	return c.Store.Insert(ctx, shard, seq, b)
}

func TestHeardEventsKeepTheirOrderOverKeysWhereEverySlotIsContested(t *testing.T) {
	store := &contested{Store: journal.NewMemoryStore(), thefts: 200}
	replicas := []*journal.Journal[*shelf]{open(t, store, 7), open(t, store, 0)}
	const events, sellers = 240, 4
	var all sync.WaitGroup
	for n, replica := range replicas { // both hear all: one of them is not told yet that it lost the partition
		all.Go(func() {
			for from := 1; from <= events; from += 40 {
				var batch []journal.Command[*shelf]
				for seq := from; seq < from+40; seq++ {
					batch = append(batch, heard(uint64(seq), fmt.Sprint("key-", seq%(3+n))))
				}
				if err := replica.Hear(t.Context(), batch); err != nil {
					t.Error(err)
				}
			}
		})
		for seller := range sellers { // people change the same keys meanwhile
			all.Go(func() {
				for i := range 20 {
					c := sell(fmt.Sprint("key-", i%3), fmt.Sprintf("seller-%d-%d-%d", n, seller, i), 1<<30)
					c.Route = "one shard"
					if err := replica.Do(t.Context(), c); err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
	all.Wait()
	for n, replica := range append(replicas, open(t, store, 0)) {
		checkHeard(t, replica, n, events, 2*sellers*20)
	}
}

func checkHeard(t *testing.T, j *journal.Journal[*shelf], n, events, sales int) {
	t.Helper()
	if err := j.View(t.Context(), "one shard", func(s *shelf) {
		next := 1
		for _, cause := range s.Log {
			var seq int
			if _, err := fmt.Sscan(cause, &seq); err != nil {
				continue
			}
			if seq != next {
				t.Fatalf("replica %d: event %d takes effect where %d should", n, seq, next)
			}
			next++
		}
		if next != events+1 || len(s.Log) != events+sales {
			t.Errorf("replica %d: %d events and %d effects, want %d and %d", n, next-1, len(s.Log), events, events+sales)
		}
	}); err != nil {
		t.Fatal(err)
	}
}
