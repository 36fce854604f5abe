//go:build linux

package main

import (
	"context"
	"fmt"

	"github.com/qingcang/qingcang/hack/bench/internal/plot"
	"github.com/qingcang/qingcang/hack/bench/internal/systems"
)

// ranges of assortments over which the cost of an order is drawn.
var ranges = []struct {
	name, title, x string
	wides          []systems.Wide
	of             func(systems.Wide) int
}{
	{
		"cost-skus", "CPU an order over SKUs on sale", "SKUs",
		[]systems.Wide{{Campaigns: 1, SKUs: 1}, {Campaigns: 1, SKUs: 100}, {Campaigns: 10, SKUs: 1_000}, {Campaigns: 100, SKUs: 1_000}},
		func(w systems.Wide) int { return w.Campaigns * w.SKUs },
	}, {
		"cost-campaigns", "CPU an order over open campaigns", "campaigns",
		[]systems.Wide{{Campaigns: 1, SKUs: 1}, {Campaigns: 10, SKUs: 1}, {Campaigns: 100, SKUs: 1}, {Campaigns: 1_000, SKUs: 1}},
		func(w systems.Wide) int { return w.Campaigns },
	},
}

// plotGrowth draws what an order costs while SKUs, campaigns and orders grow. Each assortment is sold
// by a service of its own.
func (b *bench) plotGrowth(ctx context.Context) error {
	for _, r := range ranges {
		line := plot.Line{Name: "order"}
		for _, w := range r.wides {
			ours, err := b.another(ctx, systems.Options{Name: fmt.Sprintf("%s-%d", r.name, r.of(w)), Wide: w})
			if err != nil {
				return err
			}
			sample, err := b.sellWide(ctx, ours, w)
			if err != nil {
				return err
			}
			line.Points = append(line.Points, plot.Point{X: float64(r.of(w)), Y: sample.MicrosPerAnswer()})
			if err := b.done(ctx, ours); err != nil {
				return err
			}
		}
		if err := b.draw(r.name, plot.Chart{Title: r.title, X: r.x, Y: "µs an order", LogX: true, Lines: []plot.Line{line}}); err != nil {
			return err
		}
	}
	return b.plotOrders(ctx)
}

// plotOrders measures one service again and again while its ledger grows tenfold each time.
func (b *bench) plotOrders(ctx context.Context) error {
	ours, err := b.filled(ctx, systems.Options{Name: "cost-orders"}, systems.Hot, warmOrders)
	if err != nil {
		return err
	}
	line, orders := plot.Line{Name: "order"}, warmOrders
	for {
		sample, err := b.sell(ctx, &ours.System, b.closed())
		if err != nil {
			return err
		}
		line.Points = append(line.Points, plot.Point{X: float64(orders), Y: sample.MicrosPerAnswer()})
		if orders >= b.sizes().memory {
			break
		}
		const grow = 10
		if err := b.fill(ctx, ours, systems.Hot, (grow-1)*orders); err != nil {
			return err
		}
		orders *= grow
	}
	chart := plot.Chart{Title: "CPU an order over orders in the ledger", X: "orders", Y: "µs an order", LogX: true, Lines: []plot.Line{line}}
	if err := b.draw("cost-orders", chart); err != nil {
		return err
	}
	return b.done(ctx, ours)
}
