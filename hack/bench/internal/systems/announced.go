package systems

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/qingcang/qingcang/proto/eventkit"
)

// Announced is how many events the lane's publisher has written.
func (us *Ours) Announced(ctx context.Context) (int64, error) {
	return us.conn.EndOffset(ctx, laneEvents, lane)
}

// AwaitAnnounced waits for so many events.
func (us *Ours) AwaitAnnounced(ctx context.Context, want int64, limit time.Duration) error {
	ticker := time.NewTicker(publishedCheck)
	defer ticker.Stop()
	for end := time.Now().Add(limit); ; {
		got, err := us.Announced(ctx)
		if err != nil || got >= want {
			return err
		}
		if time.Now().After(end) {
			return fmt.Errorf("%d of %d events of %s are published after %s", got, want, us.Name, limit)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
}

const orderHeld = "order.v1.OrderHeld"

// Watch consumes the lane's events as another service does, until ctx ends, and counts the orders.
func (us *Ours) Watch(ctx context.Context, held *atomic.Int64) error {
	return us.conn.Consume(ctx, eventkit.Group{ID: "bench-watch", Topics: map[string]eventkit.Role{
		laneEvents: {Handle: func(_ context.Context, records []eventkit.Record) error {
			for _, record := range records {
				if record.Event.Type == orderHeld {
					held.Add(1)
				}
			}
			return nil
		}},
	}})
}
