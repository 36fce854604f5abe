// Package eventin turns what other services say into commands and tables of this one.
package eventin

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/qingcang/qingcang/proto/eventkit"
	orderv1 "github.com/qingcang/qingcang/proto/gen/order/v1"
	"github.com/qingcang/qingcang/services/internal/journal"
	"github.com/qingcang/qingcang/services/store-owner/internal/commission"
	"github.com/qingcang/qingcang/services/store-owner/internal/people"
)

// OrderEvents is the topic of the money of orders.
const OrderEvents = "order.events.v1"

// Orders returns the role of a reader of OrderEvents: it books the owners' part of orders.
func Orders(owners *journal.Journal[*people.State], log *slog.Logger) eventkit.Role {
	return eventkit.Role{Handle: func(ctx context.Context, records []eventkit.Record) error {
		commands := make([]journal.Command[*people.State], 0, len(records))
		for _, r := range records {
			command, ok, err := orderCommand(r.Event)
			if err != nil {
				// Nobody can ever read it: leave it in the log, say so, and go on.
				log.ErrorContext(ctx, "event parked", "topic", r.Topic, "partition", r.Partition, "offset", r.Offset, "err", err)
				continue
			}
			if ok {
				commands = append(commands, command)
			}
		}
		if err := owners.Hear(ctx, commands); err != nil {
			return fmt.Errorf("book commission: %w", err)
		}
		return nil
	}}
}

// orderCommand reads an event. ok is false for those that move no owner's money: nobody earns on
// the order, or it is of a kind that this service does not need.
func orderCommand(e eventkit.Event) (command journal.Command[*people.State], ok bool, err error) {
	if !booked[e.Type] {
		return command, false, nil
	}
	position, err := e.Position()
	if err != nil {
		return command, false, err
	}
	message, err := e.Decode()
	if err != nil {
		return command, false, err
	}
	orderID, ownerID, decide := decision(message)
	if ownerID == "" {
		return command, false, nil
	}
	return journal.Command[*people.State]{
		Key: orderID, Route: ownerID, Heard: &position, Traceparent: e.Traceparent,
		Decide: func(s *people.State, _ time.Time) ([]journal.Fact, error) { return decide(s.Wallets[ownerID]) },
	}, true, nil
}

// booked are the types of event that are read at all.
var booked = map[string]bool{
	name(&orderv1.OrderPaid{}): true, name(&orderv1.LineShort{}): true,
	name(&orderv1.LineReturned{}): true, name(&orderv1.OrderMatured{}): true,
}

func name(m proto.Message) string { return string(m.ProtoReflect().Descriptor().FullName()) }

func decision(m proto.Message) (orderID, ownerID string, decide func(*commission.Wallet) ([]commission.Fact, error)) {
	switch e := m.(type) {
	case *orderv1.OrderPaid:
		return e.GetOrderId(), e.GetOwnerId(), commission.PaidOf(e).Decide
	case *orderv1.LineShort:
		return e.GetOrderId(), e.GetOwnerId(), commission.Short(e).Decide
	case *orderv1.LineReturned:
		return e.GetOrderId(), e.GetOwnerId(), commission.Returned(e).Decide
	case *orderv1.OrderMatured:
		return e.GetOrderId(), e.GetOwnerId(), commission.MaturityOf(e).Decide
	default:
		return "", "", nil
	}
}
