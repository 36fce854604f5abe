package eventkit

import (
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// Table reads a compacted topic of one partition from its start and follows it until ctx ends.
// Apply gets each key's values in their order; nil is a deletion. CaughtUp is called once, when
// all that the topic held at the start has been applied. An error of apply ends the table; errors
// of the broker are waited out.
func (c *Conn) Table(ctx context.Context, topic string, apply func(key string, value []byte) error, caughtUp func()) error {
	return c.followPartition(ctx, topic, 0, func(r Record) error { return apply(string(r.Key), r.Value) }, caughtUp)
}

// Follow reads every partition of a topic from its start and follows them until ctx ends. It is
// for read models that every replica holds whole. Apply is called for one record at a time, in
// order within a partition. What a source has said before is left out: it would bring back what has
// changed since. CaughtUp is called once, as in Table.
func (c *Conn) Follow(ctx context.Context, topic string, apply func(Record) error, caughtUp func()) error {
	t, ok := TopicNamed(topic)
	if !ok {
		return fmt.Errorf("follow %s: topics.yaml has no such topic", topic)
	}
	var one sync.Mutex
	last := map[string]Position{}
	behind := t.Partitions
	group, ctx := errgroup.WithContext(ctx)
	for p := range t.Partitions {
		group.Go(func() error {
			return c.followPartition(ctx, topic, p, func(r Record) error {
				one.Lock()
				defer one.Unlock()
				if p, err := r.Event.Position(); err == nil {
					if before, heard := last[p.Source]; heard && !p.After(before) {
						return nil
					}
					last[p.Source] = p
				}
				return apply(r)
			}, func() {
				one.Lock()
				defer one.Unlock()
				if behind--; behind == 0 && caughtUp != nil {
					caughtUp()
				}
			})
		})
	}
	return group.Wait()
}

// followPartition returns nil when ctx ends.
func (c *Conn) followPartition(ctx context.Context, topic string, partition int, apply func(Record) error, caughtUp func()) error {
	next, end := int64(-1), int64(-1)
	for ctx.Err() == nil {
		if next < 0 {
			first, last, err := c.offsets(ctx, topic, partition)
			if err != nil {
				pause(ctx, retryPause)
				continue
			}
			next, end = first, last
		}
		if caughtUp != nil && next >= end {
			caughtUp()
			caughtUp = nil
		}
		records, err := c.Fetch(ctx, topic, partition, next)
		if unreadable(err) {
			return fmt.Errorf("follow %s: %w", topic, err)
		}
		if err != nil {
			pause(ctx, retryPause)
			continue
		}
		for _, r := range records {
			if err := apply(r); err != nil {
				return fmt.Errorf("apply %s/%d at %d: %w", topic, partition, r.Offset, err)
			}
			next = r.Offset + 1
		}
		if len(records) == 0 && caughtUp != nil {
			end = next // the rest up to the end was compacted away
		}
	}
	return nil
}

// retryPause is the wait after an error of the broker.
const retryPause = 250 * time.Millisecond

// pause waits for d or the end of ctx.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
