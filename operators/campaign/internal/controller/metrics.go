package controller

import (
	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
)

var (
	published = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "qingcang_campaign_published_total",
		Help: "Desired states written to campaigns.v1. It stands still while nothing changes.",
	})
	publishFailures = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "qingcang_campaign_publish_failures_total",
		Help: "Desired states that the broker did not take; each is tried again.",
	})
	phaseChanges = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "qingcang_campaign_phase_changes_total",
		Help: "Campaigns that came into a phase.",
	}, []string{"phase"})
	orphansEnded = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "qingcang_campaign_orphans_ended_total",
		Help: "Campaigns ended because their object was gone without its finalizer.",
	})
)

func init() {
	// controller-runtime serves this registry; it offers no other place to register.
	metrics.Registry.MustRegister(published, publishFailures, phaseChanges, orphansEnded)
}
