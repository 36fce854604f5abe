package eventkit

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// scope names the instruments and spans of this package.
const scope = "github.com/qingcang/qingcang/proto/eventkit"

// otherTopic stands for all that topics.yaml does not list: a campaign may have a lane of its own,
// and a metric must not grow with campaigns.
const otherTopic = "other"

// produceBounds are the histogram's bounds in seconds, up to requestTimeout.
var produceBounds = []float64{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10}

// measures are the metrics of a Conn. Their one attribute is the topic.
type measures struct {
	topics  map[string]metric.MeasurementOption
	handled metric.Int64Counter
	repeats metric.Int64Counter
	gaps    metric.Int64Counter
	refused metric.Int64Counter
	unread  metric.Int64Counter
	lag     metric.Int64UpDownCounter
	produce metric.Float64Histogram
}

func newMeasures() (*measures, error) {
	meter := otel.Meter(scope)
	m := &measures{topics: map[string]metric.MeasurementOption{}}
	for _, t := range append(Topics(), Topic{Name: otherTopic}) {
		m.topics[t.Name] = metric.WithAttributeSet(attribute.NewSet(attribute.String("topic", t.Name)))
	}
	var errs [7]error
	m.handled, errs[0] = meter.Int64Counter("eventkit.records.handled", metric.WithDescription("Records that their handler has taken."))
	m.repeats, errs[1] = meter.Int64Counter("eventkit.repeats.dropped", metric.WithDescription("Events dropped because their source had said them before."))
	m.gaps, errs[2] = meter.Int64Counter("eventkit.gaps", metric.WithDescription("Times that a partition stood still at a missing event."))
	m.refused, errs[3] = meter.Int64Counter("eventkit.handler.errors", metric.WithDescription("Times that a handler failed; the records are given to it again."))
	m.unread, errs[4] = meter.Int64Counter("eventkit.fetch.errors", metric.WithDescription("Reads that the broker did not answer with records."))
	m.lag, errs[5] = meter.Int64UpDownCounter("eventkit.consumer.lag", metric.WithDescription("Records behind what this process has handled, over its partitions."))
	m.produce, errs[6] = meter.Float64Histogram("eventkit.produce.duration", metric.WithUnit("s"),
		metric.WithDescription("Time until all in-sync replicas have a batch."), metric.WithExplicitBucketBoundaries(produceBounds...))
	return m, errors.Join(errs[:]...)
}

func (m *measures) of(topic string) metric.MeasurementOption {
	if known, ok := m.topics[topic]; ok {
		return known
	}
	return m.topics[otherTopic]
}

// follows says that a topic is read from here on. What then goes wrong is counted from zero: a counter that
// comes into being with its first failure shows no increase.
func (m *measures) follows(ctx context.Context, topic string) {
	for _, counter := range []metric.Int64Counter{m.handled, m.repeats, m.gaps, m.refused, m.unread} {
		counter.Add(ctx, 0, m.of(topic))
	}
	m.lag.Add(ctx, 0, m.of(topic))
}

func (m *measures) took(ctx context.Context, topic string, handled, repeats int) {
	if handled > 0 {
		m.handled.Add(ctx, int64(handled), m.of(topic))
	}
	if repeats > 0 {
		m.repeats.Add(ctx, int64(repeats), m.of(topic))
	}
}

func (m *measures) foundGap(ctx context.Context, topic string) { m.gaps.Add(ctx, 1, m.of(topic)) }

func (m *measures) handlerFailed(ctx context.Context, topic string) {
	m.refused.Add(ctx, 1, m.of(topic))
}

func (m *measures) fetchFailed(ctx context.Context, topic string) { m.unread.Add(ctx, 1, m.of(topic)) }

func (m *measures) lagChanged(ctx context.Context, topic string, by int64) {
	if by != 0 {
		m.lag.Add(ctx, by, m.of(topic))
	}
}

func (m *measures) produced(ctx context.Context, topic string, took time.Duration) {
	m.produce.Record(ctx, took.Seconds(), m.of(topic))
}
