//go:build linux

package main

import (
	"context"
	"fmt"
	"time"

	"github.com/qingcang/qingcang/hack/bench/internal/card"
	"github.com/qingcang/qingcang/hack/bench/internal/load"
	"github.com/qingcang/qingcang/hack/bench/internal/systems"
	"github.com/qingcang/qingcang/hack/bench/internal/trial"
)

const (
	// longLog and shortLog are orders in the lane. The target speaks of 100M and 1M: what depends on
	// the length of the log shows at these already, in minutes instead of hours.
	longLog, shortLog = 1_000_000, 10_000
	quickLog          = 100_000
	// recoverLimit is the other half of the target.
	recoverLimit = time.Second
	// probeEvery is how often a killed service is asked for an order.
	probeEvery = 2 * time.Millisecond
	// fillLimit bounds the wait for a service to catch up with its log.
	fillLimit = 5 * time.Minute
)

func (b *bench) longLog() int {
	if b.quick {
		return quickLog
	}
	return longLog
}

// recovery kills two order services, one with a short and one with a long log, and takes the time to
// the first accepted order. The supervisor's own pause before a start is part of it: 100 ms.
func (b *bench) recovery(ctx context.Context) error {
	var both []*systems.Ours
	for _, size := range []struct {
		name   string
		orders int
	}{{"order-long-log", b.longLog()}, {"order-short-log", shortLog}} {
		ours, err := b.filled(ctx, systems.Options{Name: size.name}, size.orders)
		if err != nil {
			return err
		}
		both = append(both, ours)
	}
	took := make([][]float64, len(both))
	err := trial.Interleave(len(both), b.repeats, func(i int) error {
		d, err := b.killed(ctx, both[i])
		took[i] = append(took[i], millis(d))
		return err
	})
	if err != nil {
		return err
	}
	row := card.Row{
		ID: "recover", Unit: "ms to the first order", Ours: card.Of(took[0]...), Against: card.Of(took[1]...), Ratio: ratios(took[0], took[1]),
		Target: card.AtMost(1.3), Note: fmt.Sprintf("%d orders against %d", b.longLog(), shortLog),
	}
	if row.Ours.Median > millis(recoverLimit) {
		row.Misses = "over 1 s"
	}
	b.rows = append(b.rows, row)
	return nil
}

// filled starts an order service with a log of so many orders, and waits until it has taken them in.
func (b *bench) filled(ctx context.Context, o systems.Options, orders int) (*systems.Ours, error) {
	ours, err := b.another(ctx, o)
	if err != nil {
		return nil, err
	}
	return ours, b.fill(ctx, ours, orders)
}

func (b *bench) fill(ctx context.Context, ours *systems.Ours, orders int) error {
	if err := ours.Fill(ctx, orders); err != nil {
		return err
	}
	b.sums[ours.Name].accepted += orders
	if err := b.firstOrder(ctx, ours, fillLimit); err != nil {
		return err
	}
	return ours.Settle(ctx)
}

// killed returns the time from a kill -9 to the first accepted order. It comes back when the lane has
// a publisher again, so that the next kill meets a whole service.
func (b *bench) killed(ctx context.Context, ours *systems.Ours) (time.Duration, error) {
	started := time.Now()
	if err := ours.Kill(); err != nil {
		return 0, err
	}
	if err := b.firstOrder(ctx, ours, fillLimit); err != nil {
		return 0, err
	}
	took := time.Since(started)
	_, _ = ours.Recount(ctx, systems.Hot) // waits for the publisher; what it finds is the audit's business
	return took, ours.Settle(ctx)
}

// firstOrder returns when an order is accepted.
func (b *bench) firstOrder(ctx context.Context, ours *systems.Ours, limit time.Duration) error {
	orders, err := b.field.Orders(systems.Hot, 1)
	if err != nil {
		return err
	}
	started := time.Now()
	ticker := time.NewTicker(probeEvery)
	defer ticker.Stop()
	for time.Since(started) < limit {
		result, err := load.Run(ctx, load.Plan{Address: ours.Address, Connections: 1, Source: func(buffer []byte, n int) ([]byte, bool) {
			return orders.Again(buffer, 0), n == 0 // the same order: it counts once, however often it is asked for
		}})
		if err == nil && result.Accepted() == 1 {
			b.sums[ours.Name].accepted++
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
	return fmt.Errorf("%s accepted no order within %s", ours.Name, limit)
}
