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
	"math/rand/v2"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/qingcang/qingcang/proto/eventkit"
	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
	"github.com/qingcang/qingcang/proto/lane/record"
	"github.com/qingcang/qingcang/services/internal/fault"
	"github.com/qingcang/qingcang/services/order/internal/ledger"
)

// retryPause is between two tries to read the log; a start waits four times as long.
const retryPause = 250 * time.Millisecond

// Lane is one partition and its ledger. It is safe for concurrent use.
type Lane struct {
	topic      string
	partition  int
	campaign   string // the only one of a dedicated lane; empty for a shared lane
	source     string // the first part of the ids of the lane's events
	eventShard int    // the partition of EventTopic that takes them
	conn       *eventkit.Conn
	snapshots  Snapshots
	campaigns  *Campaigns
	log        *slog.Logger

	turns  chan struct{} // bounds how many are loaded at once; nil for no bound
	writer uint64        // random: by it this process knows its entries
	desk   *desk
	ends   ends // shared questions for the end of the log
	recent recent

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
	found     found           // how far the lane's events were looked for in their topic
	// savedSearch is how far that was by the newest snapshot.
	savedSearch int64
	appended    appendTime
	loadedAt    int64          // offset of the snapshot that the lane began with, -1 for none
	skips       map[int64]bool // entries that are not to count
	passed      map[int64]bool // those of them that have been passed over
	anew        bool           // what is built here is not what the skips say
	marks       marks
	built       int // how often the ledger was loaded
	stage       stage
	// absentSince is when the lane's topic was missed first.
	absentSince time.Time
	waking      waking
}

// announcement is an event that waits to be published.
type announcement struct {
	event ledger.Event
	time  time.Time    // ledger time
	trace record.Trace // of the entry that caused it
}

// appendTime is the newest append time that the broker told, and when it did by
// this machine's clock.
type appendTime struct{ at, learned time.Time }

func newLane(topic string, partition int, cfg Config) *Lane {
	source := fmt.Sprintf("%s/%d", topic, partition)
	return &Lane{
		topic: topic, partition: partition, source: source, eventShard: partition,
		conn: cfg.Conn, snapshots: cfg.Snapshots, campaigns: cfg.Campaigns,
		log:    cfg.Log.With("lane", source),
		writer: rand.Uint64(), //nolint:gosec // no secret, only unlike others
		desk:   newDesk(), changed: make(chan struct{}),
		ledger: ledger.New(), goal: -1, published: ledger.None, found: foundNothing(), loadedAt: -1,
		skips: map[int64]bool{}, passed: map[int64]bool{}, marks: newMarks(cfg.SnapshotEvery),
	}
}

// run reads and appends until ctx ends. A lane that stops does not end it: the
// other lanes go on.
func (l *Lane) run(ctx context.Context) error {
	if !l.campaigns.await(ctx) { // it says which entries are not to count
		return nil
	}
	l.learnTable()
	if _, ok := l.load(ctx); !ok {
		return nil
	}
	l.reaches(running)
	return l.follow(ctx)
}

// follow is the life of a lane that is loaded.
func (l *Lane) follow(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { l.read(ctx); return nil })
	group.Go(func() error { l.append(ctx); return nil })
	group.Go(func() error { l.followPublished(ctx); return nil })
	group.Go(func() error { l.followTable(ctx); return nil })
	return group.Wait()
}

// load gets the newest snapshot, what is published and the end of the log; it
// tries until it has them, and ok is false when ctx ends before, or the lane is
// forsaken. One that rests has no more to do than that.
func (l *Lane) load(ctx context.Context) (rests, ok bool) {
	for ctx.Err() == nil {
		rests, err := l.tryLoad(ctx)
		if err == nil {
			return rests, true
		}
		if l.campaign != "" && errors.Is(err, eventkit.ErrNoTopic) {
			if l.waitsForTopic(ctx); l.forsaken() {
				return false, false
			}
			pause(ctx, topicPause)
			continue
		}
		l.log.WarnContext(ctx, "lane cannot start yet", "err", err)
		pause(ctx, 4*retryPause)
	}
	return false, false
}

