package mongokit

import (
	"context"
	"time"

	"go.mongodb.org/mongo-driver/v2/event"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"
)

const scope = "github.com/qingcang/qingcang/services/internal/mongokit"

// durationBuckets are in seconds, from a find by _id to a timeout.
var durationBuckets = []float64{.0005, .001, .002, .005, .01, .02, .05, .1, .2, .5, 1, 2, 5, 10}

// monitor makes a span and a measurement of every command after it ended. It
// looks at the name and the duration only: commands hold the data.
func monitor() *event.CommandMonitor {
	tracer := otel.Tracer(scope)
	// The error is for an invalid name, which this is not; the instrument works
	// in any case.
	duration, _ := otel.Meter(scope).Float64Histogram("db.client.operation.duration",
		metric.WithUnit("s"), metric.WithExplicitBucketBoundaries(durationBuckets...))
	record := func(ctx context.Context, e event.CommandFinishedEvent, failed bool) {
		attrs := []attribute.KeyValue{
			attribute.String("db.system.name", "mongodb"),
			attribute.String("db.namespace", e.DatabaseName),
			attribute.String("db.operation.name", e.CommandName),
			attribute.Bool("error", failed),
		}
		duration.Record(ctx, e.Duration.Seconds(), metric.WithAttributes(attrs...))
		end := time.Now()
		_, span := tracer.Start(ctx, e.CommandName+" "+e.DatabaseName,
			trace.WithSpanKind(trace.SpanKindClient), trace.WithTimestamp(end.Add(-e.Duration)), trace.WithAttributes(attrs...))
		if failed {
			span.SetStatus(codes.Error, "command failed")
		}
		span.End(trace.WithTimestamp(end))
	}
	return &event.CommandMonitor{
		Succeeded: func(ctx context.Context, e *event.CommandSucceededEvent) { record(ctx, e.CommandFinishedEvent, false) },
		Failed:    func(ctx context.Context, e *event.CommandFailedEvent) { record(ctx, e.CommandFinishedEvent, true) },
	}
}
