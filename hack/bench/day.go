//go:build linux

package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/qingcang/qingcang/hack/bench/internal/card"
	"github.com/qingcang/qingcang/hack/bench/internal/day"
	"github.com/qingcang/qingcang/hack/bench/internal/load"
	"github.com/qingcang/qingcang/hack/bench/internal/systems"
)

const (
	// dayOrders is the day that the target speaks of: Yunji's greatest.
	dayOrders = 12_000_000
	// dayShare is what of its peak the service is asked for in the busiest minute: its consumer shares
	// the machine.
	dayShare = 0.6
	// drainLimit is how long after a rush the consumer may be behind.
	drainLimit = time.Second
)

// day sells for a whole day that passes in minutes. The busiest minute asks for what this machine can
// take, all else follows from the shape. Behind each rush it takes the time until another service's
// consumer has heard of every order that was accepted until then.
func (b *bench) day(ctx context.Context) error {
	ours, err := b.another(ctx, systems.Options{Name: "order-day"})
	if err != nil {
		return err
	}
	full, err := b.sell(ctx, &ours.System, b.closed())
	if err != nil {
		return err
	}
	watch, err := b.watch(ctx, ours)
	if err != nil {
		return err
	}
	defer watch.stop()
	length, mean := b.sizes().day, dayShare*full.Rate()/day.Peak
	var drains []float64
	measured := make(chan error, 1)
	go func() { // the generator keeps its own thread busy
		var err error
		drains, err = watch.drains(ctx, day.Ends(length))
		measured <- err
	}()
	sample, err := b.sell(ctx, &ours.System, load.Plan{
		Connections: crowd, For: length, Rate: mean, Seed: 1, Accepted: &watch.accepted,
		Shape: func(since time.Duration) float64 { return day.At(since, length) },
	})
	if err != nil {
		return err
	}
	if err := <-measured; err != nil {
		return err
	}
	worst := slices.Max(drains)
	row := card.Row{
		ID: "shenzhou_day", Unit: "ms until drained", Ours: card.Of(drains...), Against: card.Of(millis(drainLimit)),
		Ratio: card.Of(worst / millis(drainLimit)), Target: card.AtMost(1),
		Note: fmt.Sprintf("a day of %d orders (1/%.0f) in %s; busiest minute %.0f/s, %d times the mean; p99 %.0f ms; %d errors",
			sample.Answers(), float64(dayOrders)/float64(sample.Answers()), length, mean*day.Peak, day.Peak,
			millis(sample.Quantile(tail)), sample.Answers()-sample.Accepted()),
	}
	if sample.Answers() != sample.Accepted() {
		row.Misses = fmt.Sprintf("errors %v", sample.Statuses)
	}
	b.rows = append(b.rows, row)
	return b.done(ctx, ours)
}

// watch is a consumer of the lane's events, as another service has it, in this process.
type watch struct {
	accepted atomic.Int64 // orders, since before all that the consumer has heard
	held     atomic.Int64 // events that it heard
	stop     func()
}

// watch returns when the consumer has caught up.
func (b *bench) watch(ctx context.Context, ours *systems.Ours) (*watch, error) {
	ctx, cancel := context.WithCancel(ctx)
	w := &watch{}
	var running sync.WaitGroup
	w.stop = func() { cancel(); running.Wait() }
	running.Go(func() {
		if err := ours.Watch(ctx, &w.held); err != nil {
			b.say("the consumer of the day's events: %v", err)
		}
	})
	w.accepted.Store(int64(b.sums[ours.Name].accepted))
	if _, err := w.drained(ctx, heardWithin); err != nil {
		w.stop()
		return nil, err
	}
	return w, nil
}

// drains takes, at each of these times from now, how long the consumer is behind, in ms.
func (w *watch) drains(ctx context.Context, ends []time.Duration) (took []float64, err error) {
	started := time.Now()
	for _, end := range ends {
		timer := time.NewTimer(time.Until(started.Add(end)))
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil, ctx.Err()
		case <-timer.C:
		}
		d, err := w.drained(ctx, heardWithin)
		if err != nil {
			return nil, err
		}
		took = append(took, millis(d))
	}
	return took, nil
}

// drained waits until the consumer has heard of all that is accepted now.
func (w *watch) drained(ctx context.Context, limit time.Duration) (time.Duration, error) {
	want, started := w.accepted.Load(), time.Now()
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	for w.held.Load() < want {
		if time.Since(started) > limit {
			return 0, fmt.Errorf("the consumer has heard of %d of %d orders after %s", w.held.Load(), want, limit)
		}
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-ticker.C:
		}
	}
	return time.Since(started), nil
}
