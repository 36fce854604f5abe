// Package shelf is what the catalogue knows: campaigns as they are wanted, campaigns as their lanes
// tell of them, and the approved goods of brands. It folds them and answers what people look at.
//
// The three come from topics of their own, in any order: whatever comes first waits for the rest,
// and is not shown without it. A Shelf is not safe for concurrent use.
package shelf

import (
	"cmp"
	"slices"
	"strings"

	brandv1 "github.com/qingcang/qingcang/proto/gen/brand/v1"
	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
	"github.com/qingcang/qingcang/services/internal/fault"
)

// The faults of asking for what is not on the shelf. A campaign before its preview is not on it.
var (
	ErrUnknownCampaign = fault.New(fault.NotFound, "unknown_campaign", "there is no such campaign")
	ErrUnknownStyle    = fault.New(fault.NotFound, "unknown_style", "the campaign has no such style")
)

// Shelf is the whole catalogue. Make one with New.
type Shelf struct {
	campaigns map[string]*campaign // by uid
	// order holds the wanted campaigns, the latest start first.
	order  []place
	brands map[string]*brand // by id
}

// place is where a campaign stands in the list.
type place struct {
	startSeconds int64 // since 1970
	uid          string
}

func compare(a, b place) int {
	return cmp.Or(cmp.Compare(b.startSeconds, a.startSeconds), strings.Compare(a.uid, b.uid))
}

// New returns an empty shelf.
func New() *Shelf {
	return &Shelf{campaigns: map[string]*campaign{}, brands: map[string]*brand{}}
}

// Want takes a campaign's desired state in, or with nil the news that it is forgotten. A lower
// generation than the known one is passed over.
func (s *Shelf) Want(uid string, desired *campaignv1.Desired) {
	c := s.campaign(uid)
	if desired != nil && desired.GetGeneration() < c.newest.GetGeneration() {
		return
	}
	s.remove(c)
	if c.newest = desired; desired == nil {
		c.good = nil
		s.forget(c)
		return
	}
	at, _ := slices.BinarySearchFunc(s.order, c.place(), compare)
	s.order = slices.Insert(s.order, at, c.place())
	s.brand(desired.GetBrandId()).campaigns[uid] = c
	c.follow()
	s.arrange(c)
}

// Report takes in what a campaign's lane says, or with nil the news that it is forgotten.
func (s *Shelf) Report(uid string, status *campaignv1.Status) {
	c := s.campaign(uid)
	c.report(status)
	if c.follow() {
		s.arrange(c)
	}
	s.forget(c)
}

// Approve takes in a brand's goods, each with its newest description.
func (s *Shelf) Approve(approved *brandv1.GoodsApproved) {
	b := s.brand(approved.GetBrandId())
	b.take(approved.GetGoods())
	for _, c := range b.campaigns {
		if c.sells(approved.GetGoods()) {
			s.arrange(c)
		}
	}
}

// Try takes in what trial users think of a style.
func (s *Shelf) Try(tried *brandv1.StyleTried) {
	s.brand(tried.GetBrandId()).tried[tried.GetStyleNo()] = tried.GetIndexTenths()
}

// campaign returns the record of a uid; a new one is known of nobody yet.
func (s *Shelf) campaign(uid string) *campaign {
	c, ok := s.campaigns[uid]
	if !ok {
		c = &campaign{uid: uid}
		s.campaigns[uid] = c
	}
	return c
}

func (s *Shelf) brand(id string) *brand {
	b, ok := s.brands[id]
	if !ok {
		b = &brand{goods: map[string]Goods{}, campaigns: map[string]*campaign{}, tried: map[string]int32{}}
		s.brands[id] = b
	}
	return b
}

// remove takes a campaign out of the lists that its desired state put it in.
func (s *Shelf) remove(c *campaign) {
	if c.newest == nil {
		return
	}
	if at, found := slices.BinarySearchFunc(s.order, c.place(), compare); found {
		s.order = slices.Delete(s.order, at, at+1)
	}
	delete(s.brand(c.newest.GetBrandId()).campaigns, c.uid)
}

// forget drops the record of a campaign of which neither the operator nor the lane has anything.
func (s *Shelf) forget(c *campaign) {
	if c.newest == nil && c.status == nil {
		delete(s.campaigns, c.uid)
	}
}

// arrange sorts a campaign's items into styles. What is not described yet is not shown.
func (s *Shelf) arrange(c *campaign) { c.arrange(s.brand(c.newest.GetBrandId()).goods) }
