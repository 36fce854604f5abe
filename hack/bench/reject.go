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

// refusals are orders that path, token and key suffice to refuse, or the ledger's word on a buyer.
var refusals = []struct {
	name  string
	sale  systems.Sale
	units int64
}{
	{"sold out", systems.Gone, 1},
	{"not open", systems.Later, 1},
	{"over limit", systems.Limited, 2},
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
	if err := b.buyOne(ctx, us, systems.Gone); err != nil {
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

// buyOne places one order.
func (b *bench) buyOne(ctx context.Context, s *systems.System, sale systems.Sale) error {
	orders, err := b.field.Orders(sale, 1)
	if err != nil {
		return err
	}
	result, err := load.Run(ctx, load.Plan{Address: s.Address, Connections: 1, Source: func(buffer []byte, n int) ([]byte, bool) {
		return orders.Next(buffer), n == 0
	}})
	if err == nil && result.Accepted() != 1 {
		err = fmt.Errorf("%s: the first order of %s was answered %v", s.Name, sale.Campaign, result.Statuses)
	}
	return err
}

// refuse returns what a refusal costs.
func (b *bench) refuse(ctx context.Context, us *systems.System, kind int) (float64, error) {
	orders, err := b.field.Orders(refusals[kind].sale, refusals[kind].units)
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
