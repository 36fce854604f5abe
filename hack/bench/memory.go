//go:build linux

package main

import (
	"context"
	"fmt"
	"time"

	"github.com/qingcang/qingcang/hack/bench/internal/card"
	"github.com/qingcang/qingcang/hack/bench/internal/load"
	"github.com/qingcang/qingcang/hack/bench/internal/systems"
)

const (
	// closedBytes is what an order may take when it holds nothing any more, heldBytes while it does.
	closedBytes = 24
	heldBytes   = closedBytes + 16
)

// tidy tells the collector to keep little garbage, so that it is not taken for orders.
var tidy = []string{"GOGC=10"}

// held takes the growth of the order service's resident memory over a large number of held orders.
func (b *bench) held(ctx context.Context) error {
	return b.growth(ctx, growth{row: "bytes_per_order", name: "order-held", sale: systems.Hot, limit: heldBytes})
}

// ended does the same with orders whose hold has run out. All are written before the first of them
// ends: an account that gave a hold up gets shorter ones.
func (b *bench) ended(ctx context.Context) error {
	hold := time.Minute
	if b.long {
		hold = 5 * time.Minute
	}
	return b.growth(ctx, growth{row: "bytes_per_closed_order", name: "order-closed", sale: systems.Brief, hold: hold, limit: closedBytes})
}

// growth is a row about memory.
type growth struct {
	row, name string
	sale      systems.Sale
	hold      time.Duration // after which the orders end; 0: they do not
	limit     float64
}

func (b *bench) growth(ctx context.Context, g growth) error {
	ours, err := b.filled(ctx, systems.Options{Name: g.name, Env: tidy, BriefHold: g.hold}, systems.Hot, warmOrders)
	if err != nil {
		return err
	}
	orders := b.sizes().memory
	before, err := b.resident(ctx, ours)
	if err != nil {
		return err
	}
	announced, err := ours.Announced(ctx)
	if err != nil {
		return err
	}
	if err := b.fill(ctx, ours, g.sale, orders); err != nil {
		return err
	}
	if g.hold > 0 {
		// Two events an order: held, and released.
		if err := ours.AwaitAnnounced(ctx, announced+int64(2*orders), g.hold+fillLimit); err != nil {
			return err
		}
	}
	after, err := b.resident(ctx, ours)
	if err != nil {
		return err
	}
	perOrder := float64(after-before) / float64(orders)
	b.rows = append(b.rows, card.Row{
		ID: g.row, Unit: "B/order", Ours: card.Of(perOrder), Against: card.Of(g.limit), Ratio: card.Of(perOrder / g.limit),
		Target: card.AtMost(1), Note: fmt.Sprintf("resident memory over %d orders of %d buyers; one measurement", orders, systems.Buyers),
	})
	return b.done(ctx, ours)
}

const (
	// residentStep is how often memory is looked at, residentSteady for how many looks it must have
	// stopped falling: the runtime gives pages back bit by bit.
	residentStep   = 500 * time.Millisecond
	residentSteady = 8
	residentLimit  = 90 * time.Second
	// A stir is long enough for a heap of several GB to be collected a few times at GOGC=10.
	stirConnections, stirFor = 16, 3 * time.Second
)

// resident is the memory of an order service at rest. A few orders before that have the collector see what
// the work before has left: without any work it looks every two minutes only.
func (b *bench) resident(ctx context.Context, ours *systems.Ours) (least int64, err error) {
	if err := ours.Settle(ctx); err != nil {
		return 0, err
	}
	if _, err := b.sell(ctx, &ours.System, load.Plan{Connections: stirConnections, For: stirFor}); err != nil {
		return 0, err
	}
	ticker := time.NewTicker(residentStep)
	defer ticker.Stop()
	steady := 0
	for end := time.Now().Add(residentLimit); steady < residentSteady && time.Now().Before(end); steady++ {
		now, err := ours.ResidentBytes()
		if err != nil {
			return 0, err
		}
		if least == 0 || now < least {
			least, steady = now, 0
		}
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-ticker.C:
		}
	}
	return least, nil
}
