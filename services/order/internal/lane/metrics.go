package lane

import (
	"context"
	"fmt"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// observe registers the gauges of all lanes; the returned function takes them
// back.
func (s *Lanes) observe() (func() error, error) {
	meter := otel.Meter("github.com/qingcang/qingcang/services/order/internal/lane")
	var errs [4]error
	gauge := func(i int, name, about string) metric.Int64ObservableGauge {
		g, err := meter.Int64ObservableGauge(name, metric.WithDescription(about))
		errs[i] = err
		return g
	}
	applied := gauge(0, "lane.applied", "Offset behind the last applied entry.")
	skipped := gauge(1, "lane.skipped", "Entries that meant nothing, since this process read them.")
	waiting := gauge(2, "lane.unpublished", "Events that are not known to be published.")
	stopped := gauge(3, "lane.stopped", "1 while the lane stands still.")
	for _, err := range errs {
		if err != nil {
			return nil, fmt.Errorf("measure lanes: %w", err)
		}
	}
	registration, err := meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		for _, l := range s.shared {
			l.mu.RLock()
			next, bad, outbox, still := l.next, l.skipped, len(l.outbox), l.stopped != nil
			l.mu.RUnlock()
			which := metric.WithAttributes(attribute.String("topic", l.topic), attribute.Int("partition", l.partition))
			o.ObserveInt64(applied, next, which)
			o.ObserveInt64(skipped, bad, which)
			o.ObserveInt64(waiting, int64(outbox), which)
			o.ObserveInt64(stopped, one(still), which)
		}
		return nil
	}, applied, skipped, waiting, stopped)
	if err != nil {
		return nil, fmt.Errorf("measure lanes: %w", err)
	}
	return registration.Unregister, nil
}

func one(yes bool) int64 {
	if yes {
		return 1
	}
	return 0
}
