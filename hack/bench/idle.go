//go:build linux

package main

import (
	"context"
	"fmt"
	"time"

	"github.com/qingcang/qingcang/hack/bench/internal/card"
	"github.com/qingcang/qingcang/hack/bench/internal/cpu"
	"github.com/qingcang/qingcang/hack/bench/internal/systems"
)

// waiting are campaigns whose sale begins tomorrow.
var waiting = systems.Wide{Campaigns: 200, SKUs: 500}

const (
	// idleBytes is what a SKU of such a campaign may take.
	idleBytes = 100
	// watched is how long a service at rest is watched.
	watched = 10 * time.Second
	// restless is what a service may move more for them: a tenth of the wake-ups, and one second of a
	// CPU in a thousand. A timer a campaign would show in either.
	restlessWakeups, restlessShare = 1.1, 0.001
)

// idle takes what campaigns cost that wait for their start: memory, and whether anything moves for them.
func (b *bench) idle(ctx context.Context) error {
	ours, err := b.another(ctx, systems.Options{Name: "order-idle", Env: tidy})
	if err != nil {
		return err
	}
	before, err := b.atRest(ctx, ours)
	if err != nil {
		return err
	}
	if err := ours.Wait(ctx, waiting); err != nil {
		return err
	}
	after, err := b.atRest(ctx, ours)
	if err != nil {
		return err
	}
	skus := waiting.Campaigns * waiting.SKUs
	bytes := float64(after.bytes-before.bytes) / float64(skus)
	row := card.Row{
		ID: "idle", Unit: "B/SKU", Ours: card.Of(bytes), Against: card.Of(idleBytes), Ratio: card.Of(bytes / idleBytes), Target: card.AtMost(1),
		Note: fmt.Sprintf("%d campaigns of %d SKUs; wake-ups a second %.0f, without them %.0f; CPU %.2f%%, without %.2f%%; one measurement",
			waiting.Campaigns, waiting.SKUs, after.wakeups, before.wakeups, 100*after.share, 100*before.share),
	}
	if after.wakeups > restlessWakeups*before.wakeups && after.share > before.share+restlessShare {
		row.Misses = "not at rest"
	}
	b.rows = append(b.rows, row)
	return b.done(ctx, ours)
}

type rest struct {
	bytes          int64
	share, wakeups float64
}

func (b *bench) atRest(ctx context.Context, ours *systems.Ours) (r rest, err error) {
	if r.bytes, err = b.resident(ctx, ours); err != nil {
		return r, err
	}
	pids, err := ours.PIDs()
	if err != nil {
		return r, err
	}
	first, err := cpu.Stirred(pids[0])
	if err != nil {
		return r, err
	}
	timer := time.NewTimer(watched)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return r, ctx.Err()
	case <-timer.C:
	}
	last, err := cpu.Stirred(pids[0])
	r.share, r.wakeups = cpu.PerSecond(first, last)
	return r, err
}
