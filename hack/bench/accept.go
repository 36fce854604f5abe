//go:build linux

package main

import (
	"context"
	"errors"
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
	ids := []string{twoReplicas}
	for _, row := range acceptRows {
		ids = append(ids, row.id)
	}
	return ids
}

// accept measures a closed loop on one hot SKU against every system in turns.
func (b *bench) accept(ctx context.Context) error {
	all, variants, err := b.acceptSystems(ctx)
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
		theirs := samples[row.peer.Name]
		if !b.wants(row.id) || len(theirs) == 0 {
			continue
		}
		b.rows = append(b.rows, row.compare(ours, theirs))
		if onKafka := samples[kafkaName]; len(onKafka) > 0 {
			info := row.compare(onKafka, theirs)
			info.ID, info.Target, info.Note = "kafka_"+row.id, card.Info, "on three brokers of Apache Kafka, acknowledged by two"
			b.rows = append(b.rows, info)
		}
	}
	if two := samples[twoName]; len(two) > 0 {
		b.rows = append(b.rows, acceptRow{
			id: twoReplicas, value: rate, unit: "orders/s", target: card.Info, note: "two replicas against one on the same cores",
		}.compare(two, ours))
	}
	for _, variant := range variants {
		if err := b.done(ctx, variant); err != nil {
			return err
		}
	}
	return nil
}

func (r acceptRow) compare(ours, against []trial.Sample) card.Row {
	mine, theirs := values(ours, r.value), values(against, r.value)
	return card.Row{
		ID: r.id, Unit: r.unit, Ours: card.Of(mine...), Against: card.Of(theirs...), Ratio: ratios(mine, theirs),
		Target: r.target, Note: r.note, Void: refusedSome(ours),
	}
}

const (
	twoReplicas = "accept_two_replicas"
	twoName     = "order-two"
	kafkaName   = "order-kafka"
)

// acceptSystems starts us, first, and the others that the wanted rows need.
func (b *bench) acceptSystems(ctx context.Context) (all []*systems.System, variants []*systems.Ours, err error) {
	us, err := b.us(ctx)
	if err != nil {
		return nil, nil, err
	}
	all = append(all, us)
	for _, o := range b.variants() {
		ours, err := b.another(ctx, o)
		if err != nil {
			return nil, nil, err
		}
		all, variants = append(all, &ours.System), append(variants, ours)
	}
	peers, err := b.acceptPeers(ctx)
	return append(all, peers...), variants, err
}

// variants of the order service are measured beside it.
func (b *bench) variants() (wanted []systems.Options) {
	if b.wants(twoReplicas) {
		wanted = append(wanted, systems.Options{Name: twoName, Beside: 1})
	}
	if b.kafka {
		wanted = append(wanted, systems.Options{Name: kafkaName, Kafka: true})
	}
	return wanted
}

// acceptPeers starts each peer that a wanted row compares with.
func (b *bench) acceptPeers(ctx context.Context) (all []*systems.System, err error) {
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
		if b.short && errors.Is(err, systems.ErrNotInstalled) {
			b.missing = append(b.missing, err.Error())
			continue
		}
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
