// Package journal keeps the decisions of a service: per shard a sequence of batches of facts, where
// the insertion of "<shard>/<seq>" is the compare-and-swap. State is a deterministic fold over the
// facts, held in memory; nothing is ever updated in place, and there is no outbox, because the
// batch is the outbox.
//
// A command is decided against the folded state. All commands that wait share one insertion. When
// somebody else was faster, his batch is read and applied, and the commands are decided again.
package journal

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"
	"google.golang.org/protobuf/proto"

	"github.com/qingcang/qingcang/proto/eventkit"
	"github.com/qingcang/qingcang/services/internal/fault"
	"github.com/qingcang/qingcang/services/internal/ids"
	"github.com/qingcang/qingcang/services/internal/telemetry"
)

// Shards is the number of shards of every journal and of partitions of every event topic. It never
// changes: keys would land elsewhere.
const Shards = 8

// Bounds of one batch and of the queue before it.
const (
	maxBatchCommands = 256
	maxBatchBytes    = 4 << 20
	// maxFactBytes keeps a published fact, with its headers, within the 1 MiB of a topic's message:
	// one that Kafka refuses would stop the relay for good.
	maxFactBytes = 768 << 10
	queueLength  = 4_096
)

// Fact is one thing that was decided.
type Fact = proto.Message

// Meta is where and when a fact was decided.
type Meta struct {
	Shard     int
	Seq       uint64
	Index     uint32
	DecidedAt time.Time
}

// Machine folds facts into the state of one shard. S is a pointer type. Apply must depend on
// nothing but its arguments, must not fail, and must not keep the fact.
type Machine[S any] interface {
	New() S
	Apply(state S, fact Fact, meta Meta)
	// Encode and Decode carry a state through a snapshot. Decode must fail for what another version
	// of Encode wrote; the shard is then folded from its first batch.
	Encode(state S) ([]byte, error)
	Decode(data []byte) (S, error)
}

// Config says what a journal is called and where it is kept.
type Config struct {
	// Name is the first part of its events' ids.
	Name  string
	Store Store
	// Subject gives the aggregate a fact is about; it becomes the event's key.
	Subject func(Fact) string
	// Private facts are not published; nil publishes all.
	Private func(Fact) bool
	// Now is the clock that decisions see; nil is the machine's.
	Now func() time.Time
	Log *slog.Logger
	// SnapshotEvery is the number of batches between snapshots of a shard; 0 is 2,000.
	SnapshotEvery int
}

// Command asks for a decision.
type Command[S any] struct {
	// Key is what the decision is about: two commands of one key never share a batch, so that each
	// sees the other's facts. Decide must read only what changes through this key, or only grows.
	Key string
	// Route picks the shard; empty is Key.
	Route string
	// Heard is the consumed event that the command comes from. The shard drops the command when it
	// has taken that event in, and keeps the position together with the facts: an event gives a
	// shard one command at most. A decision without facts is not kept by itself, so after a restart
	// it may be made again, against a later state.
	Heard *eventkit.Position
	// Traceparent continues the event's trace; empty takes the context's.
	Traceparent string
	// Decide is pure. It may run again after a lost race. An error is returned to the caller; no
	// facts and no error means that there is nothing to do.
	Decide func(state S, now time.Time) ([]Fact, error)
}

func (c Command[S]) route() string {
	if c.Route == "" {
		return c.Key
	}
	return c.Route
}

// Journal is safe for concurrent use once Run runs.
type Journal[S any] struct {
	cfg      Config
	machine  Machine[S]
	measures *measures
	shards   [Shards]*shard[S]
}

