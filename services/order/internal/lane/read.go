package lane

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"

	"github.com/qingcang/qingcang/proto/eventkit"
	"github.com/qingcang/qingcang/proto/lane/record"
	"github.com/qingcang/qingcang/services/order/internal/ledger"
)

// applyChunk is how many entries are applied under one lock, so that readers get a
// turn while a replica catches up.
const applyChunk = 256

// errGap stops a lane: an entry is missing, and all behind it would count wrongly.
var errGap = errors.New("the log has a gap")

// errSkipped is an entry that means nothing.
var errSkipped = errors.New("the entry is skipped")

// read applies the log as it grows, until ctx ends or the lane stops.
func (l *Lane) read(ctx context.Context) {
	log := newAhead(l)
	for ctx.Err() == nil {
		records, err := log.fetch(ctx, l.applied(), l.begunWith())
		if err != nil && !errors.Is(err, eventkit.ErrTruncated) && !errors.Is(err, eventkit.ErrCorrupt) {
			if ctx.Err() == nil {
				l.log.WarnContext(ctx, "lane cannot be read, trying again", "err", err)
			}
			pause(ctx, retryPause)
			continue
		}
		if err != nil && l.passOver() {
			continue
		}
		for chunk := range slices.Chunk(records, applyChunk) {
			if err == nil {
				err = l.take(ctx, chunk)
			}
		}
		if err != nil {
			l.stop(ctx, err)
			if !l.awaitSkip(ctx) {
				return
			}
		}
		if l.mustBeginAnew() {
			if _, ok := l.load(ctx); !ok { // if it may rest, awaitRest sees that
				return
			}
			l.reaches(running)
		}
	}
}

// own is an entry of this process and what it caused.
type own struct {
	seq    uint32
	events []ledger.Event
}

// take applies records under one lock and then answers those who wait for them.
// An error stops the lane, under the same lock: an entry that panicked may be half
// applied, and nobody may save that.
func (l *Lane) take(ctx context.Context, records []eventkit.Record) error {
	mine, wanted, err := l.apply(ctx, records)
	for _, one := range mine {
		l.desk.answer(one.seq, answer{events: one.events})
	}
	for _, uid := range wanted {
		l.lookWhatArrived(uid)
	}
	return err
}

func (l *Lane) apply(ctx context.Context, records []eventkit.Record) (mine []own, wanted []string, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.wake()
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic at offset %d: %v", l.next, r)
			l.log.ErrorContext(ctx, "lane panicked", "err", err, "stack", string(debug.Stack()))
		}
		if err != nil {
			l.stopped = err
		}
	}()
	for _, r := range records {
		for r.Offset > l.next && l.skips[l.next] {
			l.passNext()
		}
		if r.Offset != l.next {
			return mine, wanted, fmt.Errorf("%w: offset %d follows %d", errGap, r.Offset, l.next-1)
		}
		entry, events, err := l.applyOne(ctx, r)
		if err != nil {
			return mine, wanted, err
		}
		if c, ok := entry.Command.(*record.Want); ok {
			wanted = append(wanted, c.Desired.GetUid())
		}
		l.next++
		if l.marks.note(l.next, l.ledger) { // by this line the replicas of a lane can be compared
			l.log.DebugContext(ctx, "lane mark", "next", l.next, "digest", fmt.Sprintf("%016x", l.ledger.Digest()))
		}
		if entry.Writer == l.writer && entry.Command != nil {
			mine = append(mine, own{entry.Seq, events})
		}
	}
	return mine, wanted, nil
}

func (l *Lane) applyOne(ctx context.Context, r eventkit.Record) (record.Entry, []ledger.Event, error) {
	if l.skips[r.Offset] {
		l.passed[r.Offset] = true
		l.log.WarnContext(ctx, "lane entry passed over, as its desired state says", "offset", r.Offset)
		return record.Entry{}, nil, nil
	}
	entry, events, err := fold(l.decide, r)
	if errors.Is(err, errSkipped) {
		// Every replica skips it alike: the bytes are the same everywhere.
		l.skipped++
		l.log.ErrorContext(ctx, "lane entry skipped", "offset", r.Offset, "err", err)
		return entry, nil, nil
	}
	if err != nil {
		return entry, nil, err
	}
	switch c := entry.Command.(type) {
	case *record.Tick:
	case *record.Place:
		l.recent.put(r.Offset, c)
		l.commands++
	default:
		l.commands++
	}
	for _, event := range events {
		if event.At.After(l.published) {
			l.outbox = append(l.outbox, announcement{event: event, time: l.ledger.Now(), trace: entry.Trace})
		}
	}
	return entry, events, nil
}

// decide is the ledger's Apply. Of what is published already, and nobody here waits
// for, no events are made.
func (l *Lane) decide(offset int64, e record.Entry) ([]ledger.Event, error) {
	if offset < l.published.Offset && e.Writer != l.writer {
		return nil, l.ledger.Replay(offset, e)
	}
	return l.ledger.Apply(offset, e)
}

// fold applies a record, to a ledger's Apply or Replay. With errSkipped nothing has
// changed; any other error stops whoever reads.
func fold(apply func(int64, record.Entry) ([]ledger.Event, error), r eventkit.Record) (record.Entry, []ledger.Event, error) {
	entry, err := record.Decode(r.Value)
	if errors.Is(err, record.ErrVersion) {
		return entry, nil, fmt.Errorf("at offset %d: %w", r.Offset, err)
	}
	if err != nil {
		return entry, nil, fmt.Errorf("%w: %w", errSkipped, err)
	}
	events, err := apply(r.Offset, entry)
	if errors.Is(err, ledger.ErrMalformed) {
		return entry, nil, fmt.Errorf("%w: %w", errSkipped, err)
	}
	if err != nil {
		return entry, nil, fmt.Errorf("at offset %d: %w", r.Offset, err)
	}
	return entry, events, nil
}
