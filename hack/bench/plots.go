//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/qingcang/qingcang/hack/bench/internal/load"
	"github.com/qingcang/qingcang/hack/bench/internal/plot"
	"github.com/qingcang/qingcang/hack/bench/internal/systems"
)

// loads are shares of the no-op's closed-loop rate; beyond its own peak a system's p99 is the queue's.
var loads = []float64{0.05, 0.1, 0.2, 0.3, 0.45, 0.6, 0.8}

// plotted are drawn beside ours.
var plotted = []systems.Peer{systems.Noop, systems.Handler, systems.Rueidis, systems.PGBatch, systems.PGRow}

// plots sweeps the load and draws what is accepted and how long it takes. Points are single runs:
// the plots show a shape, the card's rows are what counts.
func (b *bench) plots(ctx context.Context) error {
	us, err := b.us(ctx)
	if err != nil {
		return err
	}
	all := []*systems.System{us}
	for _, p := range plotted {
		s, err := b.peer(ctx, p)
		if err != nil {
			return err
		}
		all = append(all, s)
	}
	full, err := b.sell(ctx, b.running[systems.Noop.Name], b.closed())
	if err != nil {
		return err
	}
	goodput := plot.Chart{Title: "Accepted over load, one hot SKU", X: "orders asked for a second", Y: "accepted a second"}
	tails := plot.Chart{Title: "p99 over load, from the intended start", X: "orders asked for a second", Y: "ms", LogY: true}
	cost := plot.Chart{Title: "CPU of server and store over load", X: "orders asked for a second", Y: "µs an answer"}
	for _, s := range all {
		accepted, p99, spent := plot.Line{Name: s.Name}, plot.Line{Name: s.Name}, plot.Line{Name: s.Name}
		for i, share := range loads {
			rate := share * full.Rate()
			sample, err := b.sell(ctx, s, load.Plan{Connections: crowd, For: b.span, Rate: rate, Drop: true, Seed: uint64(i) + 1})
			if err != nil {
				return err
			}
			accepted.Points = append(accepted.Points, plot.Point{X: rate, Y: sample.Rate()})
			p99.Points = append(p99.Points, plot.Point{X: rate, Y: millis(sample.Quantile(tail))})
			spent.Points = append(spent.Points, plot.Point{X: rate, Y: sample.MicrosPerAnswer()})
		}
		goodput.Lines, tails.Lines, cost.Lines = append(goodput.Lines, accepted), append(tails.Lines, p99), append(cost.Lines, spent)
	}
	for name, chart := range map[string]plot.Chart{"throughput": goodput, "p99": tails, "cost": cost} {
		if err := b.draw(name, chart); err != nil {
			return err
		}
	}
	if err := b.plotGrowth(ctx); err != nil {
		return err
	}
	b.say("plots are in %s", b.svg)
	return nil
}

func (b *bench) draw(name string, chart plot.Chart) error {
	if err := os.MkdirAll(b.svg, 0o755); err != nil {
		return fmt.Errorf("make the folder of the plots: %w", err)
	}
	file, err := os.Create(filepath.Join(b.svg, name+".svg"))
	if err != nil {
		return fmt.Errorf("make a plot: %w", err)
	}
	return errors.Join(chart.Write(file), file.Close())
}
