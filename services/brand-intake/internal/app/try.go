package app

import (
	"context"
	"time"

	"github.com/qingcang/qingcang/services/brand-intake/internal/brand"
	"github.com/qingcang/qingcang/services/brand-intake/internal/registry"
	"github.com/qingcang/qingcang/services/brand-intake/internal/trial"
	"github.com/qingcang/qingcang/services/internal/auth"
	"github.com/qingcang/qingcang/services/internal/journal"
)

const tryRoute = "POST /v1/brands/{brandId}/styles/{styleNo}/trials"

// TryStyle keeps the scores of a trial as the style's newest. A repeat under the
// same key brings no older trial back.
func (a *App) TryStyle(ctx context.Context, staff auth.Principal, brandID, styleNo, key string, scores []trial.Score) (trial.Trial, error) {
	t, err := trial.New(derive("trial", staff, tryRoute, brandID+"/"+styleNo, key), styleNo, scores)
	if err != nil {
		return trial.Trial{}, err
	}
	err = a.decide(ctx, brandID, func(e *registry.Entry, _ time.Time) ([]journal.Fact, error) {
		switch {
		case !e.Brand.Known():
			return nil, brand.ErrUnknown
		case !e.Pool.HasStyle(styleNo):
			return nil, trial.ErrStyleUnknown
		}
		return e.Trials.Take(brandID, staff.ID, t)
	})
	return t, err
}
