package app

import (
	"context"
	"time"

	"github.com/qingcang/qingcang/services/brand-intake/internal/brand"
	"github.com/qingcang/qingcang/services/brand-intake/internal/registry"
	"github.com/qingcang/qingcang/services/internal/auth"
	"github.com/qingcang/qingcang/services/internal/journal"
)

// ApproveBrand takes a brand in.
func (a *App) ApproveBrand(ctx context.Context, staff auth.Principal, brandID string) (Brand, error) {
	err := a.decide(ctx, brandID, func(e *registry.Entry, _ time.Time) ([]journal.Fact, error) {
		return brand.Approve(&e.Brand, staff.ID)
	})
	if err != nil {
		return Brand{}, err
	}
	return a.brand(ctx, brandID)
}

// SuspendBrand stops everything new of a brand.
func (a *App) SuspendBrand(ctx context.Context, staff auth.Principal, brandID, reason string) (Brand, error) {
	err := a.decide(ctx, brandID, func(e *registry.Entry, _ time.Time) ([]journal.Fact, error) {
		return brand.Suspend(&e.Brand, staff.ID, reason)
	})
	if err != nil {
		return Brand{}, err
	}
	return a.brand(ctx, brandID)
}
