// Package lane runs a lane: it appends commands to one Kafka partition, applies
// the partition to a ledger, and answers the callers from what the ledger says.
// Every replica runs every lane alike; one of them, by assignment, also publishes
// what the lane decided, keeps its time and feeds it the campaigns.
package lane

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"google.golang.org/protobuf/proto"

	"github.com/qingcang/qingcang/proto/eventkit"
	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
	lanev1 "github.com/qingcang/qingcang/proto/gen/lane/v1"
	"github.com/qingcang/qingcang/services/internal/fault"
	"github.com/qingcang/qingcang/services/order/internal/ledger"
)

const (
	// queueLength bounds the commands that wait to be appended: about a second of
	// what one partition takes.
	queueLength = 4_096
	// applyChunk is how many entries are applied under one lock, so that readers
	// get a turn while a replica catches up.
	applyChunk = 256
	retryPause = 250 * time.Millisecond
	// complainEvery is how often a stopped lane says so.
	complainEvery = time.Minute
)

// errGap stops a lane: an entry is missing, and all behind it would count wrongly.
var errGap = errors.New("the log has a gap")

// Lane is one partition and its ledger. It is safe for concurrent use.
type Lane struct {
	topic     string
	partition int
	conn      *eventkit.Conn
	snapshots Snapshots
	log       *slog.Logger

	queue chan *request
	ends  ends // shared questions for the end of the log

	mu        sync.RWMutex
	ledger    *ledger.Ledger
	next      int64           // the offset that is applied next
	changed   chan struct{}   // closed and replaced whenever something below or above changes
	goal      int64           // the end of the log at the start; -1 while it is not known
	stopped   error           // why the lane stands still
	commands  int64           // entries applied that are not ticks
	skipped   int64           // entries that meant nothing
	outbox    []announcement  // events that may not be published yet, in order
	published ledger.Position // of the newest event known to be published
	appended  appendTime
	loadedAt  int64 // offset of the snapshot that the lane began with, -1 for none
}

// announcement is an event that waits to be published.
type announcement struct {
	event       ledger.Event
	time        time.Time // ledger time
	traceparent string    // of the entry that caused it
}

// appendTime is the newest append time that the broker told, and when it did by
// this machine's clock.
type appendTime struct{ at, learned time.Time }

func newLane(topic string, partition int, cfg Config) *Lane {
	return &Lane{
		topic: topic, partition: partition, conn: cfg.Conn, snapshots: cfg.Snapshots,
		log:   cfg.Log.With("lane", fmt.Sprintf("%s/%d", topic, partition)),
		queue: make(chan *request, queueLength), changed: make(chan struct{}),
		ledger: ledger.New(), goal: -1, published: ledger.None, loadedAt: -1,
	}
}

// source is the first part of the ids of the lane's events.
func (l *Lane) source() string { return fmt.Sprintf("%s/%d", l.topic, l.partition) }

// run reads and appends until ctx ends. A lane that stops does not end it: the
// other lanes go on.
func (l *Lane) run(ctx context.Context) error {
	if !l.load(ctx) {
		return nil
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { l.read(ctx); return nil })
	group.Go(func() error { l.append(ctx); return nil })
	group.Go(func() error { l.followPublished(ctx); return nil })
	return group.Wait()
}

// load gets the newest snapshot, what is published and the end of the log; it
// tries until it has them, and returns false when ctx ends before.
func (l *Lane) load(ctx context.Context) bool {
	for ctx.Err() == nil {
		err := l.tryLoad(ctx)
		if err == nil {
			return true
		}
		l.log.WarnContext(ctx, "lane cannot start yet", "err", err)
		pause(ctx, 4*retryPause)
	}
	return false
}

func (l *Lane) tryLoad(ctx context.Context) error {
	state, next, err := l.latestSnapshot(ctx)
	if err != nil {
		return err
	}
	published, err := l.lastPublished(ctx)
	if err != nil {
		return err
	}
	if state.Last().After(published) {
		// Events that were published are gone from their topic. Only the whole log
		// can make them again.
		l.log.ErrorContext(ctx, "published events are missing; the lane begins with its whole log", "published", published.Offset, "snapshot", state.Last().Offset)
		state, next = ledger.New(), 0
	}
	end, err := l.conn.EndOffset(ctx, l.topic, l.partition)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ledger, l.next, l.published, l.goal, l.loadedAt = state, next, published, end, next-1
	l.wake()
	return nil
}

// read applies the log as it grows, until ctx ends or the lane stops.
func (l *Lane) read(ctx context.Context) {
	for ctx.Err() == nil {
		records, err := l.conn.Fetch(ctx, l.topic, l.partition, l.applied())
		if err != nil && !errors.Is(err, eventkit.ErrTruncated) && !errors.Is(err, eventkit.ErrCorrupt) {
			if ctx.Err() == nil {
				l.log.WarnContext(ctx, "lane cannot be read, trying again", "err", err)
			}
			pause(ctx, retryPause)
			continue
		}
		for chunk := range slices.Chunk(records, applyChunk) {
			if err == nil {
				err = l.take(ctx, chunk)
			}
		}
		if err != nil {
			l.stop(ctx, err)
			l.complain(ctx)
		}
	}
}

