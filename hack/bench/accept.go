//go:build linux

package main

import (
	"context"
	"fmt"

	"github.com/qingcang/qingcang/hack/bench/internal/card"
	"github.com/qingcang/qingcang/hack/bench/internal/systems"
	"github.com/qingcang/qingcang/hack/bench/internal/trial"
)

// acceptRow compares accepted orders with one peer.
type acceptRow struct {
	id     string
	peer   systems.Peer
	value  func(trial.Sample) float64
	unit   string
	target card.Target
	note   string
}

func cost(s trial.Sample) float64 { return s.MicrosPerAnswer() }
func rate(s trial.Sample) float64 { return s.Rate() }

var acceptRows = []acceptRow{
	{"accept_cpu_vs_handler", systems.Handler, cost, "CPU µs/order", card.AtMost(1.5), ""},
	{"accept_cpu_vs_noop", systems.Noop, cost, "CPU µs/order", card.AtMost(1.9), ""},
	{"accept_cpu_vs_redis", systems.Rueidis, cost, "CPU µs/order", card.AtMost(0.6), "everysec, rueidis"},
	{"accept_cpu_vs_pg_batch", systems.PGBatch, cost, "CPU µs/order", card.AtMost(0.85), "synchronous_commit off"},
	{"accept_rate_vs_noop", systems.Noop, rate, "orders/s", card.AtLeast(0.65), ""},
	{"accept_rate_vs_pg_row", systems.PGRow, rate, "orders/s", card.AtLeast(5), "both survive kill -9"},
	{"accept_rate_vs_redis", systems.Rueidis, rate, "orders/s", card.AtLeast(1.3), "everysec, rueidis"},
}

// alongside are measured with the peers above and have no target: whoever asks how another client or
// a surer answer would have done finds it in the table of systems.
var alongside = []systems.Peer{
	systems.GoRedis, systems.RedisAlways, systems.PGBatchDisk, systems.PGRowDisk, systems.PGRowAsync,
}

func acceptIDs() []string {
	ids := make([]string, len(acceptRows))
	for i, row := range acceptRows {
		ids[i] = row.id
	}
	return ids
}

// accept measures a closed loop on one hot SKU against every system in turns.
func (b *bench) accept(ctx context.Context) error {
	all, err := b.acceptSystems(ctx)
	if err != nil {
		return err
	}
	samples := map[string][]trial.Sample{}
	err = trial.Interleave(len(all), b.repeats, func(i int) error {
		s := all[i]
		sample, err := b.sell(ctx, s, b.closed())
		if err != nil {
			return err
		}
		if sample.Accepted() != sample.Answers() {
			b.say("%s: answers by status %v", s.Name, sample.Statuses)
		}
		samples[s.Name] = append(samples[s.Name], sample)
		return nil
	})
	if err != nil {
		return err
	}
	for _, s := range all {
		b.usage = append(b.usage, usage{system: s.Name, samples: samples[s.Name]})
	}
	ours := samples[all[0].Name]
	for _, row := range acceptRows {
		if !b.wants(row.id) {
			continue
		}
		mine, theirs := values(ours, row.value), values(samples[row.peer.Name], row.value)
		b.rows = append(b.rows, card.Row{
			ID: row.id, Unit: row.unit, Ours: card.Of(mine...), Against: card.Of(theirs...), Ratio: ratios(mine, theirs),
			Target: row.target, Note: row.note, Void: refusedSome(ours),
		})
	}
	return nil
}

// acceptSystems starts us, first, and the peers that the wanted rows need.
func (b *bench) acceptSystems(ctx context.Context) ([]*systems.System, error) {
	us, err := b.us(ctx)
	if err != nil {
		return nil, err
	}
	all := []*systems.System{us}
	var peers []systems.Peer
	for _, row := range acceptRows {
		if b.wants(row.id) {
			peers = append(peers, row.peer)
		}
	}
	if b.run.String() == "" {
		peers = append(peers, alongside...)
	}
	seen := map[string]bool{}
	for _, p := range peers {
		if seen[p.Name] {
			continue
		}
		seen[p.Name] = true
		s, err := b.peer(ctx, p)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

func values(samples []trial.Sample, value func(trial.Sample) float64) []float64 {
	out := make([]float64, len(samples))
	for i, s := range samples {
		out[i] = value(s)
	}
	return out
}

// refusedSome voids a row whose cheap refusals would count as orders.
func refusedSome(samples []trial.Sample) string {
	for _, s := range samples {
		if s.Accepted() != s.Answers() {
			return fmt.Sprintf("not all were accepted: %v", s.Statuses)
		}
	}
	return ""
}
