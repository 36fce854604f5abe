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
	for _, name := range slices.Sorted(maps.Keys(b.running)) {
		if err := b.examine(ctx, b.running[name]); err != nil {
			return err
		}
	}
	for i := range b.rows {
		if b.void != "" {
			b.rows[i].Void = b.void
		}
	}
	if b.wants("audit") {
		b.rows = append(b.rows, card.Row{
			ID: "audit", Unit: "faults", Ours: card.Of(float64(b.faults)), Against: card.Of(0), Ratio: card.Of(float64(b.faults)), Target: card.AtMost(0),
		})
	}
	return nil
}

// examine audits one system. What it finds is not an error of the run.
func (b *bench) examine(ctx context.Context, s *systems.System) error {
	if !s.KeepsBooks() {
		return nil
	}
	found, err := b.recount(ctx, s)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	verdict := found.String()
	if err != nil {
		verdict = err.Error()
		b.faults++
	}
	b.say("audit of %s, %d accepted: %s", s.Name, b.sums[s.Name].accepted, verdict)
	b.faults += found.Faults()
	if (err != nil || found.Faults() > 0) && b.void == "" {
		b.void = s.Name + ": " + verdict
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
