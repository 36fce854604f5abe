package suite

import (
	"fmt"
	"strings"

	"github.com/qingcang/qingcang/hack/internal/stack"
)

// metricsPort is the name of a process's port for its metrics.
func metricsPort(process string) string { return process + " metrics" }

// measured are the processes that serve metrics.
var measured = []string{"brand-intake", "catalog", "store-owner", "order-a", "order-b", "fulfilment", "operator"}

// MetricsURLs are where the processes of the product serve their metrics, by the process's name.
func (s *Suite) MetricsURLs() map[string]string {
	urls := make(map[string]string, len(measured))
	for _, process := range measured {
		urls[process] = s.ports.url(metricsPort(process)) + "/metrics"
	}
	return urls
}

// measure lets a service serve its metrics as the chart does.
func (s *Suite) measure(process *stack.Process) {
	process.Env = append(process.Env, "OTEL_METRICS_EXPORTER=prometheus", "OTEL_EXPORTER_PROMETHEUS_HOST=127.0.0.1",
		fmt.Sprintf("OTEL_EXPORTER_PROMETHEUS_PORT=%d", s.ports[metricsPort(process.Name)]))
}

// listeners are the names of all ports.
func listeners() []string {
	names := strings.Fields("brand-intake catalog store-owner order order-a order-b fulfilment sim operator")
	for _, process := range measured {
		names = append(names, metricsPort(process))
	}
	return names
}
