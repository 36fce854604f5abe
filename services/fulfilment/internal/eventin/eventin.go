// Package eventin turns what other services say into commands and read models.
package eventin

import (
	"log/slog"
	"time"

	"github.com/qingcang/qingcang/proto/eventkit"
	brandv1 "github.com/qingcang/qingcang/proto/gen/brand/v1"
	orderv1 "github.com/qingcang/qingcang/proto/gen/order/v1"
	"github.com/qingcang/qingcang/services/fulfilment/internal/brandkeys"
	"github.com/qingcang/qingcang/services/fulfilment/internal/shipping"
	"github.com/qingcang/qingcang/services/internal/journal"
)

// Orders makes a shipping order of every paid order.
func Orders(j journal.Hearer[*shipping.Orders], log *slog.Logger) eventkit.Role {
	return journal.Listen(j, log, func(_ eventkit.Position, event journal.Fact) (command journal.Command[*shipping.Orders], ok bool) {
		paid, ok := event.(*orderv1.OrderPaid)
		if !ok {
			return command, false
		}
		return journal.Command[*shipping.Orders]{
			Key: paid.GetOrderId(),
			Decide: func(s *shipping.Orders, _ time.Time) ([]journal.Fact, error) {
				return shipping.Create(s.Get(paid.GetOrderId()), paid), nil
			},
		}, true
	})
}

// BrandKeys keeps the set of keys up to date, for Conn.Follow: without its dropping of repeats, an
// old event would bring a revoked key back.
func BrandKeys(keys *brandkeys.Keys, log *slog.Logger) func(eventkit.Record) error {
	return func(r eventkit.Record) error {
		message, err := r.Event.Decode()
		if err != nil {
			log.Error("event parked", "topic", r.Topic, "partition", r.Partition, "offset", r.Offset, "error", err)
			return nil
		}
		switch f := message.(type) {
		case *brandv1.BrandKeyIssued:
			keys.Issued(f)
		case *brandv1.BrandKeyRevoked:
			keys.Revoked(f)
		}
		return nil
	}
}
