package eventkit

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// ErrGap says that a source's events do not join up: one was lost, and going on would lose it for
// good. The partition stands still, and says so at every try, until the log is mended.
var ErrGap = errors.New("an event is missing")

// partitionReader handles one partition's records and remembers how far each source has come.
type partitionReader struct {
	conn *Conn
	role Role
	at   Assignment
	next int64
	last map[string]Position

	committed   int64
	committedAt time.Time
}

func (r *partitionReader) run(ctx context.Context) error {
	defer func() { _ = r.commit() }() // a repeat after a missed commit is dropped
	for ctx.Err() == nil {
		records, err := r.conn.Fetch(ctx, r.at.Topic, r.at.Partition, r.next)
		if err != nil {
			if errors.Is(err, ErrTruncated) {
				return err
			}
			pause(ctx, retryPause)
			continue
		}
		fresh, err := r.fresh(ctx, records)
		if err != nil {
			return err
		}
		if len(fresh) > 0 {
			if err := r.role.Handle(ctx, fresh); err != nil {
				return fmt.Errorf("handle %s/%d at %d: %w", r.at.Topic, r.at.Partition, fresh[0].Offset, err)
			}
		}
		if len(records) > 0 {
			r.next = records[len(records)-1].Offset + 1
		}
		if len(records) == 0 || time.Since(r.committedAt) > commitInterval {
			if err := r.commit(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *partitionReader) commit() error {
	if r.next <= r.committed {
		return nil
	}
	if err := r.at.Commit(r.next); err != nil {
		return err
	}
	r.committed, r.committedAt = r.next, time.Now()
	return nil
}

// fresh leaves out what a source has said before and fails at a gap. Records that are no events
// pass: their handler parks them.
func (r *partitionReader) fresh(ctx context.Context, records []Record) ([]Record, error) {
	out := make([]Record, 0, len(records))
	for _, record := range records {
		p, err := record.Event.Position()
		if err != nil {
			out = append(out, record)
			continue
		}
		last, known, err := r.lastOf(ctx, p.Source, record.Offset)
		if err != nil {
			return nil, err
		}
		if known && !p.After(last) {
			continue
		}
		want := ""
		if known {
			want = last.String()
		}
		if record.Event.Prev != want {
			return nil, fmt.Errorf("%s/%d at %d: %s follows %q, but %q came before it: %w",
				record.Topic, record.Partition, record.Offset, record.Event.ID, record.Event.Prev, want, ErrGap)
		}
		r.last[p.Source] = p
		out = append(out, record)
	}
	return out, nil
}

// lastOf is how far the source had come before the offset; at the first event of a source after a
// start it looks back into the log.
func (r *partitionReader) lastOf(ctx context.Context, source string, before int64) (Position, bool, error) {
	if p, ok := r.last[source]; ok {
		return p, true, nil
	}
	e, ok, err := r.conn.newestBefore(ctx, r.at.Topic, r.at.Partition, before, source)
	if err != nil || !ok {
		return Position{}, false, err
	}
	p, err := e.Position()
	if err != nil {
		return Position{}, false, err
	}
	r.last[source] = p
	return p, true, nil
}
