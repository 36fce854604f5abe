//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/qingcang/qingcang/hack/bench/internal/card"
	"github.com/qingcang/qingcang/hack/bench/internal/load"
	"github.com/qingcang/qingcang/hack/bench/internal/systems"
	"github.com/qingcang/qingcang/hack/bench/internal/trial"
)

const (
	// fanoutRate is what the target speaks of, fanoutShare what of its own peak the service is asked for
	// at the most: two listeners share the machine with it.
	fanoutRate, fanoutShare = 10_000, 0.5
	// heardWithin bounds the wait for the last event.
	heardWithin = 30 * time.Second
)

// fanout takes the time from the acknowledgement of an order to its event's arrival in another
// service's consumer. Against it stands, at the same moments and the same rate on the same broker, the
// time from a bare writer's acknowledgement to a bare kafka-go reader: a hop that nobody is spared.
// Both listeners are processes of their own. Who hears before the acknowledgement waited for nothing.
func (b *bench) fanout(ctx context.Context) error {
	ours, err := b.another(ctx, systems.Options{Name: "order-fanout"})
	if err != nil {
		return err
	}
	consumer, err := ours.StartConsumer(ctx)
	if err != nil {
		return err
	}
	reader, err := ours.StartBareReader(ctx)
	if err != nil {
		return err
	}
	full, err := b.sell(ctx, &ours.System, b.closed())
	if err != nil {
		return err
	}
	rate := min(fanoutRate, fanoutShare*full.Rate())
	var mine, bare []float64
	for range 1 + b.repeats {
		own, plain, err := b.tell(ctx, ours, rate)
		if err != nil {
			return err
		}
		for _, l := range []struct {
			listener *systems.Listener
			told     map[string]time.Time
			tails    *[]float64
		}{{consumer, own, &mine}, {reader, plain, &bare}} {
			p99, err := tailOf(ctx, l.listener, l.told)
			if err != nil {
				return err
			}
			*l.tails = append(*l.tails, millis(p99))
		}
	}
	mine, bare = mine[1:], bare[1:] // in the first round the listeners joined and warmed up
	row := card.Row{
		ID: "fanout", Unit: "ms p99", Ours: card.Of(mine...), Against: card.Of(bare...), Ratio: ratios(mine, bare),
		Target: card.AtMost(2), Note: fmt.Sprintf("at %.0f orders/s", rate),
	}
	if rate < fanoutRate {
		row.Note += fmt.Sprintf(", %g of what this machine takes", fanoutShare)
	}
	b.rows = append(b.rows, row)
	return b.done(ctx, ours)
}

// tell places orders and publishes bare records at the same time, and returns when each was acknowledged.
func (b *bench) tell(ctx context.Context, ours *systems.Ours, rate float64) (own, plain map[string]time.Time, err error) {
	mark := b.field.Mark()
	var group errgroup.Group
	group.Go(func() (err error) {
		plain, err = ours.Bare(ctx, mark, rate, b.span)
		return err
	})
	own, err = b.ownOrders(ctx, ours, rate)
	return own, plain, errors.Join(err, group.Wait())
}

// ownOrders places orders and returns when each was acknowledged.
func (b *bench) ownOrders(ctx context.Context, ours *systems.Ours, rate float64) (map[string]time.Time, error) {
	sample, err := b.sell(ctx, &ours.System, load.Plan{
		Connections: b.connections, For: b.span, Rate: rate, Seed: 1, KeepBodies: true,
	})
	if err != nil {
		return nil, err
	}
	told := make(map[string]time.Time, len(sample.Bodies))
	for i, body := range sample.Bodies {
		id, err := trial.OrderID(body)
		if err != nil {
			return nil, err
		}
		told[id] = sample.Answered[i]
	}
	return told, nil
}

func tailOf(ctx context.Context, l *systems.Listener, told map[string]time.Time) (time.Duration, error) {
	heard, err := l.Heard(ctx, told, heardWithin)
	if err != nil {
		return 0, err
	}
	delays := make([]time.Duration, 0, len(heard))
	for id, at := range heard {
		delays = append(delays, max(0, at.Sub(told[id])))
	}
	slices.Sort(delays)
	return load.Quantile(delays, tail), nil
}
