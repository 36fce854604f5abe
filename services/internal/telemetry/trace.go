package telemetry

import (
	"context"

	"go.opentelemetry.io/otel/propagation"
)

// traceparent is the header of W3C Trace Context, and the only one of its keys that logs carry.
const traceparent = "traceparent"

// Traceparent renders the context's span for an entry of a log, from which
// Continue goes on. It is empty when nobody traces.
func Traceparent(ctx context.Context) string {
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, carrier)
	return carrier[traceparent]
}

// Continue makes the span of a traceparent the context's, so that what follows
// belongs to its trace. An empty or damaged one changes nothing.
func Continue(ctx context.Context, parent string) context.Context {
	return propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{traceparent: parent})
}
