package journal

import (
	"context"
	"errors"

	"github.com/qingcang/qingcang/services/internal/fault"
)

// errStopped is the cause of the answers that commands get when Run has ended.
var errStopped = errors.New("the journal has stopped")

// waiter is a command and the place where its answer goes; without Decide it is a look.
type waiter[S any] struct {
	command Command[S]
	done    chan error
	strand  *strand
}

// strand ties the commands together that one Hear brings to one shard from one source. A shard
// keeps one position a source: were a command decided after an earlier one of its strand failed,
// the position would go past the failed one, and its retry would be dropped. Only the shard's run
// touches it.
type strand struct{ err error }

func newWaiter[S any](c Command[S], of *strand) *waiter[S] {
	return &waiter[S]{command: c, done: make(chan error, 1), strand: of}
}

// answer replies once; a waiter of a failed round may have its answer already.
func (w *waiter[S]) answer(err error) {
	if err != nil && w.strand != nil && w.strand.err == nil {
		w.strand.err = err
	}
	select {
	case w.done <- err:
	default:
	}
}

// wait returns the answer; after stopped is closed there will be none that is not there already.
func (w *waiter[S]) wait(ctx context.Context, stopped <-chan struct{}) error {
	select {
	case err := <-w.done:
		return err
	case <-ctx.Done():
		return fault.New(fault.Timeout, "timeout", "The answer did not come in time. Ask again with the same key.").Wrap(ctx.Err())
	case <-stopped:
	}
	select {
	case err := <-w.done:
		return err
	default:
		return unavailable(errStopped)
	}
}

func unavailable(err error) error {
	return fault.New(fault.Unavailable, "journal_unavailable", "The records cannot be reached now. Ask again with the same key.").
		RetryAfter(1).Wrap(err)
}
