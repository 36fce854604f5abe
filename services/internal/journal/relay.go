package journal

import (
	"context"
	"fmt"
	"time"

	"github.com/qingcang/qingcang/proto/eventkit"
	journalv1 "github.com/qingcang/qingcang/proto/gen/journal/v1"
)

// Waits of a relay that has nothing to publish: another replica may write to the shard, so it looks
// often while the shard is busy and seldom when it is idle.
const (
	relayBusyWait = 20 * time.Millisecond
	relayIdleWait = time.Second
)

// Bounds of what a relay reads before it publishes; the last batch may go over.
const (
	relayEvents = 500
	relayBytes  = 2 << 20
)

// Relay publishes the shards whose partitions this process is assigned: shard n goes to partition n,
// in order, at least once, from behind the last event that stands there.
func (j *Journal[S]) Relay(conn *eventkit.Conn, topic string) eventkit.Role {
	return eventkit.Role{Own: func(ctx context.Context, a eventkit.Assignment) error {
		if a.Partition >= Shards {
			return fmt.Errorf("relay of %s: partition %d has no shard", topic, a.Partition)
		}
		r := &relay[S]{shard: j.shards[a.Partition], conn: conn, topic: topic}
		return r.run(ctx)
	}}
}

type relay[S any] struct {
	shard *shard[S]
	conn  *eventkit.Conn
	topic string
	next  uint64 // the batch to publish next
	skip  uint32 // facts of that batch that are published
	prev  string // id of the last published event
}

func (r *relay[S]) run(ctx context.Context) error {
	last, ok, err := r.conn.LastEvent(ctx, r.topic, r.shard.number, r.shard.name)
	if err != nil {
		return err
	}
	r.next = 1
	if ok {
		p, err := last.Position()
		if err != nil {
			return err
		}
		r.next, r.skip, r.prev = p.Seq, p.Index+1, last.ID
	}
	wait := relayBusyWait
	for ctx.Err() == nil {
		published, err := r.publishSome(ctx)
		if err != nil {
			return err
		}
		if published {
			wait = relayBusyWait
			continue
		}
		r.await(ctx, wait)
		wait = min(2*wait, relayIdleWait)
	}
	return nil
}

// publishSome sends what is there, up to a bound, and reports whether there was anything to read.
func (r *relay[S]) publishSome(ctx context.Context) (bool, error) {
	var events []eventkit.Event
	next, skip, prev, bytes := r.next, r.skip, r.prev, 0
	for len(events) < relayEvents && bytes < relayBytes {
		batch, found, err := r.shard.batch(ctx, next)
		if err != nil {
			return false, err
		}
		if !found {
			break
		}
		for i, e := range batch.GetEvents() {
			if e.GetPrivate() || uint32(i) < skip {
				continue
			}
			event := eventkit.Event{
				ID: eventkit.Position{Source: r.shard.name, Seq: next, Index: uint32(i)}.String(), Prev: prev,
				Type: e.GetType(), Subject: e.GetSubject(), Time: batch.GetDecidedAt().AsTime(),
				Traceparent: e.GetTraceparent(), Data: e.GetData(),
			}
			events, prev = append(events, event), event.ID
			bytes += len(event.Data)
		}
		next, skip = next+1, 0
	}
	if next == r.next {
		return false, nil
	}
	if err := r.conn.Publish(ctx, r.topic, r.shard.number, events); err != nil {
		return false, err
	}
	r.next, r.skip, r.prev = next, skip, prev
	return true, nil
}

// await waits until the shard changes here, or looks for another replica's batch after a while.
func (r *relay[S]) await(ctx context.Context, wait time.Duration) {
	r.shard.mu.RLock()
	seq, changed := r.shard.seq, r.shard.changed
	r.shard.mu.RUnlock()
	if seq >= r.next {
		return
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-changed:
	case <-timer.C:
		if err := r.shard.look(ctx); err != nil && ctx.Err() == nil {
			r.shard.cfg.Log.WarnContext(ctx, "relay cannot look for new batches", "shard", r.shard.name, "error", err)
		}
	}
}

// batch returns batch n of the shard from memory or the store; false if it is not applied here yet.
func (s *shard[S]) batch(ctx context.Context, n uint64) (*journalv1.Batch, bool, error) {
	s.mu.RLock()
	seq, kept := s.seq, s.recent.get(n)
	s.mu.RUnlock()
	if n > seq || kept != nil {
		return kept, kept != nil, nil
	}
	batch, found, err := s.cfg.Store.Get(ctx, s.number, n)
	if err == nil && !found {
		err = fmt.Errorf("%s: batch %d is gone, but %d was applied", s.name, n, seq)
	}
	return batch, found, err
}
