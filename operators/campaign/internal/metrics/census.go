package metrics

import (
	"strings"

	"github.com/prometheus/client_golang/prometheus"
)

// What the operator counts anew from time to time.
var (
	Campaigns = Census{gauge("campaigns", "Campaigns by phase and the reason in Ready.", "phase", "ready", "reason")}
	Programs  = Census{gauge("programs", "Programmes by the reason in Ready.", "ready", "reason")}
	StockSKUs = gauge("stock_skus", "SKUs of all brands that the operator knows.").WithLabelValues()
)

// Census is a gauge whose labels come and go with what is counted.
type Census struct{ gauge *prometheus.GaugeVec }

// Counts are one count of a census.
type Counts struct {
	gauge *prometheus.GaugeVec
	by    map[string]int
}

// Begin begins to count.
func (c Census) Begin() Counts { return Counts{c.gauge, map[string]int{}} }

// maxLabels bounds the time series: a stock pool brings reasons of its own.
const maxLabels = 200

// Add counts one with these labels.
func (c Counts) Add(labels ...string) {
	key := strings.Join(labels, separator)
	if _, known := c.by[key]; known || len(c.by) < maxLabels {
		c.by[key]++
	}
}

const separator = "\x00" // in no label

// Set shows the count in place of the one before.
func (c Counts) Set() {
	c.gauge.Reset()
	for key, n := range c.by {
		c.gauge.WithLabelValues(strings.Split(key, separator)...).Set(float64(n))
	}
}
