package eventkit

import (
	"context"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// maxLinks bounds the traces that one span of a handler names.
const maxLinks = 16

// startHandle opens one span for the records of a partition that are handled together. It is
// linked to the traces of the commands that caused them.
func startHandle(ctx context.Context, topic string, partition int, records []Record) (context.Context, trace.Span) {
	var links []trace.Link
	seen := map[string]bool{}
	for _, r := range records {
		parent := r.Event.Traceparent
		if parent == "" || seen[parent] || len(links) == maxLinks {
			continue
		}
		seen[parent] = true
		from := propagation.TraceContext{}.Extract(context.Background(), propagation.MapCarrier{"traceparent": parent})
		if trace.SpanContextFromContext(from).IsValid() {
			links = append(links, trace.LinkFromContext(from))
		}
	}
	return otel.Tracer(scope).Start(ctx, "process "+topic, trace.WithSpanKind(trace.SpanKindConsumer), trace.WithLinks(links...),
		trace.WithAttributes(
			attribute.String("messaging.system", "kafka"),
			attribute.String("messaging.destination.name", topic),
			attribute.Int("messaging.destination.partition", partition),
			attribute.Int("messaging.batch.message_count", len(records)),
		))
}

func endHandle(span trace.Span, err error) {
	if err != nil {
		span.SetStatus(codes.Error, "not handled")
	}
	span.End()
}
