//go:build linux

package main

import (
	"context"
	"fmt"

	"github.com/qingcang/qingcang/hack/bench/internal/card"
	"github.com/qingcang/qingcang/hack/bench/internal/systems"
)

// heldBytes is what an order may take while it is held: 24 for itself and 16 for its hold.
const heldBytes = 24 + 16

// memory takes the growth of the order service's resident memory over a large number of held orders.
// The collector is told to be tidy, so that garbage is not taken for orders.
func (b *bench) memory(ctx context.Context) error {
	ours, err := b.filled(ctx, systems.Options{Name: "order-tidy", Env: []string{"GOGC=10"}}, shortLog)
	if err != nil {
		return err
	}
	before, err := ours.ResidentBytes()
	if err != nil {
		return err
	}
	if err := b.fill(ctx, ours, b.longLog()); err != nil {
		return err
	}
	after, err := ours.ResidentBytes()
	if err != nil {
		return err
	}
	perOrder := float64(after-before) / float64(b.longLog())
	b.rows = append(b.rows, card.Row{
		ID: "bytes_per_order", Unit: "B/held order", Ours: card.Of(perOrder), Against: card.Of(heldBytes), Ratio: card.Of(perOrder / heldBytes),
		Target: card.AtMost(1), Note: fmt.Sprintf("resident memory over %d orders; one measurement", b.longLog()),
	})
	return nil
}
