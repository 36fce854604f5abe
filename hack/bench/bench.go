//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/qingcang/qingcang/hack/bench/internal/card"
	"github.com/qingcang/qingcang/hack/bench/internal/cpu"
	"github.com/qingcang/qingcang/hack/bench/internal/load"
	"github.com/qingcang/qingcang/hack/bench/internal/systems"
	"github.com/qingcang/qingcang/hack/bench/internal/trial"
)

// bench is one run.
type bench struct {
	options
	root     string
	field    *systems.Field
	progress io.Writer
	ours     *systems.Ours
	sink     *sink
	running  map[string]*systems.System
	sums     map[string]*sums // by system
	usage    []usage
	rows     []card.Row
	faults   int64  // that audits found
	void     string // why no row means anything; empty while all audits are clean
	missing  []string
	closers  []func()
	others   float64 // share of the machine that was in use before anything was measured
}

// quietShare is what a machine with nothing else to do may use by itself.
const quietShare = 0.1

// sums is what a system answered for the hot sale, for its audit.
type sums struct{ accepted, unsure int }

// measure goes through the groups of rows. The audit is last: it voids what came before.
func (b *bench) measure(ctx context.Context) error {
	others, err := cpu.Busy(ctx, time.Second)
	if err != nil {
		return err
	}
	if b.others = others; others > quietShare {
		b.say("others use %.0f%% of this machine: the absolute figures say nothing, and the ratios little", 100*others)
	}
	for _, group := range []struct {
		name string
		ids  []string
		run  func(context.Context) error
	}{
		{"accept", acceptIDs(), b.accept},
		{"reject", []string{"reject_cpu_vs_noop"}, b.reject},
		{"latency", []string{"p99_vs_noop"}, b.latency},
		{"overload", []string{"goodput_3x"}, b.overload},
		{"ack delay", []string{"ack_delay"}, b.ackDelay},
		{"telemetry", []string{"telemetry"}, b.telemetry},
		{"growth", growIDs(), b.grow},
		{"idle", []string{"idle"}, b.idle},
		{"fan-out", []string{"fanout"}, b.fanout},
		{"day", []string{"shenzhou_day"}, b.day},
		{"recovery", recoverIDs, b.recovery},
		{"memory", []string{"bytes_per_order"}, b.held},
		{"memory", []string{"bytes_per_closed_order"}, b.ended},
		{"operator", operatorIDs, b.operator},
		{"operator", []string{"open_jitter"}, b.openJitter},
		{"plots", nil, b.plots},
		{"profiles", nil, b.profile},
		{"audit", []string{"audit"}, b.audit},
	} {
		// The audit is always wanted: every other row is void without it.
		wanted := group.name == "audit" || group.name == "plots" && b.svg != "" || group.name == "profiles" && b.perf != ""
		for _, id := range group.ids {
			wanted = wanted || b.wants(id) || b.wants(group.name)
		}
		if !wanted {
			continue
		}
		b.say("%s", group.name)
		if err := group.run(ctx); err != nil {
			return fmt.Errorf("%s: %w", group.name, err)
		}
	}
	return nil
}

func (b *bench) wants(id string) bool { return b.run.MatchString(id) }

func (b *bench) say(format string, args ...any) {
	_, _ = fmt.Fprintf(b.progress, time.Now().Format("15:04:05 ")+format+"\n", args...)
}

// done audits a system that no other row needs, and ends it: it should not be in the way.
func (b *bench) done(ctx context.Context, ours *systems.Ours) error {
	if err := b.examine(ctx, &ours.System); err != nil {
		return err
	}
	delete(b.running, ours.Name)
	return ours.Retire()
}

// stop ends what runs in this process.
func (b *bench) stop() {
	for _, c := range slices.Backward(b.closers) {
		c()
	}
}

// us starts the order service once. Its telemetry goes to a sink in this process.
func (b *bench) us(ctx context.Context) (*systems.System, error) {
	if b.ours != nil {
		return &b.ours.System, nil
	}
	ours, err := b.another(ctx, systems.Options{Name: "order"})
	if err != nil {
		return nil, err
	}
	b.ours = ours
	return &ours.System, nil
}

// another starts an order service with everything of its own.
func (b *bench) another(ctx context.Context, o systems.Options) (*systems.Ours, error) {
	if b.sink == nil {
		var err error
		if b.sink, err = newSink(); err != nil {
			return nil, err
		}
		b.closers = append(b.closers, b.sink.close)
	}
	o.Env = append(b.sink.env(), o.Env...)
	ours, err := b.field.StartOurs(ctx, o)
	if err != nil {
		return nil, err
	}
	_, err = b.enter(ctx, &ours.System)
	return ours, err
}

// peer starts a peer once.
func (b *bench) peer(ctx context.Context, p systems.Peer) (*systems.System, error) {
	if s, ok := b.running[p.Name]; ok {
		return s, nil
	}
	s, err := b.field.StartPeer(ctx, p)
	if err != nil {
		return nil, err
	}
	return b.enter(ctx, s)
}

// warmUp is as long as pools, caches and just-in-time plans take to be themselves.
const warmUp = 700 * time.Millisecond

func (b *bench) enter(ctx context.Context, s *systems.System) (*systems.System, error) {
	b.running[s.Name], b.sums[s.Name] = s, &sums{}
	_, err := b.sell(ctx, s, load.Plan{Connections: b.connections, For: warmUp})
	return s, err
}

// sell runs a plan of hot orders against a system and keeps count for the audit.
func (b *bench) sell(ctx context.Context, s *systems.System, plan load.Plan) (trial.Sample, error) {
	orders, err := b.field.Orders(systems.Hot, 1)
	if err != nil {
		return trial.Sample{}, err
	}
	plan.Orders = orders
	sample, err := trial.Measure(ctx, s, plan)
	if err != nil {
		return trial.Sample{}, err
	}
	b.sums[s.Name].accepted += sample.Accepted()
	b.sums[s.Name].unsure += sample.Answers() - sample.Accepted()
	return sample, nil
}

// closed is the plan of a closed loop.
func (b *bench) closed() load.Plan { return load.Plan{Connections: b.connections, For: b.span} }

// ratios divides repeat by repeat: the two of a pair were measured one after the other.
func ratios(ours, against []float64) card.Spread {
	out := make([]float64, len(ours))
	for i := range ours {
		out[i] = ours[i] / against[i]
	}
	return card.Of(out...)
}
