// Package httpapi is the catalogue's door: generated types on one side, the shelf on the other.
package httpapi

import (
	"context"
	"time"

	"github.com/qingcang/qingcang/services/catalog/internal/app"
	"github.com/qingcang/qingcang/services/catalog/internal/shelf"
	"github.com/qingcang/qingcang/services/internal/auth"
)

// Server implements the contract.
type Server struct {
	catalog *app.Catalog
	shares  *auth.Keys
	now     func() time.Time
}

// NewServer returns the handlers over a catalogue. Shares are the keys that owners' links are signed with.
func NewServer(c *app.Catalog, shares *auth.Keys, now func() time.Time) *Server {
	return &Server{catalog: c, shares: shares, now: now}
}

var _ StrictServerInterface = (*Server)(nil)

// defaultLimit is the contract's.
const defaultLimit = 50

// ListCampaigns implements GET /v1/campaigns.
func (s *Server) ListCampaigns(_ context.Context, r ListCampaignsRequestObject) (ListCampaignsResponseObject, error) {
	var found []shelf.Campaign
	var next string
	var err error
	s.catalog.Look(func(on *shelf.Shelf) {
		found, next, err = on.Campaigns(or(r.Params.After, ""), or(r.Params.Limit, defaultLimit), s.now())
	})
	if err != nil {
		return nil, err
	}
	page := CampaignPage{Items: make([]Campaign, 0, len(found))}
	for _, c := range found {
		page.Items = append(page.Items, campaign(c))
	}
	if next != "" {
		page.Next = &next
	}
	return ListCampaigns200JSONResponse(page), nil
}

// GetCampaign implements GET /v1/campaigns/{uid}.
func (s *Server) GetCampaign(_ context.Context, r GetCampaignRequestObject) (GetCampaignResponseObject, error) {
	var found shelf.Campaign
	var styles []shelf.StyleSummary
	var more bool
	var err error
	s.catalog.Look(func(on *shelf.Shelf) {
		found, styles, more, err = on.Campaign(r.UID, or(r.Params.After, ""), or(r.Params.Limit, defaultLimit), s.now())
	})
	if err != nil {
		return nil, err
	}
	view := CampaignWithStyles{Campaign: campaign(found), Styles: make([]StyleSummary, 0, len(styles))}
	for _, st := range styles {
		view.Styles = append(view.Styles, summary(st))
	}
	if more {
		view.Next = &styles[len(styles)-1].No
	}
	return GetCampaign200JSONResponse(view), nil
}

// GetStyle implements GET /v1/campaigns/{uid}/styles/{styleNo}.
func (s *Server) GetStyle(_ context.Context, r GetStyleRequestObject) (GetStyleResponseObject, error) {
	view, err := s.style(r.UID, r.StyleNo)
	if err != nil {
		return nil, err
	}
	return GetStyle200JSONResponse(view), nil
}

// GetShare implements GET /v1/shares/{token}.
func (s *Server) GetShare(_ context.Context, r GetShareRequestObject) (GetShareResponseObject, error) {
	share, err := auth.DecodeShare(s.shares, r.Token)
	if err != nil {
		return nil, err
	}
	view, err := s.style(share.Campaign, share.Style)
	if err != nil {
		return nil, err
	}
	return GetShare200JSONResponse(view), nil
}

// ListGoods implements GET /v1/brands/{brandId}/goods.
func (s *Server) ListGoods(_ context.Context, r ListGoodsRequestObject) (ListGoodsResponseObject, error) {
	var found []shelf.Goods
	var more bool
	s.catalog.Look(func(on *shelf.Shelf) {
		found, more = on.Goods(r.BrandID, or(r.Params.After, ""), or(r.Params.Limit, defaultLimit))
	})
	page := GoodsPage{BrandID: r.BrandID, Items: make([]Goods, 0, len(found))}
	for _, g := range found {
		page.Items = append(page.Items, goods(g))
	}
	if more {
		page.Next = &found[len(found)-1].SKU
	}
	return ListGoods200JSONResponse(page), nil
}

func (s *Server) style(campaignUID, styleNo string) (Style, error) {
	var found shelf.Style
	var err error
	s.catalog.Look(func(on *shelf.Shelf) { found, err = on.Style(campaignUID, styleNo, s.now()) })
	if err != nil {
		return Style{}, err
	}
	return style(found), nil
}

// or is the value of a parameter that may be missing.
func or[T any](value *T, missing T) T {
	if value == nil {
		return missing
	}
	return *value
}
