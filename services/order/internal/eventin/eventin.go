// Package eventin hears what lanes and fulfilment have decided and brings it to
// the payment journal.
package eventin

import (
	"context"
	"log/slog"
	"time"

	"github.com/qingcang/qingcang/proto/eventkit"
	"github.com/qingcang/qingcang/services/internal/journal"
	"github.com/qingcang/qingcang/services/order/internal/payment"
)

// The topics that are heard.
const (
	LaneEvents       = "order.lane-events.v1"
	FulfilmentEvents = "fulfilment.events.v1"
)

// Journal hears commands in the order of the events that they come from.
type Journal interface {
	Hear(ctx context.Context, commands []journal.Command[*payment.Orders]) error
}

// Role returns how one partition of either topic is heard: what a record says
// about an order's money is durable before its offset is committed.
func Role(j Journal, log *slog.Logger) eventkit.Role {
	return eventkit.Role{Handle: func(ctx context.Context, records []eventkit.Record) error {
		commands := make([]journal.Command[*payment.Orders], 0, len(records))
		for _, r := range records {
			c, ok, err := command(r)
			if err != nil {
				// It stays in the topic, where its offset leads to it; a log line
				// per record is all that parking it takes.
				log.ErrorContext(ctx, "an undecodable event is left aside",
					"topic", r.Topic, "partition", r.Partition, "offset", r.Offset, "err", err)
				continue
			}
			if ok {
				commands = append(commands, c)
			}
		}
		return j.Hear(ctx, commands)
	}}
}

// command makes the decision that an event asks for; false if it asks for none.
func command(r eventkit.Record) (journal.Command[*payment.Orders], bool, error) {
	var none journal.Command[*payment.Orders]
	position, err := r.Event.Position()
	if err != nil {
		return none, false, err
	}
	fact, err := r.Event.Decode()
	if err != nil {
		return none, false, err
	}
	orderID := payment.Subject(fact)
	if !payment.Foreign(fact) || orderID == "" {
		return none, false, nil
	}
	return journal.Command[*payment.Orders]{
		Key: orderID, Heard: &position, Traceparent: r.Event.Traceparent,
		Decide: func(s *payment.Orders, now time.Time) ([]journal.Fact, error) {
			return payment.Hear(s.Order(orderID), fact, now)
		},
	}, true, nil
}
