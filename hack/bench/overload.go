//go:build linux

package main

import (
	"context"
	"fmt"
	"time"

	"github.com/qingcang/qingcang/hack/bench/internal/card"
	"github.com/qingcang/qingcang/hack/bench/internal/load"
	"github.com/qingcang/qingcang/hack/bench/internal/trial"
)

const (
	// crowd is the number of connections of an overload.
	crowd = 2_000
	// overload is how much more than its peak a system is asked for.
	overload = 3
	// turnedAwayWithin is how soon who is turned away for overload must know.
	turnedAwayWithin = 50 * time.Millisecond
)

// overload compares what is accepted when three times as much is asked for with the peak.
func (b *bench) overload(ctx context.Context) error {
	us, err := b.us(ctx)
	if err != nil {
		return err
	}
	var peaks, crowded, refused, slowest []float64
	err = trial.Interleave(1, b.repeats, func(int) error {
		peak, err := b.sell(ctx, us, b.closed())
		if err != nil {
			return err
		}
		over, err := b.sell(ctx, us, load.Plan{
			Connections: crowd, For: b.span, Rate: overload * peak.Rate(), Drop: true, Seed: uint64(len(peaks)) + 1,
		})
		if err != nil {
			return err
		}
		peaks, crowded = append(peaks, peak.Rate()), append(crowded, over.Rate())
		refused = append(refused, float64(over.Answers()-over.Accepted())/over.Took.Seconds())
		slowest = append(slowest, millis(load.Quantile(over.TurnedAway, tail)))
		return nil
	})
	if err != nil {
		return err
	}
	row := card.Row{
		ID: "goodput_3x", Unit: "orders/s", Ours: card.Of(crowded...), Against: card.Of(peaks...), Ratio: ratios(crowded, peaks),
		Target: card.AtLeast(0.9), Note: fmt.Sprintf("%d connections; %.0f/s turned away, p99 of that %.0f ms", crowd, card.Of(refused...).Median, card.Of(slowest...).Median),
	}
	if card.Of(slowest...).Median > millis(turnedAwayWithin) {
		row.Misses = "turned away late"
	}
	b.rows = append(b.rows, row)
	return nil
}
