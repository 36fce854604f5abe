// Package people folds one shard of the journal: the people whose ids fall into it, with their
// memberships, links and wallets. A person's owner id is the person's id.
package people

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"google.golang.org/protobuf/proto"

	moneyv1 "github.com/qingcang/qingcang/proto/gen/money/v1"
	orderv1 "github.com/qingcang/qingcang/proto/gen/order/v1"
	ownerv1 "github.com/qingcang/qingcang/proto/gen/owner/v1"
	"github.com/qingcang/qingcang/services/internal/journal"
	"github.com/qingcang/qingcang/services/store-owner/internal/commission"
	"github.com/qingcang/qingcang/services/store-owner/internal/membership"
	"github.com/qingcang/qingcang/services/store-owner/internal/share"
)

// State is what one shard knows.
type State struct {
	People  map[string]*membership.Person `json:"people"`
	Shelves map[string]*share.Shelf       `json:"shelves"`
	Wallets map[string]*commission.Wallet `json:"wallets"`
	// Holders finds the person of a membership: the provider's notices name the membership only.
	Holders map[string]string `json:"holders"`
	// Busy are the memberships about which the provider has to be asked, so that asking costs
	// nothing while there are none.
	Busy map[string]bool `json:"busy"`
}

// Machine folds facts into a State.
type Machine struct{}

var _ journal.Machine[*State] = Machine{}

// New implements journal.Machine.
func (Machine) New() *State {
	return &State{
		People: map[string]*membership.Person{}, Shelves: map[string]*share.Shelf{},
		Wallets: map[string]*commission.Wallet{}, Holders: map[string]string{}, Busy: map[string]bool{},
	}
}

// Encode implements journal.Machine.
func (Machine) Encode(s *State) ([]byte, error) { return json.Marshal(s) }

// Decode implements journal.Machine.
func (m Machine) Decode(data []byte) (*State, error) {
	s := m.New()
	if err := json.Unmarshal(data, s); err != nil {
		return nil, fmt.Errorf("decode people: %w", err)
	}
	for _, shelf := range s.Shelves {
		shelf.Index()
	}
	return s, nil
}

// Apply implements journal.Machine.
func (Machine) Apply(s *State, fact journal.Fact, _ journal.Meta) {
	switch f := fact.(type) {
	case *ownerv1.PersonRegistered:
		s.person(f.GetPersonId()).Apply(f)
	case *ownerv1.MembershipOrdered:
		s.Holders[f.GetMembershipId()] = f.GetPersonId()
		s.membership(f.GetMembershipId(), f)
	case *ownerv1.MembershipPrepaid:
		s.membership(f.GetMembershipId(), f)
	case *ownerv1.MembershipPaid:
		s.membership(f.GetMembershipId(), f)
	case *ownerv1.MembershipFeeReturned:
		s.membership(f.GetMembershipId(), f)
	case *ownerv1.MembershipRefundSettled:
		s.membership(f.GetMembershipId(), f)
	case *ownerv1.MembershipClosed:
		s.membership(f.GetMembershipId(), f)
	case *ownerv1.ShareCreated:
		s.shelf(f.GetOwnerId()).Apply(f)
	case owned:
		s.wallet(f.GetOwnerId()).Apply(f)
	}
}

// owned is a fact about an order's commission: those of owner.v1, and events of order.v1 that came
// too early.
type owned interface {
	proto.Message
	GetOwnerId() string
	GetOrderId() string
}

func (s *State) membership(id string, f journal.Fact) {
	p := s.person(s.Holders[id])
	p.Apply(f)
	if m := p.Find(id); m.Busy() {
		s.Busy[id] = true
	} else {
		delete(s.Busy, id)
	}
}

func (s *State) person(id string) *membership.Person {
	p := s.People[id]
	if p == nil {
		p = membership.NewPerson(id)
		s.People[id] = p
	}
	return p
}

func (s *State) shelf(owner string) *share.Shelf {
	shelf := s.Shelves[owner]
	if shelf == nil {
		shelf = share.NewShelf()
		s.Shelves[owner] = shelf
	}
	return shelf
}

func (s *State) wallet(owner string) *commission.Wallet {
	w := s.Wallets[owner]
	if w == nil {
		w = commission.NewWallet()
		s.Wallets[owner] = w
	}
	return w
}

// BusyMemberships lists the memberships about which the provider has to be asked, by id.
func (s *State) BusyMemberships() []string { return slices.Sorted(maps.Keys(s.Busy)) }

// Subject names what a fact is about: the key of its event.
func Subject(fact journal.Fact) string {
	switch f := fact.(type) {
	case *ownerv1.PersonRegistered:
		return f.GetPersonId()
	case *ownerv1.ShareCreated:
		return f.GetShareId()
	case owned:
		return f.GetOrderId()
	case interface{ GetMembershipId() string }:
		return f.GetMembershipId()
	default:
		return ""
	}
}

// Private keeps other services' early events in the journal: they were published once.
func Private(fact journal.Fact) bool {
	switch fact.(type) {
	case *orderv1.LineShort, *orderv1.LineReturned, *orderv1.OrderMatured:
		return true
	default:
		return false
	}
}

// Postings are the money that a fact moved.
func Postings(fact journal.Fact) []*moneyv1.Posting {
	if Private(fact) {
		return nil // theirs, in their book
	}
	switch f := fact.(type) {
	case interface{ GetPostings() []*moneyv1.Posting }:
		return f.GetPostings()
	case interface{ GetPosting() *moneyv1.Posting }:
		if p := f.GetPosting(); p != nil {
			return []*moneyv1.Posting{p}
		}
	}
	return nil
}
