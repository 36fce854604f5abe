package app

import (
	"time"

	"github.com/qingcang/qingcang/proto/eventkit"
	orderv1 "github.com/qingcang/qingcang/proto/gen/order/v1"
	"github.com/qingcang/qingcang/services/brand-intake/internal/registry"
	"github.com/qingcang/qingcang/services/brand-intake/internal/settlement"
	"github.com/qingcang/qingcang/services/internal/journal"
)

// Hear makes the command of an event of the order service, false for one that
// means nothing to a brand. A release reads the pool, hence the brand is its
// key; a posting reads nothing, so an order's own id is enough and hundreds of
// one brand share an insertion.
func Hear(at eventkit.Position, event journal.Fact) (Command, bool) {
	cause := settlement.Cause{ID: at.String(), Event: event}
	if letGo, ok := event.(*orderv1.StockLetGo); ok {
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
