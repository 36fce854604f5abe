//go:build linux

package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/qingcang/qingcang/hack/bench/internal/card"
	"github.com/qingcang/qingcang/hack/bench/internal/trial"
)

// usage is what a system did in the closed loop.
type usage struct {
	system  string
	samples []trial.Sample
}

// printSystems shows the absolute figures behind the ratios. They are this machine's at this hour.
func (b *bench) printSystems(w io.Writer) error {
	if len(b.usage) == 0 {
		return nil
	}
	table := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	_, _ = fmt.Fprintln(table, "system\torders/s\tCPU µs/order\tof which\tp50 ms\tp99 ms\tgenerator µs\t") // Flush tells
	for _, u := range b.usage {
		rate, cost := card.Of(values(u.samples, rate)...), card.Of(values(u.samples, cost)...)
		own := card.Of(values(u.samples, trial.Sample.OwnMicros)...)
		_, _ = fmt.Fprintf(table, "%s\t%.0f\t%.1f\t%s\t%.1f\t%.1f\t%.1f\t\n", u.system, rate.Median, cost.Median, parts(u.samples),
			quantile(u.samples, 0.5), quantile(u.samples, 0.99), own.Median)
	}
	_, _ = fmt.Fprintln(table)
	return table.Flush()
}

// parts are the CPU µs of each process of a system: the server first, then what it stores in.
func parts(samples []trial.Sample) string {
	n := len(samples[0].CPU)
	if n == 1 {
		return ""
	}
	out := make([]string, n)
	for i := range n {
		out[i] = fmt.Sprintf("%.1f", card.Of(values(samples, func(s trial.Sample) float64 {
			return float64(s.CPU[i].Nanoseconds()) / 1e3 / float64(s.Answers())
		})...).Median)
	}
	return strings.Join(out, " + ")
}

func quantile(samples []trial.Sample, q float64) float64 {
	return card.Of(values(samples, func(s trial.Sample) float64 { return millis(s.Quantile(q)) })...).Median
}

func millis(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e6 }
