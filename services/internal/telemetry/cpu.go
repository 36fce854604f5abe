package telemetry

import (
	"context"
	"fmt"
	"syscall"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// measureCPU measures what the kernel counts for this process: the measures of Go's runtime have no CPU.
func measureCPU() error {
	_, err := otel.Meter("github.com/qingcang/qingcang/services/internal/telemetry").Float64ObservableCounter("process.cpu.time",
		metric.WithUnit("s"), metric.WithDescription("Time that cores have worked for this process, for itself or in the kernel."),
		metric.WithFloat64Callback(func(_ context.Context, o metric.Float64Observer) error {
			var used syscall.Rusage
			if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
				return fmt.Errorf("ask the kernel for the time of the CPU: %w", err)
			}
			for mode, took := range map[string]syscall.Timeval{"user": used.Utime, "system": used.Stime} {
				o.Observe(time.Duration(took.Nano()).Seconds(), metric.WithAttributes(attribute.String("cpu.mode", mode)))
			}
			return nil
		}))
	return err
}
