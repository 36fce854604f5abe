package membership

import (
	"fmt"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	ownerv1 "github.com/qingcang/qingcang/proto/gen/owner/v1"
	"github.com/qingcang/qingcang/services/internal/fault"
	"github.com/qingcang/qingcang/services/internal/money"
)

// The faults of ordering.
var (
	ErrUnknown       = fault.New(fault.NotFound, "unknown_membership", "there is no such membership")
	ErrAlreadyOwner  = fault.New(fault.Conflict, "already_owner", "the person is a store owner already; there is nothing to pay")
	ErrTooManyUnpaid = fault.New(fault.TooMany, "too_many_unpaid", "three memberships wait for their fee; pay one, or come back when they have expired").RetryAfter(60)
	ErrFeeDiffers    = fault.New(fault.Unprocessable, "fee_differs", "the fee is another one; show it to the buyer and order again")
	ErrKeyReused     = fault.New(fault.Unprocessable, "idempotency_key_reused", "this Idempotency-Key came with another request before; take a new one")
)

// Register notes that a person logged in for the first time.
func Register(p *Person, personID string) []Fact {
	if p != nil && p.Registered {
		return nil
	}
	return []Fact{&ownerv1.PersonRegistered{PersonId: personID}}
}

// Order asks for a membership.
type Order struct {
	MembershipID, PersonID string
	// BodyHash tells a repeat from another request under the same key.
	BodyHash uint64
	// Shown is the fee that the page showed; nil if it did not say.
	Shown *money.Fen
	// Fee is what the membership costs now; it keeps that, whatever the next one costs.
	Fee money.Fen
}

// ForNothing stands in place of the provider's transaction where there was nothing to pay. The
// provider's own are numbers.
const ForNothing = "for_nothing"

// Decide orders the membership, or does nothing at a repeat.
func (o Order) Decide(p *Person, now time.Time) ([]Fact, error) {
	if m := p.Find(o.MembershipID); m != nil {
		if m.BodyHash != o.BodyHash {
			return nil, ErrKeyReused
		}
		return nil, nil
	}
	if o.Shown != nil && *o.Shown != o.Fee {
		return nil, feeDiffers(o.Fee)
	}
	if p.Owner() {
		return nil, ErrAlreadyOwner
	}
	if unpaid(p, now) >= MaxUnpaid {
		return nil, ErrTooManyUnpaid
	}
	facts := []Fact{&ownerv1.MembershipOrdered{
		MembershipId: o.MembershipID, PersonId: o.PersonID, FeeFen: int64(o.Fee),
		ExpiresAt: timestamppb.New(now.Add(PayWithin)), BodyHash: o.BodyHash,
	}}
	if o.Fee == 0 { // the provider takes no payment of nothing
		facts = append(facts, &ownerv1.MembershipPaid{MembershipId: o.MembershipID, PersonId: o.PersonID, TransactionId: ForNothing})
	}
	return facts, nil
}

func feeDiffers(fee money.Fen) error {
	differs := *ErrFeeDiffers
	differs.Detail = fmt.Sprintf("the fee is %d fen; show it to the buyer and order again", int64(fee))
	return differs.With(fault.Field{Pointer: "/feeFen", Detail: "is not the fee of today"})
}

func unpaid(p *Person, now time.Time) int {
	if p == nil {
		return 0
	}
	n := 0
	for _, m := range p.Memberships {
		if m.Open() && now.Before(m.ExpiresAt) {
			n++
		}
	}
	return n
}

// NotePrepay keeps the provider's prepay id. The first one stays: a second is as good, and the page
// that got it can pay with either.
func NotePrepay(p *Person, membershipID, prepayID string) ([]Fact, error) {
	m := p.Find(membershipID)
	if m == nil {
		return nil, ErrUnknown
	}
	if m.PrepayID != "" || !m.Open() {
		return nil, nil
	}
	return []Fact{&ownerv1.MembershipPrepaid{MembershipId: membershipID, PrepayId: prepayID}}, nil
}

// Close notes that no money came and the provider takes none any more.
func Close(p *Person, membershipID string) ([]Fact, error) {
	m := p.Find(membershipID)
	if m == nil {
		return nil, ErrUnknown
	}
	if !m.Open() {
		return nil, nil
	}
	return []Fact{&ownerv1.MembershipClosed{MembershipId: membershipID}}, nil
}
