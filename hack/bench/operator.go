//go:build linux

package main

import (
	"context"
	"fmt"
	"time"

	"github.com/qingcang/qingcang/hack/bench/internal/card"
	"github.com/qingcang/qingcang/hack/bench/internal/systems"
	"github.com/qingcang/qingcang/hack/bench/internal/trial"
)

// operatorIDs are the rows that one operator serves.
var operatorIDs = []string{"operator_1000", "operator_memory", "operator_resync"}

const (
	// operatorBytes is what the operator may take at a thousand campaigns.
	operatorBytes = 100 << 20
	// resyncPause is how often the operator looks for campaigns whose object is gone (resyncEvery in its
	// cmd/manager), and a little more.
	resyncPause = 65 * time.Second
	// reconciledWithin bounds the wait until a new operator has looked at all campaigns.
	reconciledWithin = 2 * time.Minute
	reconciledCheck  = 200 * time.Millisecond
	// rawWrites are those for each object that is made without the operator (peers/cmd/campaigns).
	rawWrites = 4
)

// operator measures the campaign operator against the API server that it cannot be faster than.
func (b *bench) operator(ctx context.Context) error {
	o, err := b.field.StartOperator(ctx)
	if err != nil {
		return err
	}
	if err := b.operatorReady(ctx, o); err != nil {
		return err
	}
	if err := b.operatorResync(ctx, o); err != nil {
		return err
	}
	return o.Retire()
}

// operatorReady takes turns: campaigns from nothing to Ready by the operator, then as many objects made
// without it. The first of each is not counted: it warms caches and schemas.
func (b *bench) operatorReady(ctx context.Context, o *systems.Operator) error {
	n := b.sizes().campaigns
	var ours, raw []float64
	var writes int64
	for _, one := range []func(context.Context, int) (float64, error){o.Ready, o.Raw} {
		if _, err := one(ctx, n); err != nil {
			return err
		}
	}
	if err := o.Clear(ctx, n); err != nil {
		return err
	}
	measured := 0
	err := trial.Interleave(2, b.repeats, func(i int) error {
		var err error
		var took float64
		if i == 0 {
			writes, took, err = counted(ctx, o, n)
			ours = append(ours, took)
		} else {
			took, err = o.Raw(ctx, n)
			raw = append(raw, took)
		}
		if measured++; err != nil || measured%2 == 1 || measured == 2*b.repeats {
			return err // the last campaigns are those of the rows below
		}
		return o.Clear(ctx, n)
	})
	if err != nil {
		return err
	}
	b.rows = append(b.rows, card.Row{
		ID: "operator_1000", Unit: fmt.Sprintf("s for %d", n), Ours: card.Of(ours...), Against: card.Of(raw...), Ratio: ratios(ours, raw), Target: card.AtMost(1.5),
		Note: fmt.Sprintf("%.1f writes a campaign against %d; stock pool and lanes are a stand-in", float64(writes)/float64(n), rawWrites),
	})
	peak, err := o.PeakBytes()
	if err != nil {
		return err
	}
	b.rows = append(b.rows, card.Row{
		ID: "operator_memory", Unit: "MiB", Ours: card.Of(float64(peak) / (1 << 20)), Against: card.Of(operatorBytes >> 20),
		Ratio: card.Of(float64(peak) / operatorBytes), Target: card.AtMost(1), Note: fmt.Sprintf("its peak over %d rounds of %d campaigns", 1+b.repeats, n),
	})
	return nil
}

// counted is one round of Ready with the writes that it took.
func counted(ctx context.Context, o *systems.Operator, n int) (writes int64, took float64, err error) {
	before, err := o.Writes(ctx)
	if err != nil {
		return 0, 0, err
	}
	if took, err = o.Ready(ctx, n); err != nil {
		return 0, 0, err
	}
	after, err := o.Writes(ctx)
	return after.API - before.API, took, err
}

// operatorResync counts what is written while nothing changes: over a resync, and after the operator was
// killed and its successor has looked at every campaign.
func (b *bench) operatorResync(ctx context.Context, o *systems.Operator) error {
	n := b.sizes().campaigns
	before, err := o.Quiet(ctx)
	if err != nil {
		return err
	}
	if err := pause(ctx, resyncPause); err != nil {
		return err
	}
	resynced, err := o.Writes(ctx)
	if err != nil {
		return err
	}
	if err := o.Restart(ctx); err != nil {
		return err
	}
	if err := b.reconciled(ctx, o, int64(n)); err != nil {
		return err
	}
	restarted, err := o.Quiet(ctx)
	if err != nil {
		return err
	}
	total := float64(restarted.API - before.API + restarted.Records - before.Records)
	b.rows = append(b.rows, card.Row{
		ID: "operator_resync", Unit: "writes", Ours: card.Of(total), Against: card.Of(0), Ratio: card.Of(total), Target: card.AtMost(0),
		Note: fmt.Sprintf("%d campaigns: %d to the API server and %d records in a resync, %d and %d at a restart", n,
			resynced.API-before.API, resynced.Records-before.Records, restarted.API-resynced.API, restarted.Records-resynced.Records),
	})
	return nil
}

// reconciled waits until an operator that was just started has looked at so many campaigns.
func (b *bench) reconciled(ctx context.Context, o *systems.Operator, n int64) error {
	for end := time.Now().Add(reconciledWithin); ; {
		seen, err := o.Reconciled(ctx)
		if err != nil || seen >= n {
			return err
		}
		if time.Now().After(end) {
			return fmt.Errorf("a new operator looked at %d of %d campaigns within %s", seen, n, reconciledWithin)
		}
		if err := pause(ctx, reconciledCheck); err != nil {
			return err
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
