//go:build linux

package main

import (
	"context"
	"fmt"
	"time"

	"github.com/qingcang/qingcang/hack/bench/internal/ackproxy"
	"github.com/qingcang/qingcang/hack/bench/internal/card"
	"github.com/qingcang/qingcang/hack/bench/internal/load"
	"github.com/qingcang/qingcang/hack/bench/internal/systems"
	"github.com/qingcang/qingcang/hack/bench/internal/trial"
)

// delays of the broker's acknowledgement; the first is what the others are compared with.
var delays = []time.Duration{0, 2 * time.Millisecond, 5 * time.Millisecond, 20 * time.Millisecond}

// ackDelay sells through a proxy that holds the broker's acknowledgements back. The row counts by the
// worst delay. The crowd is large enough that the loop itself does not bound the rate: by Little's
// law 2,000 orders in flight allow 100,000/s at 20 ms.
func (b *bench) ackDelay(ctx context.Context) error {
	proxy := &ackproxy.Proxy{}
	b.closers = append(b.closers, proxy.Close) // not before the audit
	ours, err := b.another(ctx, systems.Options{Name: "order-delayed", Through: proxy.Serve})
	if err != nil {
		return err
	}
	rates := make([][]float64, len(delays))
	err = trial.Interleave(len(delays), b.repeats, func(i int) error {
		proxy.Delay(delays[i])
		sample, err := b.sell(ctx, &ours.System, load.Plan{Connections: crowd, For: b.span})
		rates[i] = append(rates[i], sample.Rate())
		return err
	})
	if err != nil {
		return err
	}
	proxy.Delay(0)
	row := card.Row{ID: "ack_delay", Unit: "orders/s", Against: card.Of(rates[0]...), Target: card.AtLeast(0.9)}
	for i := 1; i < len(delays); i++ {
		ratio := ratios(rates[i], rates[0])
		row.Note += fmt.Sprintf("%s %.2f  ", delays[i], ratio.Median)
		if i == 1 || ratio.Median < row.Ratio.Median {
			row.Ours, row.Ratio = card.Of(rates[i]...), ratio
		}
	}
	b.rows = append(b.rows, row)
	return b.done(ctx, ours)
}
