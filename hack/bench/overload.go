//go:build linux

package main

import (
	"context"
	"fmt"

	"github.com/qingcang/qingcang/hack/bench/internal/card"
	"github.com/qingcang/qingcang/hack/bench/internal/load"
	"github.com/qingcang/qingcang/hack/bench/internal/trial"
)

const (
	// crowd is the number of connections of an overload.
	crowd = 2_000
	// overload is how much more than its peak a system is asked for.
	overload = 3
)

// overload compares what is accepted when three times as much is asked for with the peak.
func (b *bench) overload(ctx context.Context) error {
	us, err := b.us(ctx)
	if err != nil {
		return err
	}
	var peaks, crowded, refused []float64
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
		return nil
	})
	if err != nil {
		return err
	}
	b.rows = append(b.rows, card.Row{
		ID: "goodput_3x", Unit: "orders/s", Ours: card.Of(crowded...), Against: card.Of(peaks...), Ratio: ratios(crowded, peaks),
		Target: card.AtLeast(0.9), Note: fmt.Sprintf("%d connections; refused %.0f/s", crowd, card.Of(refused...).Median),
	})
	return nil
}
