package eventin

import (
	"log/slog"

	"github.com/qingcang/qingcang/proto/eventkit"
	"github.com/qingcang/qingcang/services/brand-intake/internal/app"
	"github.com/qingcang/qingcang/services/brand-intake/internal/registry"
	"github.com/qingcang/qingcang/services/internal/journal"
)

// The topics of the order service.
const (
	LaneEventsTopic  = "order.lane-events.v1"
	OrderEventsTopic = "order.events.v1"
)

// Orders returns the role for a topic of the order service.
func Orders(brands journal.Hearer[*registry.Registry], log *slog.Logger) eventkit.Role {
	return journal.Listen(brands, log, app.Hear)
}
