package telemetry

import (
	"testing"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

func TestASpanIsRecordedWhereARecordedOneLeadsToIt(t *testing.T) {
	link := func(flags trace.TraceFlags) trace.Link {
		return trace.Link{SpanContext: trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{1}, TraceFlags: flags})}
	}
	for name, test := range map[string]struct {
		links []trace.Link
		want  bool
	}{
		"a span that is linked to a recorded one is recorded": {[]trace.Link{link(0), link(trace.FlagsSampled)}, true},
		"one that is linked to others is drawn by lot":        {[]trace.Link{link(0)}, false},
		"one without links is drawn by lot":                   {nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			sampler := sdktrace.ParentBased(followLinks{sdktrace.NeverSample()})
			_, span := sdktrace.NewTracerProvider(sdktrace.WithSampler(sampler)).Tracer("test").Start(t.Context(), "commit", trace.WithLinks(test.links...))
			defer span.End()
			if got := span.SpanContext().IsSampled(); got != test.want {
				t.Errorf("recorded %t, want %t", got, test.want)
			}
		})
	}
}
