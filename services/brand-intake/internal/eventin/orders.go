package eventin

import (
	"context"
	"log/slog"

	"github.com/qingcang/qingcang/proto/eventkit"
	"github.com/qingcang/qingcang/services/brand-intake/internal/app"
)

// The topics of the order service.
const (
	LaneEventsTopic  = "order.lane-events.v1"
	OrderEventsTopic = "order.events.v1"
)

// Orders returns the role for a topic of the order service: what one fetch
// brought is taken in together, so that it shares insertions.
func Orders(hear func(context.Context, []app.Heard) error, log *slog.Logger) eventkit.Role {
	return eventkit.Role{Handle: func(ctx context.Context, records []eventkit.Record) error {
		events := make([]app.Heard, 0, len(records))
		for _, r := range records {
			e, err := heard(r)
			if err != nil {
				// Nothing can ever be made of these bytes; the place finds them again.
				log.ErrorContext(ctx, "event left aside: it cannot be decoded",
					"topic", r.Topic, "partition", r.Partition, "offset", r.Offset, "error", err)
				continue
			}
			events = append(events, e)
		}
		return hear(ctx, events)
	}}
}

func heard(r eventkit.Record) (app.Heard, error) {
	position, err := r.Event.Position()
	if err != nil {
		return app.Heard{}, err
	}
	event, err := r.Event.Decode()
	if err != nil {
		return app.Heard{}, err
	}
	return app.Heard{Position: position, Traceparent: r.Event.Traceparent, Event: event}, nil
}
