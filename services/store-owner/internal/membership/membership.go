// Package membership decides who is a store owner (店主): a person orders the membership, pays the
// fee once, and is one from then on. It is pure.
//
// The fee buys membership benefits and nothing else. What the law says about it stands in package
// accounts.
package membership

import (
	"time"

	"google.golang.org/protobuf/proto"

	ownerv1 "github.com/qingcang/qingcang/proto/gen/owner/v1"
	"github.com/qingcang/qingcang/services/internal/money"
)

const (
	// DefaultFee is ¥398, paid once: the fee as long as no programme names another.
	DefaultFee money.Fen = 39_800
	// MaxFee is ¥10,000, the most that a programme can ask for.
	MaxFee money.Fen = 1_000_000
	// PayWithin is how long the fee of an ordered membership can be paid.
	PayWithin = 30 * time.Minute
	// MaxUnpaid bounds the memberships that one person has open at a time: each is a payment that
	// the provider holds open. A page that was reloaded orders again.
	MaxUnpaid = 3
)

// CanCost reports whether a programme can ask for this fee; 0 is a membership for nothing.
func CanCost(fee money.Fen) bool { return fee >= 0 && fee <= MaxFee }

// Fact is one thing that was decided.
type Fact = proto.Message

// Person is somebody who logged in. All of a person's memberships are decided together, so that
// only one of them is ever paid.
type Person struct {
	ID          string                 `json:"id"`
	Registered  bool                   `json:"registered"`
	Memberships map[string]*Membership `json:"memberships,omitempty"`
	// OwnerBy is the membership whose fee was kept.
	OwnerBy string `json:"ownerBy,omitempty"`
}

// NewPerson returns somebody of whom nothing is known yet.
func NewPerson(id string) *Person { return &Person{ID: id} }

// Owner reports whether the person is a store owner.
func (p *Person) Owner() bool { return p != nil && p.OwnerBy != "" }

// Find returns a membership of the person, nil if there is none with this id.
func (p *Person) Find(id string) *Membership {
	if p == nil {
		return nil
	}
	return p.Memberships[id]
}

// Membership is one attempt to become a store owner.
type Membership struct {
	ID        string    `json:"id"`
	Fee       money.Fen `json:"fee"`
	ExpiresAt time.Time `json:"expiresAt"`
	BodyHash  uint64    `json:"bodyHash,omitempty"`
	PrepayID  string    `json:"prepayId,omitempty"`
	// PaidBy is the provider's transaction whose money was kept, or ForNothing.
	PaidBy string `json:"paidBy,omitempty"`
	// Returns are the payments that were not wanted, by transaction.
	Returns map[string]*Return `json:"returns,omitempty"`
	Closed  bool               `json:"closed,omitempty"`
}

// Return is money on its way back.
type Return struct {
	RefundID string    `json:"refundId"`
	Fen      money.Fen `json:"fen"`
	Settled  bool      `json:"settled,omitempty"`
}

// State is where a membership stands, as its buyer sees it.
type State string

// The states.
const (
	Ordered  State = "ordered"
	Prepaid  State = "prepaid"
	Paid     State = "paid"
	Expired  State = "expired"
	Returned State = "returned"
)

// StateAt returns the state at a time.
func (m *Membership) StateAt(now time.Time) State {
	switch {
	case m.PaidBy != "":
		return Paid
	case len(m.Returns) > 0:
		return Returned
	case m.Closed || !now.Before(m.ExpiresAt):
		return Expired
	case m.PrepayID != "":
		return Prepaid
	default:
		return Ordered
	}
}

// Open reports whether money may still come: nothing came, and the provider was not told to close.
func (m *Membership) Open() bool { return m.PaidBy == "" && len(m.Returns) == 0 && !m.Closed }

// Busy reports whether the provider has to be asked about the membership: it is open, or money is
// on its way back.
func (m *Membership) Busy() bool {
	if m.Open() {
		return true
	}
	for _, r := range m.Returns {
		if !r.Settled {
			return true
		}
	}
	return false
}

// Apply folds a fact into the person it is about.
func (p *Person) Apply(fact Fact) {
	switch f := fact.(type) {
	case *ownerv1.PersonRegistered:
		p.Registered = true
	case *ownerv1.MembershipOrdered:
		if p.Memberships == nil {
			p.Memberships = map[string]*Membership{}
		}
		p.Memberships[f.GetMembershipId()] = &Membership{
			ID: f.GetMembershipId(), Fee: money.Fen(f.GetFeeFen()),
			ExpiresAt: f.GetExpiresAt().AsTime(), BodyHash: f.GetBodyHash(),
		}
	case *ownerv1.MembershipPrepaid:
		p.Memberships[f.GetMembershipId()].PrepayID = f.GetPrepayId()
	case *ownerv1.MembershipPaid:
		p.Memberships[f.GetMembershipId()].PaidBy = f.GetTransactionId()
		p.OwnerBy = f.GetMembershipId()
	case *ownerv1.MembershipFeeReturned:
		m := p.Memberships[f.GetMembershipId()]
		if m.Returns == nil {
			m.Returns = map[string]*Return{}
		}
		m.Returns[f.GetTransactionId()] = &Return{RefundID: f.GetRefundId(), Fen: money.Fen(f.GetFeeFen())}
	case *ownerv1.MembershipRefundSettled:
		for _, r := range p.Memberships[f.GetMembershipId()].Returns {
			if r.RefundID == f.GetRefundId() {
				r.Settled = true
			}
		}
	case *ownerv1.MembershipClosed:
		p.Memberships[f.GetMembershipId()].Closed = true
	}
}
