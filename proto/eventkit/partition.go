package eventkit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// ErrGap says that a source's events do not join up: one was lost, and going on would lose it for
// good. The partition stands still, and says so at every try, until the log is mended.
var ErrGap = errors.New("an event is missing")

// lookBackForFirst is how far back a repeat of a source's first event is looked for. That event
// names none before it, so without a bound a new source would cost a reading of the whole log.
const lookBackForFirst = 1 << 16

// maxRetryPause is the longest wait between two tries of a handler.
const maxRetryPause = 4 * time.Second

// partitionReader handles one partition's records and remembers how far each source has come.
type partitionReader struct {
	conn   *Conn
	handle func(context.Context, []Record) error
	at     Assignment
	log    *slog.Logger
	next   int64
	start  int64               // where this run began
	last   map[string]Position // by source, since then
	before *hindsight          // what stood before that
	lag    int64               // as counted in the metrics

	committed   int64
	committedAt time.Time // of the last try
}

// run may be called again after it failed: it begins anew at what is committed.
func (r *partitionReader) run(ctx context.Context) error {
	r.start, r.next, r.last, r.before = r.committed, r.committed, map[string]Position{}, newHindsight(r.committed)
	defer func() { _ = r.commit() }() // a repeat after a missed commit is dropped
	r.conn.measures.follows(ctx, r.at.Topic)
	for ctx.Err() == nil {
		records, end, err := r.conn.fetch(ctx, r.at.Topic, r.at.Partition, r.next)
		if unreadable(err) {
			return err
		}
		if err != nil {
			pause(ctx, retryPause)
			continue
		}
		fresh, next, stop := r.fresh(ctx, records)
		if !r.handled(ctx, fresh) {
			return nil
		}
		r.next = next
		r.measureLag(ctx, end)
		if stop != nil {
			return stop
		}
		if len(records) == 0 || time.Since(r.committedAt) > commitInterval {
			if err := r.commit(); err != nil { // the next one covers it; if the group went on without us, ctx ends
				r.log.WarnContext(ctx, "offset not committed", "topic", r.at.Topic, "partition", r.at.Partition, "error", err)
			}
		}
	}
	return nil
}

// handled gives the records to the handler until it has taken them; false if ctx ended before.
func (r *partitionReader) handled(ctx context.Context, records []Record) bool {
	for wait := retryPause; len(records) > 0; wait = min(2*wait, maxRetryPause) {
		within, span := startHandle(ctx, r.at.Topic, r.at.Partition, records)
		err := r.handle(within, records)
		endHandle(span, err)
		if err == nil {
			r.conn.measures.took(ctx, r.at.Topic, len(records), 0)
			return true
		}
		if ctx.Err() != nil {
			return false
		}
		r.conn.measures.handlerFailed(ctx, r.at.Topic)
		r.log.ErrorContext(ctx, "records not handled, trying again", "topic", r.at.Topic, "partition", r.at.Partition,
			"offset", records[0].Offset, "records", len(records), "error", err)
		pause(ctx, wait)
	}
	return true
}

func (r *partitionReader) commit() error {
	if r.next <= r.committed {
		return nil
	}
	r.committedAt = time.Now()
	if err := r.at.Commit(r.next); err != nil {
		return err
	}
	r.committed = r.next
	return nil
}

// measureLag counts how far the reader is behind the end of the log.
func (r *partitionReader) measureLag(ctx context.Context, end int64) {
	lag := max(end-r.next, 0)
	r.conn.measures.lagChanged(ctx, r.at.Topic, lag-r.lag)
	r.lag = lag
}

// leave takes the reader out of the metrics: whoever has the partition next counts anew.
func (r *partitionReader) leave(ctx context.Context) { r.measureLag(ctx, r.next) }

// fresh leaves out what a source has said before. At a gap it stops with an error: what it
// returns is all before the gap, and next is where the gap is. Records that are no events pass:
// their handler parks them.
func (r *partitionReader) fresh(ctx context.Context, records []Record) (out []Record, next int64, stop error) {
	next = r.next
	out = make([]Record, 0, len(records))
	repeats := 0
	defer func() { r.conn.measures.took(ctx, r.at.Topic, 0, repeats) }()
	for _, record := range records {
		repeated, err := r.check(ctx, record)
		if err != nil {
			return out, next, err
		}
		if repeated {
			repeats++
		} else {
			out = append(out, record)
		}
		next = record.Offset + 1
	}
	return out, next, nil
}

// check moves the record's source on, or says that the record is a repeat or stands behind a gap.
func (r *partitionReader) check(ctx context.Context, record Record) (repeated bool, err error) {
	p, err := record.Event.Position()
	if err != nil {
		return false, nil //nolint:nilerr // no event: it has no source to be checked against
	}
	last, known := r.last[p.Source]
	if !known {
		if last, known, err = r.lookBack(ctx, record, p); err != nil {
			return false, err
		}
	}
	if known && !p.After(last) {
		return true, nil
	}
	before := ""
	if known {
		before = last.String()
	}
	if record.Event.Prev != before {
		r.conn.measures.foundGap(ctx, record.Topic)
		return false, fmt.Errorf("%s/%d at %d: %s follows %q, but %q came before it: %w",
			record.Topic, record.Partition, record.Offset, record.Event.ID, record.Event.Prev, before, ErrGap)
	}
	r.last[p.Source] = p
	return false, nil
}

// lookBack finds how far a source had come before a record, which is its first since the start of
// this reader. A relay that repeats itself may stand between the record and the one before it, so
// the look goes on until that one is seen: to the beginning of the log, once in the reader's life,
// if the source was silent since.
func (r *partitionReader) lookBack(ctx context.Context, record Record, p Position) (last Position, known bool, err error) {
	first, _, err := r.conn.offsets(ctx, record.Topic, record.Partition)
	if err != nil {
		return Position{}, false, err
	}
	floor := first
	prev, err := ParsePosition(record.Event.Prev)
	if record.Event.Prev == "" {
		floor = max(first, r.start-lookBackForFirst)
	} else if err != nil || prev.Source != p.Source {
		return Position{}, false, fmt.Errorf("%s/%d at %d: %s follows %q, which is no event of its source: %w",
			record.Topic, record.Partition, record.Offset, record.Event.ID, record.Event.Prev, ErrGap)
	}
	for {
		seen, found := r.before.newest[p.Source]
		if found && (!prev.After(seen.at) || r.before.reaches(floor)) {
			return seen.at, true, nil
		}
		if r.before.reaches(floor) {
			break
		}
		if err := r.before.extend(ctx, r.conn, record.Topic, record.Partition, floor); err != nil {
			return Position{}, false, err
		}
	}
	if first > 0 && record.Event.Prev != "" {
		// The log was cut before this group's place in it, so the one before was handled.
		return prev, true, nil
	}
	return Position{}, false, nil
}
