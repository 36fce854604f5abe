package app

import (
	"context"
	"time"

	"github.com/qingcang/qingcang/services/internal/auth"
	"github.com/qingcang/qingcang/services/internal/fault"
	"github.com/qingcang/qingcang/services/internal/ids"
	"github.com/qingcang/qingcang/services/internal/journal"
	"github.com/qingcang/qingcang/services/store-owner/internal/people"
	"github.com/qingcang/qingcang/services/store-owner/internal/share"
)

const (
	shareRoute = "POST /v1/shares"
	// sharePath is where the buyer's page for a link is.
	sharePath = "/s/"
	// maxStyleBytes is what a share token has room for.
	maxStyleBytes = 32
)

// The faults of sharing.
var (
	ErrUnknownCampaign = fault.New(fault.NotFound, "unknown_campaign", "there is no such campaign")
	errStyleTooLong    = fault.New(fault.Invalid, "style_too_long", "a style number of more than 32 bytes does not fit a link").
				With(fault.Field{Pointer: "/styleNo", Detail: "at most 32 bytes in UTF-8"})
)

// Campaigns knows which campaigns there are, or fails while it does not know yet.
type Campaigns interface {
	Known(uid string) (bool, error)
}

// Shares gives owners their links.
type Shares struct {
	Journal   *Journal
	Campaigns Campaigns
	Keys      *auth.Keys
}

// CreateShare asks for a link.
type CreateShare struct {
	OwnerID string
	// Scope is the caller and Key the Idempotency-Key; both give a new link its id.
	Scope, Key string
	What       share.What
}

// ShareView is a link.
type ShareView struct {
	ID, Token, Path string
}

// Create gives the owner's link for a style: a new one, or the one that is there.
func (s *Shares) Create(ctx context.Context, c CreateShare) (ShareView, error) {
	if len(c.What.StyleNo) > maxStyleBytes {
		return ShareView{}, errStyleTooLong
	}
	known, err := s.Campaigns.Known(c.What.CampaignUID)
	if err != nil {
		return ShareView{}, err
	}
	if !known {
		return ShareView{}, ErrUnknownCampaign
	}
	create := share.Create{ShareID: ids.Derive("share", c.Scope, shareRoute, "", c.Key), OwnerID: c.OwnerID, What: c.What}
	err = s.Journal.Do(ctx, Command{Key: c.OwnerID, Decide: decideShare(create)})
	if err != nil {
		return ShareView{}, err
	}
	id := ""
	err = s.Journal.View(ctx, c.OwnerID, func(state *people.State) { id = state.Shelves[c.OwnerID].Find(c.What) })
	if err != nil {
		return ShareView{}, err
	}
	token, err := auth.EncodeShare(s.Keys, auth.ShareToken{
		ShareID: id, Owner: c.OwnerID, Campaign: c.What.CampaignUID, Style: c.What.StyleNo,
	})
	if err != nil {
		return ShareView{}, err
	}
	return ShareView{ID: id, Token: token, Path: sharePath + token}, nil
}

func decideShare(c share.Create) func(*people.State, time.Time) ([]journal.Fact, error) {
	return func(s *people.State, _ time.Time) ([]journal.Fact, error) { return c.Decide(s.Shelves[c.OwnerID]) }
}
