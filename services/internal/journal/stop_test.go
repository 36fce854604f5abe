package journal_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/qingcang/qingcang/services/internal/fault"
	"github.com/qingcang/qingcang/services/internal/journal"

	journalv1 "github.com/qingcang/qingcang/proto/gen/journal/v1"
)

// stuck takes every insertion and answers none until its caller gives up.
type stuck struct{ journal.Store }

func (stuck) Insert(ctx context.Context, _ int, _ uint64, _ *journalv1.Batch) error {
	<-ctx.Done()
	return ctx.Err()
}

// away is a store that answers nothing for its first calls.
type away struct {
	journal.Store
	fails int
}

func (a *away) Insert(ctx context.Context, shard int, seq uint64, b *journalv1.Batch) error {
	if a.fails--; a.fails >= 0 {
		return errors.New("no server")
	}
	return a.Store.Insert(ctx, shard, seq, b)
}

func (a *away) Get(ctx context.Context, shard int, seq uint64) (*journalv1.Batch, bool, error) {
	if a.fails >= 0 {
		return nil, false, errors.New("no server")
	}
	return a.Store.Get(ctx, shard, seq)
}

// started opens a journal whose Run ends with stop, which waits for it.
func started(t *testing.T, store journal.Store) (j *journal.Journal[*shelf], stop func()) {
	t.Helper()
	j, err := journal.Open(t.Context(), journal.Config{Name: "shelf", Store: store, Log: slog.New(slog.DiscardHandler), Subject: brandOf}, shelves{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- j.Run(ctx) }()
	return j, func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func wantUnavailable(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, fault.New(fault.Unavailable, "journal_unavailable", "")) {
		t.Errorf("got %v, want journal_unavailable", err)
	}
}

func TestEveryCommandIsAnsweredWhenTheJournalStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j, stop := started(t, stuck{journal.NewMemoryStore()})
		const callers = 20
		answers := make(chan error, callers)
		for n := range callers { // one is being written, the others wait, some for the same key
			go func() { answers <- j.Do(context.Background(), sell(fmt.Sprint("key-", n%3), fmt.Sprint(n), 1000)) }()
		}
		go func() {
			answers <- j.Hear(context.Background(), []journal.Command[*shelf]{heard(1, "a"), heard(2, "a")})
		}()
		synctest.Wait()
		// A look that came before any command would be answered: nothing holds the shard up then.
		go func() { answers <- j.View(context.Background(), "key-1", func(*shelf) {}) }()
		synctest.Wait()
		stop()
		for range callers + 2 {
			wantUnavailable(t, <-answers)
		}
	})
}

func TestAStoppedJournalRefusesAtOnce(t *testing.T) {
	j, stop := started(t, journal.NewMemoryStore())
	stop()
	for name, ask := range map[string]func(context.Context) error{
		"a command": func(ctx context.Context) error { return j.Do(ctx, sell("key", "1", 1)) },
		"an event":  func(ctx context.Context) error { return j.Hear(ctx, []journal.Command[*shelf]{heard(1, "a")}) },
		"a view":    func(ctx context.Context) error { return j.View(ctx, "key", func(*shelf) {}) },
	} {
		t.Run(name, func(t *testing.T) { wantUnavailable(t, ask(context.Background())) })
	}
}

func TestAStoreThatIsAway(t *testing.T) {
	for name, test := range map[string]struct {
		fails int
		want  func(*testing.T, error)
	}{
		"for a moment is waited for": {3, func(t *testing.T, err error) {
			if err != nil {
				t.Errorf("got %v, want the sale", err)
			}
		}},
		"for long is told to the caller": {1000, wantUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := &away{Store: journal.NewMemoryStore()}
				j, stop := started(t, store)
				defer stop()
				store.fails = test.fails
				test.want(t, j.Do(context.Background(), sell("key", "1", 1)))
			})
		})
	}
}

func TestAnAnswerThatComesTooLateIsATimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j, stop := started(t, stuck{journal.NewMemoryStore()})
		defer stop()
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if err := j.Do(ctx, sell("key", "1", 1)); !errors.Is(err, fault.New(fault.Timeout, "timeout", "")) {
			t.Errorf("got %v, want a timeout", err)
		}
	})
}

func TestAnEventBehindAnUnansweredOneIsNotTakenIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &away{Store: journal.NewMemoryStore()}
		j, stop := started(t, store)
		defer stop()
		// The first event's write is given up after its tries. By then the store is back, and the
		// second, which has the same key and so waits for the next round, could be written.
		store.fails = 5
		events := []journal.Command[*shelf]{heard(1, "a"), heard(2, "a")}
		wantUnavailable(t, j.Hear(context.Background(), events))
		store.fails = 0
		if err := j.Hear(context.Background(), events); err != nil {
			t.Fatal(err)
		}
		if got := logOf(t, j, "one shard"); got != "[1 2]" {
			t.Errorf("effects %s, want [1 2]", got)
		}
	})
}
