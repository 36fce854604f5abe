package httpapi

import (
	"context"

	"github.com/qingcang/qingcang/services/brand-intake/internal/trial"
)

// TryStyle answers POST /v1/brands/{brandId}/styles/{styleNo}/trials.
func (s *Server) TryStyle(ctx context.Context, r TryStyleRequestObject) (TryStyleResponseObject, error) {
	scores := make([]trial.Score, 0, len(r.Body.Scores))
	for _, score := range r.Body.Scores {
		scores = append(scores, trial.Score{
			Performance: score.Performance, Price: score.Price, Look: score.Look, Packaging: score.Packaging,
		})
	}
	t, err := s.app.TryStyle(ctx, principal(ctx), r.BrandId, r.StyleNo, r.Params.IdempotencyKey, scores)
	if err != nil {
		return nil, err
	}
	return TryStyle201JSONResponse{TrialId: t.ID, StyleNo: t.StyleNo, TrialIndexTenths: t.IndexTenths, Testers: t.Testers}, nil
}
