package lane

import (
	"context"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/qingcang/qingcang/proto/lane/record"
	"github.com/qingcang/qingcang/services/order/internal/ledger"
)

// Bounds of one append: what eventkit puts into one batch, less some room.
const (
	maxBatchValues = 1_000
	maxBatchBytes  = 800 << 10
	// usualBytes is enough for an order of a few lines.
	usualBytes = 256
)

// Do appends a command and waits until this replica has applied it. On nil it is
// durable and decided. After Unavailable or Timeout it may or may not count: the
// caller comes again with the same command, which never counts twice.
func (l *Lane) Do(ctx context.Context, c record.Command) error {
	_, err := l.ask(ctx, c, false)
	return err
}

// tell appends a command and waits until it is durable, not until it is decided.
func (l *Lane) tell(ctx context.Context, c record.Command) error {
	_, err := l.ask(ctx, c, true)
	return err
}

// ask appends a command and returns what it caused.
func (l *Lane) ask(ctx context.Context, c record.Command, untilDurable bool) ([]ledger.Event, error) {
	if !untilDurable && l.Stopped() != "" {
		return nil, errStopped // there would be no answer
	}
	seq := l.desk.number()
	entry := record.Entry{
		Rules: l.stamp(), Writer: l.writer, Seq: seq, Trace: traceOf(ctx), Command: c,
	}
	value, err := entry.Append(make([]byte, 0, usualBytes))
	if err != nil {
		return nil, fmt.Errorf("encode a lane entry: %w", err)
	}
	one := &call{seq: seq, value: value, untilDurable: untilDurable, answered: make(chan answer, 1)}
	if err := l.desk.put(ctx, one, turnsAway(c)); err != nil {
		return nil, err
	}
	select {
	case a := <-one.answered:
		return a.events, a.err
	case <-ctx.Done():
		l.desk.giveUp(one)
		return nil, errTimeout.Wrap(ctx.Err())
	}
}

// traceOf is the trace that the entry's events go on with. One that nobody records
// is not worth its bytes.
func traceOf(ctx context.Context) (t record.Trace) {
	span := trace.SpanContextFromContext(ctx)
	if !span.IsSampled() {
		return t
	}
	id, parent := span.TraceID(), span.SpanID()
	copy(t[copy(t[:], id[:]):], parent[:])
	t[len(t)-1] = byte(span.TraceFlags())
	return t
}

// turnsAway reports whether a full queue refuses the command: a buyer comes again.
// Time, money and stock wait for a place, for a lane that is flooded with orders
// must still expire its holds and close.
func turnsAway(c record.Command) bool {
	switch c.(type) {
	case *record.Place, *record.Cancel:
		return true
	}
	return false
}

// append writes what waits, all of it in one batch, one batch at a time: while
// one is on its way, the next gathers. Who reads the log answers the callers.
func (l *Lane) append(ctx context.Context) {
	for {
		batch := l.desk.next(ctx)
		if len(batch) == 0 {
			return
		}
		values := make([][]byte, len(batch))
		for i, c := range batch {
			values[i] = c.value
		}
		done, err := l.conn.Append(ctx, l.topic, l.partition, values)
		if err == nil {
			l.learnAppendTime(done.At)
		}
		l.appendedAll(batch, err)
	}
}

// appendedAll answers the calls that wait for nothing more.
func (l *Lane) appendedAll(batch []*call, err error) {
	stopped := l.Stopped() != ""
	for _, c := range batch {
		switch {
		case err != nil:
			l.desk.answer(c.seq, answer{err: errLog.Wrap(err)})
		case durableIsEnough(c):
			l.desk.answer(c.seq, answer{})
		case stopped: // it came too late to be told
			l.desk.answer(c.seq, answer{err: errStopped})
		}
	}
}

func (l *Lane) learnAppendTime(at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if at.After(l.appended.at) {
		l.appended = appendTime{at: at, learned: time.Now()}
	}
}
