package journal_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	brandv1 "github.com/qingcang/qingcang/proto/gen/brand/v1"
	"github.com/qingcang/qingcang/services/internal/fault"
	"github.com/qingcang/qingcang/services/internal/journal"
)

func logOf(t *testing.T, j *journal.Journal[*shelf], route string) (log string) {
	t.Helper()
	if err := j.View(t.Context(), route, func(s *shelf) { log = fmt.Sprint(s.Log) }); err != nil {
		t.Fatal(err)
	}
	return log
}

// big says facts of this many bytes each.
func big(key string, facts, bytes int) journal.Command[*shelf] {
	return journal.Command[*shelf]{Key: key, Route: "one shard", Decide: func(*shelf, time.Time) ([]journal.Fact, error) {
		out := make([]journal.Fact, 0, facts)
		for range facts {
			out = append(out, &brandv1.StockReleased{BrandId: key, Cause: strings.Repeat("x", bytes)})
		}
		return out, nil
	}}
}

func TestWhatDoesNotFitIntoOneBatchGoesIntoTheNext(t *testing.T) {
	store := journal.NewMemoryStore()
	j, stop := started(t, store)
	defer stop()
	var all sync.WaitGroup
	const commands = 12 // of 1 MiB each: no three batches of 4 MiB hold them, headers included
	for n := range commands {
		all.Go(func() {
			if err := j.Do(t.Context(), big(fmt.Sprint("key-", n), 2, 512<<10)); err != nil {
				t.Errorf("command %d: %v", n, err)
			}
		})
	}
	all.Wait()
	if err := j.View(t.Context(), "one shard", func(s *shelf) {
		if got, want := len(s.Log), 2*commands; got != want {
			t.Errorf("%d facts, want %d", got, want)
		}
	}); err != nil {
		t.Fatal(err)
	}
}

func TestFactsThatNothingCouldTakeAreRefused(t *testing.T) {
	for name, test := range map[string]struct {
		facts, bytes int
		refused      bool
	}{
		"a large fact is taken":                          {1, 700 << 10, false},
		"a fact that no topic takes is refused":          {1, 800 << 10, true},
		"facts that fill a batch are taken":              {7, 512 << 10, false},
		"facts that no batch takes together are refused": {9, 512 << 10, true},
	} {
		t.Run(name, func(t *testing.T) {
			j, stop := started(t, journal.NewMemoryStore())
			defer stop()
			err := j.Do(t.Context(), big("key", test.facts, test.bytes))
			if refused := err != nil; refused != test.refused {
				t.Errorf("got %v, want refused %t", err, test.refused)
			}
			if err := j.Do(t.Context(), sell("other", "1", 1)); err != nil {
				t.Errorf("the next command: %v", err)
			}
		})
	}
}

func TestShardsDoNotSeeEachOther(t *testing.T) {
	j, stop := started(t, journal.NewMemoryStore())
	defer stop()
	a, b := "key-0", ""
	for n := 1; b == ""; n++ {
		if key := fmt.Sprint("key-", n); journal.ShardOf(key) != journal.ShardOf(a) {
			b = key
		}
	}
	for _, key := range []string{a, b, a} {
		if err := j.Do(t.Context(), sell(key, key, 1000)); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := logOf(t, j, a), fmt.Sprint([]string{a, a}); got != want {
		t.Errorf("the first shard has %s, want %s", got, want)
	}
	if got, want := logOf(t, j, b), fmt.Sprint([]string{b}); got != want {
		t.Errorf("the second shard has %s, want %s", got, want)
	}
}

func TestCommandsOfOneKeySeeEachOther(t *testing.T) {
	j, stop := started(t, journal.NewMemoryStore())
	defer stop()
	const buyers = 50
	answers := make(chan error, buyers)
	for n := range buyers {
		go func() { answers <- j.Do(t.Context(), sell("last one", fmt.Sprint(n), 1)) }()
	}
	sold := 0
	for range buyers {
		switch err := <-answers; {
		case err == nil:
			sold++
		case !errors.Is(err, errSoldOut):
			t.Errorf("got %v, want sold_out", err)
		}
	}
	if sold != 1 {
		t.Errorf("%d buyers got the last one", sold)
	}
}

func TestAFullQueueAsksToComeBack(t *testing.T) {
	// Nobody runs the journal, so the queue only fills.
	j, err := journal.Open(t.Context(), journal.Config{Name: "shelf", Store: journal.NewMemoryStore(), Subject: brandOf}, shelves{})
	if err != nil {
		t.Fatal(err)
	}
	gone := cancelled(t)
	for range 10_000 {
		err := j.Do(gone, sell("key", "1", 1))
		if errors.Is(err, fault.New(fault.TooMany, "busy", "")) {
			return
		}
	}
	t.Error("the queue has no end")
}
