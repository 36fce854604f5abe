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

// assortments are what an order must not cost more for. A campaign's desired state is one record of at most
// 1 MiB, so that 100,000 SKUs are in many campaigns.
var assortments = []struct {
	id   string
	wide systems.Wide
}{
	{"grow_skus", systems.Wide{Campaigns: 100, SKUs: 1_000}},
	{"grow_campaigns", systems.Wide{Campaigns: 1_000, SKUs: 1}},
}

func growIDs() []string { return []string{assortments[0].id, assortments[1].id} }

// grow compares orders all over an assortment with orders for one SKU of one campaign, on two new
// services. The audit does not recount the assortment.
func (b *bench) grow(ctx context.Context) error {
	narrow, err := b.another(ctx, systems.Options{Name: "order-narrow"})
	if err != nil {
		return err
	}
	for _, a := range assortments {
		if !b.wants(a.id) {
			continue
		}
		wide, err := b.another(ctx, systems.Options{Name: "order-" + a.id, Wide: a.wide})
		if err != nil {
			return err
		}
		costs := make([][]float64, 2)
		err = trial.Interleave(len(costs), b.repeats, func(i int) error {
			sell := func() (trial.Sample, error) { return b.sellWide(ctx, wide, a.wide) }
			if i > 0 {
				sell = func() (trial.Sample, error) { return b.sell(ctx, &narrow.System, b.closed()) }
			}
			sample, err := sell()
			costs[i] = append(costs[i], sample.MicrosPerAnswer())
			return err
		})
		if err != nil {
			return err
		}
		b.rows = append(b.rows, card.Row{
			ID: a.id, Unit: "CPU µs/order", Ours: card.Of(costs[0]...), Against: card.Of(costs[1]...), Ratio: ratios(costs[0], costs[1]),
			Target: card.AtMost(1.1), Note: fmt.Sprintf("%d campaigns of %d SKUs", a.wide.Campaigns, a.wide.SKUs),
		})
		if err := b.done(ctx, wide); err != nil {
			return err
		}
	}
	return b.done(ctx, narrow)
}

// sellWide places orders all over an assortment.
func (b *bench) sellWide(ctx context.Context, ours *systems.Ours, w systems.Wide) (trial.Sample, error) {
	orders, err := b.field.WideOrders(w)
	if err != nil {
		return trial.Sample{}, err
	}
	sample, err := trial.Measure(ctx, &ours.System, load.Plan{Connections: b.connections, For: b.span, Orders: orders})
	if err == nil && sample.Accepted() != sample.Answers() {
		err = fmt.Errorf("%s: not all were accepted: %v", ours.Name, sample.Statuses)
	}
	return sample, err
}
