package httpapi

import (
	"context"

	"github.com/qingcang/qingcang/services/brand-intake/internal/app"
	"github.com/qingcang/qingcang/services/brand-intake/internal/brand"
)

// defaultLimit is the contract's default of limit, which validation does not fill in.
const defaultLimit = 100

// ApplyBrand answers POST /v1/brands.
func (s *Server) ApplyBrand(ctx context.Context, r ApplyBrandRequestObject) (ApplyBrandResponseObject, error) {
	b, err := s.app.ApplyBrand(ctx, r.Params.IdempotencyKey, app.Application{
		Name:    r.Body.Name,
		Contact: app.Contact{Name: r.Body.Contact.Name, Phone: r.Body.Contact.Phone, Email: r.Body.Contact.Email},
	})
	if err != nil {
		return nil, err
	}
	return ApplyBrand201JSONResponse(stateOf(b)), nil
}

// ListBrands answers GET /v1/brands.
func (s *Server) ListBrands(ctx context.Context, r ListBrandsRequestObject) (ListBrandsResponseObject, error) {
	var state brand.State
	if r.Params.State != nil {
		state = brand.State(*r.Params.State)
	}
	brands, next, err := s.app.Brands(ctx, state, pageOf(r.Params.After, r.Params.Limit))
	if err != nil {
		return nil, err
	}
	page := ListBrands200JSONResponse{Items: make([]BrandSummary, 0, len(brands)), Next: optional(next)}
	for _, b := range brands {
		page.Items = append(page.Items, BrandSummary{BrandId: b.ID, Name: b.Name, State: BrandStateName(b.State)})
	}
	return page, nil
}

// GetBrand answers GET /v1/brands/{brandId}.
func (s *Server) GetBrand(ctx context.Context, r GetBrandRequestObject) (GetBrandResponseObject, error) {
	b, err := s.app.Brand(ctx, principal(ctx), r.BrandId)
	if err != nil {
		return nil, err
	}
	body := GetBrand200JSONResponse{
		BrandId: b.ID, Name: b.Name, State: BrandStateName(b.State), Reason: optional(b.Reason), KeyIds: b.KeyIDs,
	}
	if c := b.Contact; c != nil {
		body.Contact = &Contact{Name: c.Name, Phone: c.Phone, Email: c.Email}
	}
	return body, nil
}

// ApproveBrand answers POST /v1/brands/{brandId}/approval.
func (s *Server) ApproveBrand(ctx context.Context, r ApproveBrandRequestObject) (ApproveBrandResponseObject, error) {
	b, err := s.app.ApproveBrand(ctx, principal(ctx), r.BrandId)
	if err != nil {
		return nil, err
	}
	return ApproveBrand200JSONResponse(stateOf(b)), nil
}

// SuspendBrand answers POST /v1/brands/{brandId}/suspension.
func (s *Server) SuspendBrand(ctx context.Context, r SuspendBrandRequestObject) (SuspendBrandResponseObject, error) {
	b, err := s.app.SuspendBrand(ctx, principal(ctx), r.BrandId, r.Body.Reason)
	if err != nil {
		return nil, err
	}
	return SuspendBrand200JSONResponse(stateOf(b)), nil
}

// IssueBrandKey answers POST /v1/brands/{brandId}/keys.
func (s *Server) IssueBrandKey(ctx context.Context, r IssueBrandKeyRequestObject) (IssueBrandKeyResponseObject, error) {
	keyID, key, err := s.app.IssueKey(ctx, principal(ctx), r.BrandId, r.Params.IdempotencyKey)
	if err != nil {
		return nil, err
	}
	return IssueBrandKey201JSONResponse{
		Body:    IssuedKey{KeyId: keyID, Key: key},
		Headers: IssueBrandKey201ResponseHeaders{CacheControl: "no-store"},
	}, nil
}

// RevokeBrandKey answers POST /v1/brands/{brandId}/keys/{keyId}/revocation.
func (s *Server) RevokeBrandKey(ctx context.Context, r RevokeBrandKeyRequestObject) (RevokeBrandKeyResponseObject, error) {
	if err := s.app.RevokeKey(ctx, r.BrandId, r.KeyId); err != nil {
		return nil, err
	}
	return RevokeBrandKey204Response{}, nil
}

func stateOf(b app.Brand) BrandState {
	return BrandState{BrandId: b.ID, State: BrandStateName(b.State)}
}

func pageOf(after *After, limit *Limit) app.Page {
	page := app.Page{Limit: defaultLimit}
	if after != nil {
		page.After = *after
	}
	if limit != nil {
		page.Limit = *limit
	}
	return page
}

// optional leaves an empty string out of an answer.
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
