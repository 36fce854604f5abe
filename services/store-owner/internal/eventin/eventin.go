// Package eventin turns what other services say into commands and tables of this one.
package eventin

import (
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
func Orders(owners journal.Hearer[*people.State], log *slog.Logger) eventkit.Role {
	return journal.Listen(owners, log, command)
}

// command reads an event. It is false for those that move no owner's money: nobody earns on the
// order, or it is of a kind that this service does not need.
func command(_ eventkit.Position, event journal.Fact) (journal.Command[*people.State], bool) {
	orderID, ownerID, decide := decision(event)
	if ownerID == "" {
		return journal.Command[*people.State]{}, false
	}
	return journal.Command[*people.State]{
		Key: orderID, Route: ownerID,
		Decide: func(s *people.State, _ time.Time) ([]journal.Fact, error) { return decide(s.Wallets[ownerID]) },
	}, true
}

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