// Open reads the snapshots and batches of every shard into memory.
func Open[S any](ctx context.Context, cfg Config, machine Machine[S]) (*Journal[S], error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Private == nil {
		cfg.Private = func(Fact) bool { return false }
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.SnapshotEvery == 0 {
		cfg.SnapshotEvery = 2_000
	}
	measures, err := newMeasures(cfg.Name)
	if err != nil {
		return nil, fmt.Errorf("open journal %s: %w", cfg.Name, err)
	}
	j := &Journal[S]{cfg: cfg, machine: machine, measures: measures}
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(2) // a start reads much; leave the database to the others
	for n := range j.shards {
		j.shards[n] = newShard(j, n)
		group.Go(func() error { return j.shards[n].load(groupCtx) })
	}
	if err := group.Wait(); err != nil {
		return nil, fmt.Errorf("open journal %s: %w", cfg.Name, err)
	}
	return j, nil
}

// Run decides commands until ctx ends; a Journal runs once. Commands that wait then, and all that
// come later, get fault.Unavailable.
func (j *Journal[S]) Run(ctx context.Context) error {
	unwatch, err := j.measures.watchQueues(j.queued)
	if err != nil {
		return fmt.Errorf("run journal %s: %w", j.cfg.Name, err)
	}
	defer unwatch()
	group, ctx := errgroup.WithContext(ctx)
	for _, s := range j.shards {
		group.Go(func() error {
			s.run(ctx)
			return nil
		})
	}
	return group.Wait()
}

// ShardOf is the shard that a route leads to.
func ShardOf(route string) int { return ids.Shard(route, Shards) }

// Do decides one command. On nil its facts are durable and applied. A fault that Decide returned
// comes back as it is; fault.Unavailable means that the outcome is unknown or the store is away:
// ask again with the same command.
func (j *Journal[S]) Do(ctx context.Context, c Command[S]) error {
	w := newWaiter(c, nil)
	s, err := j.enqueue(ctx, w)
	if err != nil {
		return err
	}
	return w.wait(ctx, s.stopped)
}

// Hear decides the commands of consumed events, in their order. On nil all are durable. The first
// error is returned after all have been waited for; behind a failed command those of the same
// source are not decided in its shard. Those that succeeded are dropped at the retry.
func (j *Journal[S]) Hear(ctx context.Context, commands []Command[S]) error {
	type place struct {
		shard  int
		source string
	}
	strands := map[place]*strand{}
	waiters := make([]*waiter[S], 0, len(commands))
	shards := make([]*shard[S], 0, len(commands))
	for _, c := range commands {
		w := newWaiter(c, nil)
		if c.Heard != nil {
			at := place{ShardOf(c.route()), c.Heard.Source}
			if strands[at] == nil {
				strands[at] = &strand{}
			}
			w.strand = strands[at]
		}
		s, err := j.enqueue(ctx, w)
		if err != nil {
			return err
		}
		waiters, shards = append(waiters, w), append(shards, s)
	}
	var first error
	for i, w := range waiters {
		if err := w.wait(ctx, shards[i].stopped); err != nil && first == nil {
			first = err
		}
	}
	return first
}

// View shows the state of a route's shard after a look for what others have written. The state
// must not be changed or kept.
func (j *Journal[S]) View(ctx context.Context, route string, show func(state S)) error {
	s := j.shards[ShardOf(route)]
	if err := s.look(ctx); err != nil {
		return err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	show(s.state)
	return nil
}

// Look makes sure that every shard's state holds all that was written when the call began. A shard
// that this replica neither writes nor publishes stands still until somebody looks.
func (j *Journal[S]) Look(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, s := range j.shards {
		group.Go(func() error { return s.look(ctx) })
	}
	return group.Wait()
}

// Each shows every shard's state as it is applied here now; see Look. It holds up the shard: be short.
func (j *Journal[S]) Each(show func(shard int, state S)) {
	for n, s := range j.shards {
		s.mu.RLock()
		show(n, s.state)
		s.mu.RUnlock()
	}
}

// queued is how many commands wait in all shards.
func (j *Journal[S]) queued() (n int) {
	for _, s := range j.shards {
		n += len(s.queue)
	}
	return n
}

// enqueue gives the command to its shard.
func (j *Journal[S]) enqueue(ctx context.Context, w *waiter[S]) (*shard[S], error) {
	if w.command.Traceparent == "" {
		w.command.Traceparent = telemetry.Traceparent(ctx)
	}
	s := j.shards[ShardOf(w.command.route())]
	if w.command.Heard != nil { // a consumer waits for a place: it has nothing better to do
		return s, s.put(ctx, w)
	}
	select {
	case s.queue <- w:
		return s, nil
	case <-s.stopped:
		return nil, unavailable(errStopped)
	default:
		return nil, fault.New(fault.TooMany, "busy", "Too many requests wait for this shard. Try again in a second with the same key.").RetryAfter(1)
	}
}
