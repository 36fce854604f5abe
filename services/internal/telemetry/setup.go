// Package telemetry sets up logs, traces and metrics by the standard OTEL_*
// variables. Nothing is exported unless they say so; logs always go to
// standard error as JSON, without personal data.
package telemetry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"go.opentelemetry.io/contrib/bridges/otelslog"
	"go.opentelemetry.io/contrib/exporters/autoexport"
	"go.opentelemetry.io/contrib/instrumentation/runtime"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/propagation"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.41.0"
)

// defaultSampleRatio is the share of traces that are recorded where
// OTEL_TRACES_SAMPLER does not say otherwise: a sale makes thousands a second.
const defaultSampleRatio = 0.01

type shutdownFunc func(context.Context) error

// Setup installs the global providers and returns the logger. Traces, metrics
// and logs are exported when OTEL_{TRACES,METRICS,LOGS}_EXPORTER or
// OTEL_EXPORTER_OTLP_ENDPOINT is set ("prometheus" is understood for metrics).
// LOG_LEVEL is debug, info (the default), warn or error. shutdown flushes.
func Setup(ctx context.Context, service, version string) (logger *slog.Logger, shutdown func(context.Context) error, err error) {
	level, err := logLevel(os.Getenv("LOG_LEVEL"))
	if err != nil {
		return nil, nil, err
	}
	res, err := resource.New(ctx,
		resource.WithAttributes(semconv.ServiceName(service), semconv.ServiceVersion(version)),
		resource.WithTelemetrySDK(), resource.WithHost(), resource.WithFromEnv())
	if err != nil {
		return nil, nil, fmt.Errorf("describe the process: %w", err)
	}
	otel.SetTextMapPropagator(propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{}))

	var stops []shutdownFunc
	shutdown = func(ctx context.Context) error {
		var errs []error
		for i := len(stops) - 1; i >= 0; i-- {
			errs = append(errs, stops[i](ctx))
		}
		return errors.Join(errs...)
	}
	handlers := []slog.Handler{slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: level})}
	for _, start := range []func(context.Context, *resource.Resource) (shutdownFunc, error){traces, metrics, logs} {
		stop, err := start(ctx, res)
		if err != nil {
			return nil, nil, errors.Join(err, shutdown(ctx))
		}
		stops = append(stops, stop)
	}
	if exported("LOGS") {
		handlers = append(handlers, minimum{otelslog.NewHandler(service), level})
	}
	return slog.New(redact(slog.NewMultiHandler(handlers...))).With("service", service), shutdown, nil
}

// exported reports whether a signal ("TRACES") has somewhere to go.
func exported(signal string) bool {
	switch os.Getenv("OTEL_" + signal + "_EXPORTER") {
	case "none":
		return false
	case "":
		return os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT") != ""
	}
	return true
}

// traces installs a provider in any case: without an exporter too, a request
// has a trace id, which its errors and its events carry.
func traces(ctx context.Context, res *resource.Resource) (shutdownFunc, error) {
	opts := []sdktrace.TracerProviderOption{sdktrace.WithResource(res)}
	if os.Getenv("OTEL_TRACES_SAMPLER") == "" {
		opts = append(opts, sdktrace.WithSampler(sdktrace.ParentBased(followLinks{sdktrace.TraceIDRatioBased(defaultSampleRatio)})))
	}
	if exported("TRACES") {
		exporter, err := autoexport.NewSpanExporter(ctx)
		if err != nil {
			return nil, fmt.Errorf("export traces: %w", err)
		}
		opts = append(opts, sdktrace.WithBatcher(exporter))
	}
	provider := sdktrace.NewTracerProvider(opts...)
	otel.SetTracerProvider(provider)
	return provider.Shutdown, nil
}

func metrics(ctx context.Context, res *resource.Resource) (shutdownFunc, error) {
	if !exported("METRICS") {
		return nothing, nil
	}
	reader, err := autoexport.NewMetricReader(ctx)
	if err != nil {
		return nil, fmt.Errorf("export metrics: %w", err)
	}
	provider := sdkmetric.NewMeterProvider(sdkmetric.WithResource(res), sdkmetric.WithReader(reader))
	otel.SetMeterProvider(provider)
	if err := runtime.Start(); err != nil {
		return nil, fmt.Errorf("measure the runtime: %w", err)
	}
	if err := measureCPU(); err != nil {
		return nil, fmt.Errorf("measure the CPU: %w", err)
	}
	return provider.Shutdown, nil
}

func logs(ctx context.Context, res *resource.Resource) (shutdownFunc, error) {
	if !exported("LOGS") {
		return nothing, nil
	}
	exporter, err := autoexport.NewLogExporter(ctx)
	if err != nil {
		return nil, fmt.Errorf("export logs: %w", err)
	}
	provider := sdklog.NewLoggerProvider(sdklog.WithResource(res), sdklog.WithProcessor(sdklog.NewBatchProcessor(exporter)))
	otel.SetLoggerProvider(provider)
	return provider.Shutdown, nil
}

func nothing(context.Context) error { return nil }

func logLevel(name string) (slog.Level, error) {
	level := slog.LevelInfo
	if name == "" {
		return level, nil
	}
	if err := level.UnmarshalText([]byte(name)); err != nil {
		return level, fmt.Errorf("LOG_LEVEL is %q; debug, info, warn or error is wanted", name)
	}
	return level, nil
}

// minimum gives a handler a least level; otelslog's has none.
type minimum struct {
	slog.Handler
	level slog.Level
}

func (m minimum) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= m.level && m.Handler.Enabled(ctx, level)
}

func (m minimum) WithAttrs(attrs []slog.Attr) slog.Handler {
	return minimum{m.Handler.WithAttrs(attrs), m.level}
}

func (m minimum) WithGroup(name string) slog.Handler {
	return minimum{m.Handler.WithGroup(name), m.level}
}
