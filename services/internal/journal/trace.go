package journal

import (
	"context"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/qingcang/qingcang/services/internal/telemetry"
)

// maxLinks bounds the traces that one batch's span names.
const maxLinks = 16

// startCommit opens one span for a whole batch, linked to the traces of the commands whose facts
// are in it.
func startCommit[S any](ctx context.Context, name string, taken []decided[S]) (context.Context, trace.Span) {
	var links []trace.Link
	for _, d := range taken {
		if parent := d.command.Traceparent; parent != "" && len(d.facts) > 0 && len(links) < maxLinks {
			links = append(links, trace.LinkFromContext(telemetry.Continue(context.Background(), parent)))
		}
	}
	return otel.Tracer(scope).Start(ctx, "journal.commit", trace.WithLinks(links...),
		trace.WithAttributes(attribute.String("journal", name), attribute.Int("commands", len(taken))))
}

func endCommit(span trace.Span, won bool, err error) {
	span.SetAttributes(attribute.Bool("won", won))
	if err != nil {
		span.SetStatus(codes.Error, "the outcome is unknown")
	}
	span.End()
}
