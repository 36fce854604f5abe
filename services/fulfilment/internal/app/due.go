package app

import (
	"context"
	"time"

	"github.com/qingcang/qingcang/services/fulfilment/internal/shipping"
	"github.com/qingcang/qingcang/services/internal/journal"
)

const (
	duePause = time.Second
	dueBatch = 500
)

// CloseWindows decides what time alone decides, until ctx ends. Every replica may run it: what one
// has decided is nothing to the others.
func (a *App) CloseWindows(ctx context.Context) error {
	ticker := time.NewTicker(duePause)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case now := <-ticker.C:
			a.closeDue(ctx, now)
		}
	}
}

func (a *App) closeDue(ctx context.Context, now time.Time) {
	var due []string
	a.journal.Each(func(_ int, s *shipping.Orders) { due = append(due, s.DueBy(now, dueBatch)...) })
	waiting := make(chan error, len(due))
	for _, orderID := range due {
		go func() { // at most dueBatch a shard, all in one or two batches of the journal
			waiting <- a.journal.Do(ctx, journal.Command[*shipping.Orders]{
				Key: orderID,
				Decide: func(s *shipping.Orders, now time.Time) ([]journal.Fact, error) {
					return shipping.Due(s.Get(orderID), now), nil
				},
			})
		}()
	}
	failed := 0
	var last error
	for range due {
		if err := <-waiting; err != nil {
			failed, last = failed+1, err
		}
	}
	if failed > 0 && ctx.Err() == nil {
		a.log.WarnContext(ctx, "return windows not closed, trying again in a second", "orders", failed, "error", last)
	}
}
