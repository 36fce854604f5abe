// Package trial measures systems: what an order costs in CPU, how many there are a second, how long
// one takes, and whether what was answered is what was sold.
package trial

import (
	"context"
	"fmt"
	"time"

	"github.com/qingcang/qingcang/hack/bench/internal/cpu"
	"github.com/qingcang/qingcang/hack/bench/internal/load"
	"github.com/qingcang/qingcang/hack/bench/internal/systems"
)

// Sample is one run against one system.
type Sample struct {
	load.Result
	// CPU is what each of the system's processes used, from before the first request until the
	// system was quiet again.
	CPU []time.Duration
}

// MicrosPerAnswer is CPU µs of the whole system for each answer.
func (s Sample) MicrosPerAnswer() float64 { return micros(cpu.Sum(s.CPU), s.Answers()) }

// OwnMicros is CPU µs of the generator for each answer.
func (s Sample) OwnMicros() float64 { return micros(s.OwnCPU, s.Answers()) }

func micros(d time.Duration, n int) float64 {
	return float64(d.Nanoseconds()) / 1e3 / float64(max(n, 1))
}

// Measure runs the plan against the system while it has nothing else to do.
func Measure(ctx context.Context, s *systems.System, plan load.Plan) (Sample, error) {
	pids, err := s.PIDs()
	if err != nil {
		return Sample{}, err
	}
	before, err := cpu.Settled(ctx, pids...)
	if err != nil {
		return Sample{}, err
	}
	plan.Address, plan.Beside = s.Address, s.Beside
	result, err := load.Run(ctx, plan)
	if err != nil {
		return Sample{}, fmt.Errorf("%s: %w", s.Name, err)
	}
	after, err := cpu.Settled(ctx, pids...)
	if err != nil {
		return Sample{}, fmt.Errorf("%s: %w", s.Name, err)
	}
	sample := Sample{Result: result, CPU: make([]time.Duration, len(after))}
	for i := range after {
		sample.CPU[i] = after[i] - before[i]
	}
	return sample, nil
}

// Interleave visits n things, times over: forwards, backwards, forwards and so on, so that a machine
// that grows slower or faster is equally unfair to any two of them.
func Interleave(n, times int, visit func(i int) error) error {
	for round := range times {
		for i := range n {
			at := i
			if round%2 == 1 {
				at = n - 1 - i
			}
			if err := visit(at); err != nil {
				return err
			}
		}
	}
	return nil
}
