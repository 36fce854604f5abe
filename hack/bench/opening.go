//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/qingcang/qingcang/hack/bench/internal/card"
	"github.com/qingcang/qingcang/hack/bench/internal/load"
	"github.com/qingcang/qingcang/hack/bench/internal/systems"
)

const (
	// openingWithin is what the first order of a sale may be late by.
	openingWithin = 100 * time.Millisecond
	// openingSeconds of openingsEach sales begin in a repeat: on the second, as campaigns do.
	openingSeconds, openingsEach = 5, 10
	// openingNotice is how long before the first of them they are announced.
	openingNotice = 5 * time.Second
	// Orders come from before the start to after it, at random times.
	openingLead, openingTrail = 200 * time.Millisecond, 800 * time.Millisecond
	openingRate               = 200 // orders a second for each sale: 5 ms between two
	openingConnections        = 4
)

// openJitter takes how late after its start the first order of a sale is accepted, over HTTP. The
// operator is not on this way: the lane opens by its own log.
func (b *bench) openJitter(ctx context.Context) error {
	ours, err := b.another(ctx, systems.Options{Name: "order-opening"})
	if err != nil {
		return err
	}
	var tails []float64
	var all []time.Duration
	for range b.repeats {
		late, err := b.openings(ctx, ours)
		if err != nil {
			return err
		}
		slices.Sort(late)
		tails = append(tails, millis(load.Quantile(late, tail)))
		all = append(all, late...)
	}
	slices.Sort(all)
	limit := millis(openingWithin)
	row := card.Row{
		ID: "open_jitter", Unit: "ms p99", Ours: card.Of(tails...), Against: card.Of(limit), Target: card.AtMost(1),
		Note: fmt.Sprintf("%d sales, %d a second; median %.0f ms, least %.0f, most %.0f; orders every %d ms",
			len(all), openingsEach, millis(load.Quantile(all, 0.5)), millis(all[0]), millis(all[len(all)-1]), 1_000/openingRate),
	}
	row.Ratio = ratios(tails, slices.Repeat([]float64{limit}, len(tails)))
	if all[0] < 0 {
		row.Misses = "early"
	}
	b.rows = append(b.rows, row)
	return b.done(ctx, ours)
}

// openings lets sales open under a stream of orders each, and returns how late the first was accepted.
func (b *bench) openings(ctx context.Context, ours *systems.Ours) ([]time.Duration, error) {
	first := time.Now().Add(openingNotice)
	sales, err := ours.Openings(ctx, b.field.Mark(), first, openingSeconds, openingsEach)
	if err != nil {
		return nil, err
	}
	late, errs := make([]time.Duration, len(sales)), make([]error, len(sales))
	var wg sync.WaitGroup
	for i, sale := range sales {
		orders, err := b.field.Orders(sale.Sale, 1)
		if err != nil {
			return nil, err
		}
		plan := load.Plan{
			Address: ours.Address, Connections: openingConnections, Orders: orders,
			For: openingLead + openingTrail, Rate: openingRate, Seed: uint64(i), KeepBodies: true,
		}
		wg.Go(func() { late[i], errs[i] = opening(ctx, sale, plan) })
	}
	wg.Wait()
	return late, errors.Join(errs...)
}

// opening asks a sale for orders until after its start and returns how late the first was accepted:
// the time of the answer, so that nobody can say it was asked too late.
func opening(ctx context.Context, sale systems.Opening, plan load.Plan) (time.Duration, error) {
	wait := time.Until(sale.At.Add(-openingLead))
	if wait < 0 {
		return 0, fmt.Errorf("%s: its start came before it was ready to be watched", sale.Campaign)
	}
	if err := pause(ctx, wait); err != nil {
		return 0, err
	}
	result, err := load.Run(ctx, plan)
	if err != nil {
		return 0, err
	}
	if len(result.Answered) == 0 {
		return 0, fmt.Errorf("%s: no order was accepted within %s of its start: %v", sale.Campaign, openingTrail, result.Statuses)
	}
	return slices.MinFunc(result.Answered, time.Time.Compare).Sub(sale.At), nil
}
