package telemetry

import (
	"testing"

	"go.opentelemetry.io/otel"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

func TestTheCPUThatAProcessUsesIsMeasured(t *testing.T) {
	reader := sdkmetric.NewManualReader()
	before := otel.GetMeterProvider()
	t.Cleanup(func() { otel.SetMeterProvider(before) })
	otel.SetMeterProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)))
	if err := measureCPU(); err != nil {
		t.Fatal(err)
	}
	var seen metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &seen); err != nil {
		t.Fatal(err)
	}
	used := map[string]float64{}
	for _, scope := range seen.ScopeMetrics {
		for _, m := range scope.Metrics {
			sum, ok := m.Data.(metricdata.Sum[float64])
			if !ok || m.Name != "process.cpu.time" || !sum.IsMonotonic {
				continue
			}
			for _, point := range sum.DataPoints {
				mode, _ := point.Attributes.Value("cpu.mode")
				used[mode.AsString()] = point.Value
			}
		}
	}
	// A process that has just begun may have worked in the kernel alone. Hours are no test's: a unit was mistaken.
	if total := used["user"] + used["system"]; len(used) != 2 || total <= 0 || total > 3600 {
		t.Errorf("measured %v", used)
	}
}
