//go:build linux

package main

import (
	"context"
	"fmt"

	"github.com/qingcang/qingcang/hack/bench/internal/card"
	"github.com/qingcang/qingcang/hack/bench/internal/load"
	"github.com/qingcang/qingcang/hack/bench/internal/systems"
	"github.com/qingcang/qingcang/hack/bench/internal/trial"
)

const (
	// calm is the share of the no-op's rate at which latency is measured.
	calm = 0.25
	// tail is the quantile that counts.
	tail = 0.99
)

// latency measures an open loop at the same rate for both. One acknowledgement of the broker is what
// durability costs at the least; its median, taken anew for each repeat while the broker is idle, is
// taken off before the ratio is built.
func (b *bench) latency(ctx context.Context) error {
	us, err := b.us(ctx)
	if err != nil {
		return err
	}
	noop, err := b.peer(ctx, systems.Noop)
	if err != nil {
		return err
	}
	full, err := b.sell(ctx, noop, b.closed())
	if err != nil {
		return err
	}
	both := []*systems.System{us, noop}
	tails := make([][]float64, len(both))
	var acks, beyond []float64
	err = trial.Interleave(len(both), b.repeats, func(i int) error {
		sample, err := b.sell(ctx, both[i], load.Plan{
			Connections: b.connections, For: b.span, Rate: calm * full.Rate(), Seed: uint64(len(tails[i])) + 1,
		})
		tails[i] = append(tails[i], millis(sample.Quantile(tail)))
		if err != nil || i > 0 {
			return err
		}
		ack, err := b.ours.Acknowledgement(ctx)
		acks = append(acks, millis(ack))
		beyond = append(beyond, max(0, millis(sample.Quantile(tail)-ack)))
		return err
	})
	if err != nil {
		return err
	}
	b.rows = append(b.rows, card.Row{
		ID: "p99_vs_noop", Unit: "ms", Ours: card.Of(tails[0]...), Against: card.Of(tails[1]...), Ratio: ratios(beyond, tails[1]),
		Target: card.AtMost(2), Note: fmt.Sprintf("at %.0f/s; one broker ack (%.2f ms) taken off", calm*full.Rate(), card.Of(acks...).Median),
	})
	return nil
}
