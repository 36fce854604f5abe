package journal

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	journalv1 "github.com/qingcang/qingcang/proto/gen/journal/v1"
)

// scope names the instruments and spans of this package.
const scope = "github.com/qingcang/qingcang/services/internal/journal"

// commitBounds are the histogram's bounds in seconds: an insertion takes about a millisecond, and
// storeTries with their timeouts end it.
var commitBounds = []float64{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30}

// measures are a journal's metrics. Their one attribute is the journal's name.
type measures struct {
	meter    metric.Meter
	of       metric.MeasurementOption
	batches  metric.Int64Counter
	commands metric.Int64Counter
	facts    metric.Int64Counter
	lost     metric.Int64Counter
	commit   metric.Float64Histogram
	queue    metric.Int64ObservableGauge
}

func newMeasures(name string) (*measures, error) {
	meter := otel.Meter(scope)
	m := &measures{meter: meter, of: metric.WithAttributeSet(attribute.NewSet(attribute.String("journal", name)))}
	var errs [6]error
	m.batches, errs[0] = meter.Int64Counter("journal.batches", metric.WithDescription("Batches written by this process."))
	m.commands, errs[1] = meter.Int64Counter("journal.commands", metric.WithDescription("Commands that were decided for good."))
	m.facts, errs[2] = meter.Int64Counter("journal.facts", metric.WithDescription("Facts written by this process."))
	m.lost, errs[3] = meter.Int64Counter("journal.lost_races", metric.WithDescription("Rounds decided again because another replica took the slot."))
	m.commit, errs[4] = meter.Float64Histogram("journal.commit.duration", metric.WithUnit("s"),
		metric.WithDescription("Time to take a slot or to see who has it."), metric.WithExplicitBucketBoundaries(commitBounds...))
	m.queue, errs[5] = meter.Int64ObservableGauge("journal.queue", metric.WithDescription("Commands that wait for a round, over all shards."))
	return m, errors.Join(errs[:]...)
}

// watchQueues reports the length of the queues until the returned function is called.
func (m *measures) watchQueues(length func() int) (unwatch func(), err error) {
	registration, err := m.meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		o.ObserveInt64(m.queue, int64(length()), m.of)
		return nil
	}, m.queue)
	if err != nil {
		return nil, err
	}
	return func() { _ = registration.Unregister() }, nil // fails only for a callback of another meter
}

func (m *measures) settled(ctx context.Context, commands int, batch *journalv1.Batch) {
	if commands > 0 {
		m.commands.Add(ctx, int64(commands), m.of)
	}
	if batch != nil {
		m.batches.Add(ctx, 1, m.of)
		m.facts.Add(ctx, int64(len(batch.GetEvents())), m.of)
	}
}

func (m *measures) lostRace(ctx context.Context) { m.lost.Add(ctx, 1, m.of) }

func (m *measures) committed(ctx context.Context, took time.Duration) {
	m.commit.Record(ctx, took.Seconds(), m.of)
}
