package telemetry

import (
	"slices"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// followLinks is a sampler of roots that also records a span linked to a recorded one. A journal's
// commit and the handling of events serve many requests at once, so they are roots with links:
// drawn by lot alone, hardly any recorded request would lead anywhere.
type followLinks struct{ sdktrace.Sampler }

// ShouldSample implements sdktrace.Sampler.
func (f followLinks) ShouldSample(p sdktrace.SamplingParameters) sdktrace.SamplingResult {
	if slices.ContainsFunc(p.Links, func(l trace.Link) bool { return l.SpanContext.IsSampled() }) {
		return sdktrace.SamplingResult{Decision: sdktrace.RecordAndSample}
	}
	return f.Sampler.ShouldSample(p)
}

// Description implements sdktrace.Sampler.
func (f followLinks) Description() string { return "FollowLinks{" + f.Sampler.Description() + "}" }