func (l *Lane) tryLoad(ctx context.Context) (rests bool, err error) {
	if l.turns != nil {
		select {
		case l.turns <- struct{}{}:
			defer func() { <-l.turns }()
		case <-ctx.Done():
			return false, ctx.Err()
		}
	}
	begin, err := l.latest(ctx)
	if err != nil {
		return false, err
	}
	rests, end, err := l.mayRest(ctx, begin)
	if err != nil {
		return false, err
	}
	if rests {
		l.takeUp(begin, begin.found, end)
		return true, nil
	}
	found, end, err := l.foundAtStart(ctx, begin)
	if err != nil {
		return false, err
	}
	if begin.ledger.Last().After(found.at) {
		// Events that were published are gone from their topic. Only the whole log
		// can make them again.
		l.log.ErrorContext(ctx, "published events are missing; the lane begins with its whole log", "published", found.at.Offset, "snapshot", begin.ledger.Last().Offset)
		begin = nothingSaved()
	}
	l.takeUp(begin, found, end)
	return false, nil
}

// takeUp goes on from what was loaded.
func (l *Lane) takeUp(begin saved, found found, end int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ledger, l.next, l.published, l.found, l.goal, l.loadedAt = begin.ledger, begin.next, found.at, found, end, begin.next-1
	l.savedSearch = begin.found.searched
	l.built++
	l.waking.loaded(end)
	l.passed, l.outbox, l.stopped, l.marks = begin.passed, nil, nil, newMarks(l.marks.every)
	l.anew = l.anew || l.countsSkipped() // one that was learnt of since the snapshot was chosen
	l.recent.clear()
	l.wake()
}

// wake tells everybody who waits to look again. The lock is held.
func (l *Lane) wake() {
	close(l.changed)
	l.changed = make(chan struct{})
}

func (l *Lane) stop(ctx context.Context, reason error) {
	l.mu.Lock()
	l.stopped = reason
	at := l.next
	l.wake()
	l.mu.Unlock()
	l.desk.failAll(errStopped.Wrap(reason))
	l.log.ErrorContext(ctx, "lane stopped: it takes no command until it is mended, or a campaign's desired state skips the offset",
		"err", reason, "offset", at)
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

// begunWith is the end of the log when the lane was loaded.
func (l *Lane) begunWith() int64 {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.goal
}

// applied is the offset behind the last applied entry.
func (l *Lane) applied() int64 {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.next
}

// caughtUp returns nil once the lane has applied what the log held when this
// process started. A stopped lane does not hold the others up, nor does one whose
// topic is not there, or that waits for its turn.
func (l *Lane) caughtUp() error {
	l.mu.RLock()
	defer l.mu.RUnlock()
	switch {
	case l.stopped != nil, l.stage == absent, l.stage == queued:
		return nil
	case l.goal < 0:
		return fmt.Errorf("lane %s is not loaded yet", l.source)
	case l.next < l.goal:
		return fmt.Errorf("lane %s has applied %d of %d entries", l.source, l.next, l.goal)
	}
	return nil
}

// The faults of a lane. A caller who comes again with the same key is safe.
var (
	errStopped = fault.New(fault.Unavailable, "lane_stopped", "this campaign's sale stands still; come again later with the same key").RetryAfter(30)
	errTimeout = fault.New(fault.Timeout, "timeout", "not decided in time; ask again with the same key").RetryAfter(1)
	errBusy    = fault.New(fault.TooMany, "busy", "too many requests wait for this campaign; ask again in a second with the same key").RetryAfter(1)
	errLog     = fault.New(logFault, "log_unavailable", "the log did not answer; ask again with the same key").RetryAfter(1)
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
