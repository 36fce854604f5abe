package lane

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	lanev1 "github.com/qingcang/qingcang/proto/gen/lane/v1"
	"github.com/qingcang/qingcang/services/internal/telemetry"
	"github.com/qingcang/qingcang/services/order/internal/ledger"
)

// Bounds of one append: what eventkit puts into one batch, less some room.
const (
	maxBatchValues = 1_000
	maxBatchBytes  = 800 << 10
)

// request is one entry that waits to be appended.
type request struct {
	value []byte
	done  chan written // has room for one: the appender never waits for a caller
}

type written struct {
	offset int64
	err    error
}

// Do appends an entry, waits until this replica has applied it, and shows the
// ledger as it then is. On nil the entry is durable and decided. After
// Unavailable or Timeout it may or may not count: the caller comes again with
// the same entry, which never counts twice.
func (l *Lane) Do(ctx context.Context, entry *lanev1.Entry, show func(*ledger.Ledger)) error {
	if l.Stopped() != "" {
		return errStopped // there would be no answer
	}
	offset, err := l.tell(ctx, entry)
	if err != nil {
		return err
	}
	return l.showAt(ctx, decidedBehind(offset), show)
}

// tell appends an entry and returns its offset: it is durable, not decided.
func (l *Lane) tell(ctx context.Context, entry *lanev1.Entry) (int64, error) {
	entry.Rules, entry.Traceparent = ledger.Rules, telemetry.Traceparent(ctx)
	value, err := proto.Marshal(entry)
	if err != nil {
		return 0, fmt.Errorf("encode a lane entry: %w", err)
	}
	if len(value) > maxBatchBytes {
		return 0, fmt.Errorf("a lane entry of %d bytes; at most %d fit", len(value), maxBatchBytes)
	}
	r := &request{value: value, done: make(chan written, 1)}
	if err := l.enqueue(ctx, r, turnsAway(entry)); err != nil {
		return 0, err
	}
	select {
	case w := <-r.done:
		return w.offset, w.err
	case <-ctx.Done():
		return 0, errTimeout.Wrap(ctx.Err())
	}
}

// turnsAway reports whether a full queue refuses the entry: a buyer comes again.
// Time, money and stock wait for a place, for a lane that is flooded with orders
// must still expire its holds and close.
func turnsAway(entry *lanev1.Entry) bool { return entry.GetPlace() != nil || entry.GetCancel() != nil }

// enqueue gives a request to the appender. Who waits for a place gets the next
// one: a channel serves its waiters before those who only try.
func (l *Lane) enqueue(ctx context.Context, r *request, turnAway bool) error {
	select {
	case l.queue <- r:
		return nil
	default:
	}
	if turnAway {
		return errBusy
	}
	select {
	case l.queue <- r:
		return nil
	case <-ctx.Done():
		return errTimeout.Wrap(ctx.Err())
	}
}

// append writes what waits, all of it in one batch, one batch at a time: while
// one is on its way, the next gathers.
func (l *Lane) append(ctx context.Context) {
	var held *request // did not fit into the batch before
	for {
		batch := l.gather(ctx, &held)
		if len(batch) == 0 {
			return
		}
		values := make([][]byte, len(batch))
		for i, r := range batch {
			values[i] = r.value
		}
		done, err := l.conn.Append(ctx, l.topic, l.partition, values)
		if err != nil {
			err = errLog.Wrap(err)
		} else {
			l.learnAppendTime(done.At)
		}
		for i, r := range batch {
			r.done <- written{offset: done.BaseOffset + int64(i), err: err}
		}
	}
}

// gather waits for a request and takes all that wait with it, up to the bounds;
// nothing when ctx ends.
func (l *Lane) gather(ctx context.Context, held **request) []*request {
	first := *held
	*held = nil
	if first == nil {
		select {
		case <-ctx.Done():
			return nil
		case first = <-l.queue:
		}
	}
	batch, size := []*request{first}, len(first.value)
	for len(batch) < maxBatchValues {
		select {
		case r := <-l.queue:
			if size += len(r.value); size > maxBatchBytes {
				*held = r
				return batch
			}
			batch = append(batch, r)
		default:
			return batch
		}
	}
	return batch
}

func (l *Lane) learnAppendTime(at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if at.After(l.appended.at) {
		l.appended = appendTime{at: at, learned: time.Now()}
	}
}
