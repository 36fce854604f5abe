//go:build linux

package main

import (
	"context"

	"github.com/qingcang/qingcang/hack/bench/internal/card"
	"github.com/qingcang/qingcang/hack/bench/internal/systems"
	"github.com/qingcang/qingcang/hack/bench/internal/trial"
)

// telemetry compares the order service with traces and metrics on with one that has both off. Both
// are new: what an order costs may depend on how many there were.
func (b *bench) telemetry(ctx context.Context) error {
	on, err := b.another(ctx, systems.Options{Name: "order-traced"})
	if err != nil {
		return err
	}
	off, err := b.another(ctx, systems.Options{Name: "order-silent", Env: []string{
		"OTEL_TRACES_EXPORTER=none", "OTEL_METRICS_EXPORTER=none", "OTEL_TRACES_SAMPLER=always_off",
	}})
	if err != nil {
		return err
	}
	both := []*systems.System{&on.System, &off.System}
	costs := make([][]float64, len(both))
	err = trial.Interleave(len(both), b.repeats, func(i int) error {
		sample, err := b.sell(ctx, both[i], b.closed())
		costs[i] = append(costs[i], sample.MicrosPerAnswer())
		return err
	})
	if err != nil {
		return err
	}
	b.rows = append(b.rows, card.Row{
		ID: "telemetry", Unit: "CPU µs/order", Ours: card.Of(costs[0]...), Against: card.Of(costs[1]...), Ratio: ratios(costs[0], costs[1]),
		Target: card.AtMost(1.05),
	})
	if err := b.done(ctx, on); err != nil {
		return err
	}
	return b.done(ctx, off)
}