// take applies records under one lock. An error stops the lane, under the same
// lock: an entry that panicked may be half applied, and nobody may save that.
func (l *Lane) take(ctx context.Context, records []eventkit.Record) (err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.wake()
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic at offset %d: %v", l.next, r)
			l.log.ErrorContext(ctx, "lane panicked", "err", err, "stack", string(debug.Stack()))
		}
		l.stopped = err
	}()
	for _, record := range records {
		if record.Offset != l.next {
			return fmt.Errorf("%w: offset %d follows %d", errGap, record.Offset, l.next-1)
		}
		if err := l.applyOne(ctx, record); err != nil {
			return err
		}
		l.next++
	}
	return nil
}

func (l *Lane) applyOne(ctx context.Context, record eventkit.Record) error {
	entry := &lanev1.Entry{}
	var events []ledger.Event
	err := proto.Unmarshal(record.Value, entry)
	if err == nil {
		events, err = l.ledger.Apply(record.Offset, entry)
	}
	if errors.Is(err, ledger.ErrUnknownRules) {
		return fmt.Errorf("at offset %d: %w", record.Offset, err)
	}
	if err != nil {
		// Every replica skips it alike: the bytes are the same everywhere.
		l.skipped++
		l.log.ErrorContext(ctx, "lane entry skipped", "offset", record.Offset, "err", err)
		return nil
	}
	if entry.GetTick() == nil {
		l.commands++
	}
	for _, event := range events {
		if event.At.After(l.published) {
			l.outbox = append(l.outbox, announcement{event: event, time: l.ledger.Now(), traceparent: entry.GetTraceparent()})
		}
	}
	return nil
}

// wake tells everybody who waits to look again. The lock is held.
func (l *Lane) wake() {
	close(l.changed)
	l.changed = make(chan struct{})
}

func (l *Lane) stop(ctx context.Context, reason error) {
	l.mu.Lock()
	l.stopped = reason
	l.wake()
	l.mu.Unlock()
	l.log.ErrorContext(ctx, "lane stopped: it takes no command until it is mended", "err", reason)
}

// complain repeats why the lane stands still, until ctx ends.
func (l *Lane) complain(ctx context.Context) {
	for ctx.Err() == nil {
		pause(ctx, complainEvery)
		if reason := l.Stopped(); reason != "" && ctx.Err() == nil {
			l.log.ErrorContext(ctx, "lane stands still", "err", reason)
		}
	}
}

// Stopped says why the lane stands still; it is empty while it runs.
func (l *Lane) Stopped() string {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.stopped == nil {
		return ""
	}
	return l.stopped.Error()
}

// Skipped is how many entries meant nothing since this process read them.
func (l *Lane) Skipped() int64 {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.skipped
}

// Name is how messages name the lane.
func (l *Lane) Name() *campaignv1.Lane {
	return &campaignv1.Lane{Topic: l.topic, Partition: int32(l.partition)}
}

// applied is the offset behind the last applied entry.
func (l *Lane) applied() int64 {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.next
}

// caughtUp returns nil once the lane has applied what the log held when this
// process started. A stopped lane does not hold the others up.
func (l *Lane) caughtUp() error {
	l.mu.RLock()
	defer l.mu.RUnlock()
	switch {
	case l.stopped != nil:
		return nil
	case l.goal < 0:
		return fmt.Errorf("lane %s is not loaded yet", l.source())
	case l.next < l.goal:
		return fmt.Errorf("lane %s has applied %d of %d entries", l.source(), l.next, l.goal)
	}
	return nil
}

// Peek shows the ledger as it is applied here now. It holds the lane up: be
// short, and keep nothing that changes.
func (l *Lane) Peek(show func(*ledger.Ledger)) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	show(l.ledger)
}

// showAt shows the ledger once everything before the offset is applied.
func (l *Lane) showAt(ctx context.Context, offset int64, show func(*ledger.Ledger)) error {
	for {
		l.mu.RLock()
		if l.next >= offset && l.goal >= 0 {
			show(l.ledger)
			l.mu.RUnlock()
			return nil
		}
		stopped, changed := l.stopped, l.changed
		l.mu.RUnlock()
		if stopped != nil {
			return errStopped.Wrap(stopped)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return errTimeout.Wrap(ctx.Err())
		}
	}
}

// The faults of a lane. A caller who comes again with the same key is safe.
var (
	errStopped = fault.New(fault.Unavailable, "lane_stopped", "this campaign's sale stands still; come again later with the same key").RetryAfter(30)
	errTimeout = fault.New(fault.Timeout, "timeout", "not decided in time; ask again with the same key").RetryAfter(1)
	errBusy    = fault.New(fault.TooMany, "busy", "too many requests wait for this campaign; ask again in a second with the same key").RetryAfter(1)
	errLog     = fault.New(fault.Unavailable, "log_unavailable", "the log did not answer; ask again with the same key").RetryAfter(1)
)

// pause waits for d or the end of ctx.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
