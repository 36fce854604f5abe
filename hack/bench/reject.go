//go:build linux

package main

import (
	"context"
	"fmt"
	"net/http"

	"github.com/qingcang/qingcang/hack/bench/internal/card"
	"github.com/qingcang/qingcang/hack/bench/internal/load"
	"github.com/qingcang/qingcang/hack/bench/internal/systems"
	"github.com/qingcang/qingcang/hack/bench/internal/trial"
)

// refusals are what a crowd meets, and path, token and key suffice for them.
var refusals = []struct {
	name string
	sale systems.Sale
}{
	{"sold out", systems.Gone},
	{"not open", systems.Later},
	{"over limit", systems.Limited}, // each buyer has all that he may have
}

// reject measures refusals of each kind against a no-op. The row counts by the dearest kind.
func (b *bench) reject(ctx context.Context) error {
	us, err := b.us(ctx)
	if err != nil {
		return err
	}
	noop, err := b.peer(ctx, systems.Noop)
	if err != nil {
		return err
	}
	if err := b.buy(ctx, us, systems.Gone, 1); err != nil {
		return err
	}
	if err := b.buy(ctx, us, systems.Limited, systems.Buyers); err != nil {
		return err
	}
	costs := make([][]float64, len(refusals))
	var against []float64
	err = trial.Interleave(len(refusals)+1, b.repeats, func(i int) error {
		if i == len(refusals) {
			sample, err := b.sell(ctx, noop, b.closed())
			against = append(against, sample.MicrosPerAnswer())
			return err
		}
		c, err := b.refuse(ctx, us, i)
		costs[i] = append(costs[i], c)
		return err
	})
	if err != nil {
		return err
	}
	row := card.Row{ID: "reject_cpu_vs_noop", Unit: "CPU µs/answer", Against: card.Of(against...), Target: card.AtMost(0.9)}
	for i, r := range refusals {
		ratio := ratios(costs[i], against)
		row.Note += fmt.Sprintf("%s %.2f  ", r.name, ratio.Median)
		if ratio.Median >= row.Ratio.Median {
			row.Ours, row.Ratio = card.Of(costs[i]...), ratio
		}
	}
	b.rows = append(b.rows, row)
	return nil
}

// buy has so many buyers place one order each.
func (b *bench) buy(ctx context.Context, s *systems.System, sale systems.Sale, buyers int) error {
	orders, err := b.field.Orders(sale, 1)
	if err != nil {
		return err
	}
	result, err := load.Run(ctx, load.Plan{Address: s.Address, Connections: min(buyers, b.connections), Source: func(buffer []byte, n int) ([]byte, bool) {
		return orders.Next(buffer), n < buyers
	}})
	if err == nil && result.Accepted() != buyers {
		err = fmt.Errorf("%s: the first orders of %s were answered %v", s.Name, sale.Campaign, result.Statuses)
	}
	return err
}

// refuse returns what a refusal costs.
func (b *bench) refuse(ctx context.Context, us *systems.System, kind int) (float64, error) {
	orders, err := b.field.Orders(refusals[kind].sale, 1)
	if err != nil {
		return 0, err
	}
	sample, err := trial.Measure(ctx, us, load.Plan{Connections: b.connections, For: b.span, Orders: orders})
	if err != nil {
		return 0, err
	}
	if sample.Statuses[http.StatusConflict] != sample.Answers() {
		return 0, fmt.Errorf("%s: not all were refused: %v", refusals[kind].name, sample.Statuses)
	}
	return sample.MicrosPerAnswer(), nil
}
