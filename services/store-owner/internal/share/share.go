// Package share decides about the links that owners forward: one link for one owner, campaign and
// style. It is pure.
//
// A link moves no money and counts nobody. The commission on an order that came through it is
// decided in package commission, and it is the owner's alone: there is no second level.
package share

import (
	"google.golang.org/protobuf/proto"

	ownerv1 "github.com/qingcang/qingcang/proto/gen/owner/v1"
	"github.com/qingcang/qingcang/services/internal/fault"
)

// MaxShares bounds the links of one owner: a thousand campaigns of twenty styles.
const MaxShares = 20_000

// The faults of sharing.
var (
	ErrKeyReused = fault.New(fault.Unprocessable, "idempotency_key_reused", "this Idempotency-Key came with another request before; take a new one")
	ErrTooMany   = fault.Newf(fault.Conflict, "too_many_shares", "an owner has at most %d links", MaxShares)
)

// What is shared: a style of a campaign.
type What struct {
	CampaignUID string `json:"campaignUid"`
	StyleNo     string `json:"styleNo"`
}

// Shelf holds the links of one owner.
type Shelf struct {
	ByID map[string]What `json:"byId"`
	// ids finds the link of a style again; it is rebuilt from ByID.
	ids map[What]string
}

// NewShelf returns an empty shelf.
func NewShelf() *Shelf { return &Shelf{ByID: map[string]What{}} }

// Find returns the id of the owner's link for a style, empty if there is none.
func (s *Shelf) Find(w What) string {
	if s == nil {
		return ""
	}
	return s.ids[w]
}

// Index makes Find work on a shelf that was read from a snapshot.
func (s *Shelf) Index() {
	s.ids = make(map[What]string, len(s.ByID))
	for id, w := range s.ByID {
		s.ids[w] = id
	}
}

// Create takes a link.
type Create struct {
	// ShareID is derived from the Idempotency-Key; if the style has a link already, that one stays
	// and this id is not used.
	ShareID, OwnerID string
	What             What
}

// Decide makes the link, or nothing if it is there.
func (c Create) Decide(s *Shelf) ([]proto.Message, error) {
	if s != nil {
		if before, used := s.ByID[c.ShareID]; used && before != c.What {
			return nil, ErrKeyReused
		}
		if s.Find(c.What) != "" {
			return nil, nil
		}
		if len(s.ByID) >= MaxShares {
			return nil, ErrTooMany
		}
	}
	return []proto.Message{&ownerv1.ShareCreated{
		ShareId: c.ShareID, OwnerId: c.OwnerID, CampaignUid: c.What.CampaignUID, StyleNo: c.What.StyleNo,
	}}, nil
}

// Apply folds a fact.
func (s *Shelf) Apply(f *ownerv1.ShareCreated) {
	w := What{CampaignUID: f.GetCampaignUid(), StyleNo: f.GetStyleNo()}
	s.ByID[f.GetShareId()] = w
	if s.ids == nil {
		s.Index()
		return
	}
	s.ids[w] = f.GetShareId()
}
