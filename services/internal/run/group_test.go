package run

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

var quiet = slog.New(slog.DiscardHandler)

// diary notes what happens in which order.
type diary struct {
	mu    sync.Mutex
	lines []string
}

func (d *diary) note(line string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, line)
}

// until returns a part that runs until it is stopped.
func (d *diary) until(name string) func(context.Context) error {
	return func(ctx context.Context) error {
		<-ctx.Done()
		d.note(name + " stops")
		return ctx.Err()
	}
}

func TestPartsStopInReverse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		var d diary
		g := NewGroup(ctx, quiet)
		for _, name := range []string{"journal", "consumer", "http"} {
			g.Go(name, d.until(name))
		}
		g.Go("once", func(context.Context) error { return nil })
		synctest.Wait()
		cancel()
		if err := g.Wait(); err != nil {
			t.Fatal(err)
		}
		if want := []string{"http stops", "consumer stops", "journal stops"}; !slices.Equal(d.lines, want) {
			t.Fatalf("got %q, want %q", d.lines, want)
		}
	})
}

func TestTheFirstErrorStopsAllAndIsReturned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		broken := errors.New("broken")
		g := NewGroup(t.Context(), quiet)
		g.Go("journal", d.until("journal"))
		g.Go("consumer", func(context.Context) error { return broken })
		g.Go("http", d.until("http"))
		err := g.Wait()
		if !errors.Is(err, broken) || !strings.HasPrefix(err.Error(), "consumer: ") {
			t.Fatalf("got %v", err)
		}
		if want := []string{"http stops", "journal stops"}; !slices.Equal(d.lines, want) {
			t.Fatalf("got %q, want %q", d.lines, want)
		}
	})
}

func TestAPartThatCancelsItselfIsAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewGroup(t.Context(), quiet)
		g.Go("consumer", func(context.Context) error { return context.Canceled })
		if err := g.Wait(); err == nil {
			t.Fatal("a part ended by itself and nobody noticed")
		}
	})
}

func TestAPartThatDoesNotStopIsNamedAndTheOthersAreStillStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		var d diary
		g := NewGroup(ctx, quiet)
		release := make(chan struct{})
		g.Go("journal", d.until("journal"))
		g.Go("stuck", func(context.Context) error { <-release; return nil })
		cancel()
		start := time.Now()
		err := g.Wait()
		if err == nil || !strings.Contains(err.Error(), "stuck: did not stop in time") {
			t.Fatalf("got %v", err)
		}
		if took := time.Since(start); took != stopTimeout {
			t.Fatalf("it took %s", took)
		}
		close(release)
		synctest.Wait()
		if !slices.Equal(d.lines, []string{"journal stops"}) {
			t.Fatalf("got %q", d.lines)
		}
	})
}
