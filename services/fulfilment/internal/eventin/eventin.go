// Package eventin turns what other services say into commands and read models.
package eventin

import (
	"context"
	"log/slog"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/qingcang/qingcang/proto/eventkit"
	brandv1 "github.com/qingcang/qingcang/proto/gen/brand/v1"
	orderv1 "github.com/qingcang/qingcang/proto/gen/order/v1"
	"github.com/qingcang/qingcang/services/fulfilment/internal/app"
	"github.com/qingcang/qingcang/services/fulfilment/internal/brandkeys"
	"github.com/qingcang/qingcang/services/fulfilment/internal/shipping"
	"github.com/qingcang/qingcang/services/internal/journal"
)

// Orders makes a shipping order of every paid order. What cannot be decoded is parked: logged by
// its place in the log, where it stays.
func Orders(j app.Journal, log *slog.Logger) eventkit.Role {
	return eventkit.Role{Handle: func(ctx context.Context, records []eventkit.Record) error {
		var commands []journal.Command[*shipping.Orders]
		for _, r := range records {
			command, ok, err := orderCommand(r)
			if err != nil {
				log.ErrorContext(ctx, "event parked", "topic", r.Topic, "partition", r.Partition, "offset", r.Offset, "error", err)
				continue
			}
			if ok {
				commands = append(commands, command)
			}
		}
		return j.Hear(ctx, commands)
	}}
}

func orderCommand(r eventkit.Record) (command journal.Command[*shipping.Orders], ok bool, err error) {
	message, err := r.Event.Decode()
	if err != nil {
		return command, false, err
	}
	paid, ok := message.(*orderv1.OrderPaid)
	if !ok {
		return command, false, nil
	}
	position, err := r.Event.Position()
	if err != nil {
		return command, false, err
	}
	return journal.Command[*shipping.Orders]{
		Key: paid.GetOrderId(), Heard: &position, Traceparent: r.Event.Traceparent,
		Decide: func(s *shipping.Orders, _ time.Time) ([]journal.Fact, error) {
			return shipping.Create(s.Get(paid.GetOrderId()), paid), nil
		},
	}, true, nil
}

// BrandKeys keeps the set of keys up to date, event by event. An event that is not behind the last
// one of its source is a repeat: taking it in again could bring a revoked key back.
func BrandKeys(keys *brandkeys.Keys, log *slog.Logger) func(eventkit.Record) error {
	last := map[string]eventkit.Position{}
	return func(r eventkit.Record) error {
		position, err := r.Event.Position()
		if before, heard := last[position.Source]; err == nil && heard && !position.After(before) {
			return nil
		}
		var message proto.Message
		if err == nil {
			message, err = r.Event.Decode()
		}
		if err != nil {
			log.Error("event parked", "topic", r.Topic, "partition", r.Partition, "offset", r.Offset, "error", err)
			return nil
		}
		last[position.Source] = position
		switch f := message.(type) {
		case *brandv1.BrandKeyIssued:
			keys.Issued(f)
		case *brandv1.BrandKeyRevoked:
			keys.Revoked(f)
		}
		return nil
	}
}
