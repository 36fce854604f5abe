package httpapi

import (
	"context"

	"github.com/qingcang/qingcang/services/store-owner/internal/app"
	"github.com/qingcang/qingcang/services/store-owner/internal/share"
)

// CreateShare implements StrictServerInterface.
func (s *Server) CreateShare(ctx context.Context, r CreateShareRequestObject) (CreateShareResponseObject, error) {
	p, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	link, err := s.Shares.Create(ctx, app.CreateShare{
		OwnerID: p.ID, Scope: p.Scope(), Key: r.Params.IdempotencyKey,
		What: share.What{CampaignUID: r.Body.CampaignUID, StyleNo: r.Body.StyleNo},
	})
	if err != nil {
		return nil, err
	}
	return CreateShare201JSONResponse{ShareID: link.ID, Token: link.Token, Path: link.Path}, nil
}
