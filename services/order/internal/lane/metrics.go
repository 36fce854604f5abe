package lane

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/qingcang/qingcang/proto/eventkit"
)

const scope = "github.com/qingcang/qingcang/services/order/internal/lane"

// measures are what is counted as it happens.
type measures struct{ events metric.Int64Counter }

func newMeasures() (*measures, error) {
	events, err := otel.Meter(scope).Int64Counter("lane.events", metric.WithDescription("Events published by this process, by type."))
	if err != nil {
		return nil, fmt.Errorf("measure lanes: %w", err)
	}
	m := &measures{events}
	for _, kind := range []string{"OrderHeld", "OrderRefused", "OrderReleased", "OrderConfirmed", "PaymentUnwanted"} {
		events.Add(context.Background(), 0, ofType(kind)) // from zero: its first event would show no increase
	}
	return m, nil
}

func ofType(kind string) metric.MeasurementOption {
	return metric.WithAttributes(attribute.String("type", kind))
}

func (m *measures) published(ctx context.Context, events []eventkit.Event) {
	byType := map[string]int64{}
	for _, e := range events {
		byType[e.Type]++
	}
	for name, n := range byType {
		m.events.Add(ctx, n, ofType(name[strings.LastIndexByte(name, '.')+1:]))
	}
}

// gauges are what is looked at when somebody asks. Those of a lane have its topic and its partition: of
// dedicated lanes there are at most mostDedicated at a time.
type gauges struct {
	applied, skipped, waiting, stopped, units, dedicated, refused metric.Int64ObservableGauge
}

func newGauges(meter metric.Meter) (g gauges, err error) {
	var errs []error
	gauge := func(name, about string) metric.Int64ObservableGauge {
		made, err := meter.Int64ObservableGauge(name, metric.WithDescription(about))
		errs = append(errs, err)
		return made
	}
	g.applied = gauge("lane.applied", "Offset behind the last applied entry.")
	g.skipped = gauge("lane.skipped", "Entries that meant nothing, since this process read them.")
	g.waiting = gauge("lane.unpublished", "Events that are not known to be published.")
	g.stopped = gauge("lane.stopped", "1 while the lane stands still.")
	g.units = gauge("lane.units", "Units of the campaigns that have not left the lane, by what became of them.")
	g.dedicated = gauge("lane.dedicated", "Lanes of single campaigns that this process knows, by how far they have come.")
	g.refused = gauge("lane.refused", "Campaigns that are not served because their lane's name is wrong.")
	return g, errors.Join(errs...)
}

// observe registers the gauges of all lanes; the returned function takes them
// back.
func (s *Lanes) observe() (func() error, error) {
	meter := otel.Meter(scope)
	g, err := newGauges(meter)
	if err != nil {
		return nil, fmt.Errorf("measure lanes: %w", err)
	}
	registration, err := meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		for _, l := range append(s.own.all(), s.shared...) {
			l.observe(o, g)
		}
		stages, refused := s.own.counts()
		for at, name := range stageNames {
			o.ObserveInt64(g.dedicated, stages[at], metric.WithAttributes(attribute.String("state", name)))
		}
		o.ObserveInt64(g.refused, refused)
		return nil
	}, g.applied, g.skipped, g.waiting, g.stopped, g.units, g.dedicated, g.refused)
	if err != nil {
		return nil, fmt.Errorf("measure lanes: %w", err)
	}
	return registration.Unregister, nil
}

func (l *Lane) observe(o metric.Observer, g gauges) {
	l.mu.RLock()
	next, bad, outbox, still := l.next, l.skipped, len(l.outbox), l.stopped != nil
	free, held, sold := l.ledger.Units()
	l.mu.RUnlock()
	topic, partition := attribute.String("topic", l.topic), attribute.Int("partition", l.partition)
	which := metric.WithAttributes(topic, partition)
	o.ObserveInt64(g.applied, next, which)
	o.ObserveInt64(g.skipped, bad, which)
	o.ObserveInt64(g.waiting, int64(outbox), which)
	o.ObserveInt64(g.stopped, one(still), which)
	for state, units := range map[string]int64{"free": free, "held": held, "sold": sold} {
		o.ObserveInt64(g.units, units, metric.WithAttributes(topic, partition, attribute.String("state", state)))
	}
}

func one(yes bool) int64 {
	if yes {
		return 1
	}
	return 0
}
