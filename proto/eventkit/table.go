package eventkit

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Table reads a compacted topic of one partition from its start and follows it until ctx ends.
// Apply gets each key's values in their order; nil is a deletion. CaughtUp is called once, when
// all that the topic held at the start has been applied. An error of apply ends the table; errors
// of the broker are waited out.
func (c *Conn) Table(ctx context.Context, topic string, apply func(key string, value []byte) error, caughtUp func()) error {
	next, end := int64(-1), int64(-1)
	for ctx.Err() == nil {
		if next < 0 {
			first, last, err := c.offsets(ctx, topic, 0)
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
		records, err := c.Fetch(ctx, topic, 0, next)
		if errors.Is(err, ErrTruncated) {
			return fmt.Errorf("table %s: %w", topic, err)
		}
		if err != nil {
			pause(ctx, retryPause)
			continue
		}
		for _, r := range records {
			if err := apply(string(r.Key), r.Value); err != nil {
				return fmt.Errorf("table %s at %d: %w", topic, r.Offset, err)
			}
			next = r.Offset + 1
		}
		if len(records) == 0 && caughtUp != nil {
			end = next // the rest up to the end was compacted away
		}
	}
	return ctx.Err()
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
