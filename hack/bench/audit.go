//go:build linux

package main

import (
	"context"
	"maps"
	"slices"

	"github.com/qingcang/qingcang/hack/bench/internal/card"
	"github.com/qingcang/qingcang/hack/bench/internal/systems"
	"github.com/qingcang/qingcang/hack/bench/internal/trial"
)

// audit recounts every system that keeps books: what was sold while it was measured, and a sale that
// sells out under twice the demand. A fault voids every row, a peer's too: a peer that sells wrongly
// is no comparison.
func (b *bench) audit(ctx context.Context) error {
	var faults int64
	for _, name := range slices.Sorted(maps.Keys(b.running)) {
		s := b.running[name]
		if !s.KeepsBooks() {
			continue
		}
		found, err := b.recount(ctx, s)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		verdict := found.String()
		if err != nil {
			verdict = err.Error()
			faults++
		}
		b.say("audit of %s, %d accepted: %s", name, b.sums[name].accepted, verdict)
		faults += found.Faults()
		if err != nil || found.Faults() > 0 {
			for i := range b.rows {
				b.rows[i].Void = name + ": " + verdict
			}
		}
	}
	if b.wants("audit") {
		b.rows = append(b.rows, card.Row{
			ID: "audit", Unit: "faults", Ours: card.Of(float64(faults)), Against: card.Of(0), Ratio: card.Of(float64(faults)), Target: card.AtMost(0),
		})
	}
	return nil
}

func (b *bench) recount(ctx context.Context, s *systems.System) (trial.Audit, error) {
	found, err := trial.Compare(ctx, s, systems.Hot, b.sums[s.Name].accepted, b.sums[s.Name].unsure)
	if err != nil || found.Faults() > 0 {
		return found, err
	}
	orders, err := b.field.Orders(systems.Last, 1)
	if err != nil {
		return found, err
	}
	return trial.SellOut(ctx, s, orders)
}
