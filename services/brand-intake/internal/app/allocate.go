package app

import (
	"context"
	"time"

	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
	"github.com/qingcang/qingcang/services/brand-intake/internal/registry"
	"github.com/qingcang/qingcang/services/internal/journal"
)

// Allocate answers a campaign's desired state from the pool of the brand that
// it names, known or not. A generation that was answered changes nothing, so
// every replica may ask, and ask again.
func (a *App) Allocate(ctx context.Context, d *campaignv1.Desired) error {
	return a.decide(ctx, d.GetBrandId(), func(e *registry.Entry, now time.Time) ([]journal.Fact, error) {
		return e.Pool.Allocate(e.Standing(), d, now), nil
	})
}
