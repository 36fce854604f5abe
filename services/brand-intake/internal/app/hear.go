package app

import (
	"context"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/qingcang/qingcang/proto/eventkit"
	orderv1 "github.com/qingcang/qingcang/proto/gen/order/v1"
	"github.com/qingcang/qingcang/services/brand-intake/internal/registry"
	"github.com/qingcang/qingcang/services/brand-intake/internal/settlement"
	"github.com/qingcang/qingcang/services/internal/journal"
)

// Heard is one event of another service.
type Heard struct {
	Position    eventkit.Position
	Traceparent string
	Event       proto.Message
}

// Hear takes events in, in their order; those that mean nothing to a brand cost
// nothing. On nil all that follows from them is durable.
func (a *App) Hear(ctx context.Context, events []Heard) error {
	commands := make([]Command, 0, len(events))
	for _, e := range events {
		if c, ok := commandOf(e); ok {
			c.Heard, c.Traceparent = &e.Position, e.Traceparent
			commands = append(commands, c)
		}
	}
	return a.journal.Hear(ctx, commands)
}

// commandOf makes the command of an event. A release reads the pool, hence the
// brand is its key; a posting reads nothing, so an order's own id is enough and
// hundreds of one brand share an insertion.
func commandOf(e Heard) (Command, bool) {
	cause := settlement.Cause{ID: e.Position.String(), Event: e.Event}
	if letGo, ok := e.Event.(*orderv1.StockLetGo); ok {
		return Command{Key: letGo.GetBrandId(), Decide: func(r *registry.Registry, now time.Time) ([]journal.Fact, error) {
			return r.Of(letGo.GetBrandId()).Pool.Release(letGo, cause.ID, now), nil
		}}, true
	}
	orderID, brandID, ok := cause.Order()
	if !ok {
		return Command{}, false
	}
	return Command{Key: orderID, Route: brandID, Decide: func(*registry.Registry, time.Time) ([]journal.Fact, error) {
		return settlement.Post(cause)
	}}, true
}
