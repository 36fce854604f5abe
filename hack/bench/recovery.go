//go:build linux

package main

import (
	"context"
	"fmt"
	"time"

	"github.com/qingcang/qingcang/hack/bench/internal/card"
	"github.com/qingcang/qingcang/hack/bench/internal/load"
	"github.com/qingcang/qingcang/hack/bench/internal/systems"
	"github.com/qingcang/qingcang/hack/bench/internal/trial"
)

const (
	// recoverLimit is the other half of the target.
	recoverLimit = time.Second
	// probeEvery is how often a killed service is asked for an order.
	probeEvery = 2 * time.Millisecond
	// fillAhead is how far a log may be ahead of its service: what it has decided and not yet published,
	// it keeps in memory. fillLimit bounds the wait until it has caught up.
	fillAhead = 200_000
	fillLimit = 10 * time.Minute
	// warmOrders are enough that tables and pools have their first size.
	warmOrders = 10_000
)

const (
	recoverRow    = "recover"
	recoverLogRow = "recover_log"
)

var recoverIDs = []string{recoverRow, recoverLogRow}

// recovery brings up two order services, one with a long and one with a short log.
func (b *bench) recovery(ctx context.Context) error {
	long, err := b.filled(ctx, systems.Options{Name: "order-long-log"}, systems.Hot, b.sizes().longLog)
	if err != nil {
		return err
	}
	short, err := b.filled(ctx, systems.Options{Name: "order-short-log"}, systems.Hot, b.sizes().shortLog)
	if err != nil {
		return err
	}
	for _, row := range []struct {
		id      string
		measure func(context.Context, *systems.Ours, *systems.Ours) (card.Row, error)
	}{{recoverRow, b.fromSnapshot}, {recoverLogRow, b.fromLog}} {
		if !b.wants(row.id) {
			continue
		}
		measured, err := row.measure(ctx, long, short)
		if err != nil {
			return err
		}
		measured.ID = row.id
		b.rows = append(b.rows, measured)
	}
	if err := b.done(ctx, long); err != nil {
		return err
	}
	return b.done(ctx, short)
}

// fromSnapshot kills both, starts them again at once, and takes the time to the first accepted order.
func (b *bench) fromSnapshot(ctx context.Context, long, short *systems.Ours) (card.Row, error) {
	both := []*systems.Ours{long, short}
	took := make([][]float64, len(both))
	err := trial.Interleave(len(both), b.repeats, func(i int) error {
		d, err := b.killed(ctx, both[i])
		took[i] = append(took[i], millis(d))
		return err
	})
	if err != nil {
		return card.Row{}, err
	}
	row := card.Row{
		Unit: "ms to the first order", Ours: card.Of(took[0]...), Against: card.Of(took[1]...), Ratio: ratios(took[0], took[1]),
		Target: card.AtMost(1.3), Note: fmt.Sprintf("with a snapshot; %d orders against %d", b.sizes().longLog, b.sizes().shortLog),
	}
	if row.Ours.Median > millis(recoverLimit) {
		row.Misses = "over 1 s"
	}
	return row, nil
}

// fromLog starts each with an empty database and takes the time to the first accepted order. What the
// long log takes longer than the short one is the reading of what it is longer by. Against it stands a
// bare client that fetches the long log and does nothing with it.
func (b *bench) fromLog(ctx context.Context, long, short *systems.Ours) (card.Row, error) {
	var ours, raw []float64
	var longTook, shortTook float64
	for range b.repeats {
		inLong, err := b.anew(ctx, long)
		if err != nil {
			return card.Row{}, err
		}
		took, records, err := long.FetchAll(ctx)
		if err != nil {
			return card.Row{}, err
		}
		inShort, err := b.anew(ctx, short)
		if err != nil {
			return card.Row{}, err
		}
		more := float64(b.sizes().longLog - b.sizes().shortLog)
		ours = append(ours, more/max(inLong-inShort, time.Millisecond).Seconds())
		raw = append(raw, float64(records)/took.Seconds())
		longTook, shortTook = millis(inLong), millis(inShort)
	}
	return card.Row{
		Unit: "records/s", Ours: card.Of(ours...), Against: card.Of(raw...), Ratio: ratios(ours, raw), Target: card.AtLeast(0.8),
		Note: fmt.Sprintf("without a snapshot; at last %.0f ms for %d orders, %.0f ms for %d", longTook, b.sizes().longLog, shortTook, b.sizes().shortLog),
	}, nil
}

// anew returns the time from the start of a service without a snapshot to the first accepted order.
func (b *bench) anew(ctx context.Context, ours *systems.Ours) (time.Duration, error) {
	if err := ours.Settle(ctx); err != nil {
		return 0, err
	}
	started := time.Now()
	if err := ours.StartAnew(ctx); err != nil {
		return 0, err
	}
	if err := b.firstOrder(ctx, ours, fillLimit); err != nil {
		return 0, err
	}
	took := time.Since(started)
	return took, ours.Recall(ctx)
}

// filled starts an order service with a log of so many orders, and waits until it has taken them in.
func (b *bench) filled(ctx context.Context, o systems.Options, sale systems.Sale, orders int) (*systems.Ours, error) {
	ours, err := b.another(ctx, o)
	if err != nil {
		return nil, err
	}
	return ours, b.fill(ctx, ours, sale, orders)
}

// fill adds orders to a sale and returns when they are taken in and published.
func (b *bench) fill(ctx context.Context, ours *systems.Ours, sale systems.Sale, orders int) error {
	before, err := ours.Announced(ctx)
	if err != nil {
		return err
	}
	for written := 0; written < orders; {
		part := min(fillAhead, orders-written)
		if err := ours.Fill(ctx, sale, part); err != nil {
			return err
		}
		written += part
		if err := ours.AwaitAnnounced(ctx, before+int64(written), fillLimit); err != nil {
			return err
		}
	}
	if sale == systems.Hot {
		b.sums[ours.Name].accepted += orders
	}
	return ours.Settle(ctx)
}

// killed returns the time from a kill -9 to the first accepted order. It comes back when the lane has
// a publisher again, so that the next kill meets a whole service.
func (b *bench) killed(ctx context.Context, ours *systems.Ours) (time.Duration, error) {
	announced, err := ours.Announced(ctx)
	if err != nil {
		return 0, err
	}
	started := time.Now()
	if err := ours.Kill(); err != nil {
		return 0, err
	}
	if err := b.firstOrder(ctx, ours, fillLimit); err != nil {
		return 0, err
	}
	took := time.Since(started)
	if err := ours.AwaitAnnounced(ctx, announced+1, fillLimit); err != nil { // by a publisher that lives
		return 0, err
	}
	return took, ours.Settle(ctx)
}

// firstOrder returns when an order is accepted.
func (b *bench) firstOrder(ctx context.Context, ours *systems.Ours, limit time.Duration) error {
	orders, err := b.field.Orders(systems.Hot, 1)
	if err != nil {
		return err
	}
	started := time.Now()
	ticker := time.NewTicker(probeEvery)
	defer ticker.Stop()
	for time.Since(started) < limit {
		result, err := load.Run(ctx, load.Plan{Address: ours.Address, Connections: 1, Source: func(buffer []byte, n int) ([]byte, bool) {
			return orders.Again(buffer, 0), n == 0 // the same order: it counts once, however often it is asked for
		}})
		if err == nil && result.Accepted() == 1 {
			b.sums[ours.Name].accepted++
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
	return fmt.Errorf("%s accepted no order within %s", ours.Name, limit)
}
