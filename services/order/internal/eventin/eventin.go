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

// Role returns how one partition of either topic is heard: what a record says
// about an order's money is durable before its offset is committed.
func Role(j journal.Hearer[*payment.Orders], log *slog.Logger) eventkit.Role {
	role := journal.Listen(j, log, command)
	hear := role.Handle
	role.Handle = func(ctx context.Context, records []eventkit.Record) error {
		return hear(ctx, aboutMoney(records))
	}
	return role
}

// aboutMoney leaves out what lanes say most of all, before it is decoded: who holds
// stock says nothing yet about money.
func aboutMoney(records []eventkit.Record) []eventkit.Record {
	kept := make([]eventkit.Record, 0, len(records)/4)
	for _, r := range records {
		if r.Event.Type != "order.v1.OrderHeld" && r.Event.Type != "order.v1.OrderRefused" {
			kept = append(kept, r)
		}
	}
	return kept
}

// command makes the decision that an event asks for; false if it asks for none.
func command(_ eventkit.Position, fact journal.Fact) (journal.Command[*payment.Orders], bool) {
	orderID := payment.Subject(fact)
	if !payment.Foreign(fact) || orderID == "" {
		return journal.Command[*payment.Orders]{}, false
	}
	return journal.Command[*payment.Orders]{
		Key: orderID,
		Decide: func(s *payment.Orders, now time.Time) ([]journal.Fact, error) {
			return payment.Hear(s.Order(orderID), fact, now)
		},
	}, true
}
