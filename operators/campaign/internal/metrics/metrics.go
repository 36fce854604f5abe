// Package metrics are the operator's measures. Its README lists them: dashboards and alerts rest on
// the names.
package metrics

import (
	"slices"

	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
)

// What the operator counts.
var (
	Published       = counter("published_total", "Records written to campaigns.v1 and programs.v1. It stands still while nothing changes.", "topic")
	PublishFailures = counter("publish_failures_total", "Records that the broker did not take; each is tried again.", "topic")
	PhaseChanges    = counter("phase_changes_total", "Campaigns that came into a phase.", "phase")
	OrphansEnded    = counter("orphans_ended_total", "Records ended because their object was gone without its finalizer.", "topic")
	Parked          = counter("parked_records_total", "Records that were read and are not obeyed.", "topic", "cause")
	StatusWrites    = counter("status_writes_total", "Status patches.", "kind")
	ChildWrites     = counter("child_writes_total", "Deployments, Services and other children applied.", "kind")
	ChildFailures   = counter("child_failures_total", "Children that the API server refused.", "kind")

	AskedAgain = counter("asked_again_total", "Refused generations asked again because the brand's stock has changed.").WithLabelValues()
	Resolved   = counter("resolved_total", "Selectors that became a list of items.").WithLabelValues()

	// PlanSeconds and LiveDelaySeconds are the two times that people wait for.
	PlanSeconds = histogram("plan_duration_seconds", "One plan, without its writes.",
		[]float64{.00001, .00003, .0001, .0003, .001, .003, .01, .03, .1})
	LiveDelaySeconds = histogram("live_delay_seconds",
		"From startAt, or the allocation if that was later, until Live stood in the status.",
		[]float64{.05, .1, .25, .5, 1, 2, 5, 10, 30, 60, 300})
)

const namespace = "qingcang_operator"

func counter(name, help string, labels ...string) *prometheus.CounterVec {
	c := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}, labels)
	// controller-runtime serves this registry; it offers no other place to register.
	metrics.Registry.MustRegister(c)
	return c
}

func histogram(name, help string, buckets []float64) prometheus.Histogram {
	h := prometheus.NewHistogram(prometheus.HistogramOpts{Namespace: namespace, Name: name, Help: help, Buckets: buckets})
	metrics.Registry.MustRegister(h)
	return h
}

func gauge(name, help string, labels ...string) *prometheus.GaugeVec {
	g := prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: namespace, Name: name, Help: help}, labels)
	metrics.Registry.MustRegister(g)
	return g
}

// Begin shows the counters of these labels from the start, at 0: an alert on what never happened yet must
// find them.
func Begin(c *prometheus.CounterVec, labels ...[]string) {
	for _, values := range combinations(labels) {
		c.WithLabelValues(values...)
	}
}

// combinations of one value of each label.
func combinations(labels [][]string) [][]string {
	all := [][]string{nil}
	for _, values := range labels {
		var longer [][]string
		for _, before := range all {
			for _, v := range values {
				longer = append(longer, append(slices.Clone(before), v))
			}
		}
		all = longer
	}
	return all
}
