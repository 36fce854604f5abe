package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/qingcang/qingcang/services/internal/ids"
	"github.com/qingcang/qingcang/services/internal/journal"
	"github.com/qingcang/qingcang/services/internal/money"
	"github.com/qingcang/qingcang/services/internal/wechatpay"
	"github.com/qingcang/qingcang/services/store-owner/internal/membership"
	"github.com/qingcang/qingcang/services/store-owner/internal/people"
)

const (
	membershipRoute = "POST /v1/memberships"
	// description is what the phone shows beside the fee.
	description = "店主会员"
)

// Prepayer opens payments at the provider.
type Prepayer interface {
	Prepay(ctx context.Context, r wechatpay.PrepayRequest) (prepayID string, err error)
	PaySign(ctx context.Context, prepayID string, now time.Time) (wechatpay.PayParams, error)
}

// Programme says what a membership costs that is ordered now, or fails while it does not know yet.
type Programme interface {
	Fee() (money.Fen, error)
}

// Memberships are ordered and looked at here.
type Memberships struct {
	Journal  *Journal
	Identity *Identity
	Provider Prepayer
	// Programme is asked at each order; a membership keeps the fee that it was ordered at.
	Programme Programme
	Now       func() time.Time
}

// MembershipView is a membership as its buyer sees it.
type MembershipView struct {
	ID        string
	State     membership.State
	Fee       money.Fen
	ExpiresAt time.Time
	PrepayID  string
	// Payment is nil when there is nothing to pay.
	Payment *wechatpay.PayParams
}

// OrderMembership asks for a membership.
type OrderMembership struct {
	PersonID string
	// Scope is the caller and Key the Idempotency-Key; both give the membership its id.
	Scope, Key string
	BodyHash   uint64
	// Shown is the fee that the page showed; nil if it did not say.
	Shown *money.Fen
}

// Order decides first and asks the provider then: if this breaks off in between, a repeat with the
// same key goes on from there, and the provider knows the membership by the same number.
func (m *Memberships) Order(ctx context.Context, o OrderMembership) (MembershipView, error) {
	id := ids.Derive("mem", o.Scope, membershipRoute, "", o.Key)
	fee, err := m.Programme.Fee()
	if err != nil {
		return MembershipView{}, err
	}
	err = m.Journal.Do(ctx, about(o.PersonID, func(p *membership.Person, now time.Time) ([]journal.Fact, error) {
		return membership.Order{MembershipID: id, PersonID: o.PersonID, BodyHash: o.BodyHash, Shown: o.Shown, Fee: fee}.Decide(p, now)
	}))
	if err != nil {
		return MembershipView{}, err
	}
	view, err := m.view(ctx, o.PersonID, id)
	if err != nil || view.State != membership.Ordered {
		return m.withPayment(ctx, view, err)
	}
	if err := m.prepay(ctx, o.PersonID, view); err != nil {
		return MembershipView{}, err
	}
	view, err = m.view(ctx, o.PersonID, id)
	return m.withPayment(ctx, view, err)
}

// Get shows a person's own membership; of anybody else's it says that there is none.
func (m *Memberships) Get(ctx context.Context, personID, id string) (MembershipView, error) {
	view, err := m.view(ctx, personID, id)
	return m.withPayment(ctx, view, err)
}

func (m *Memberships) prepay(ctx context.Context, personID string, view MembershipView) error {
	openID, err := m.Identity.OpenID(ctx, personID)
	if err != nil {
		return err
	}
	prepayID, err := m.Provider.Prepay(ctx, wechatpay.PrepayRequest{
		OutTradeNo: view.ID, Fen: view.Fee, Description: description, PayerOpenID: openID, ExpireAt: view.ExpiresAt,
	})
	if errors.Is(err, wechatpay.ErrPaid) || errors.Is(err, wechatpay.ErrClosed) {
		return nil // there is nothing to open; the collector finds out what came of it
	}
	if err != nil {
		return fmt.Errorf("open the payment: %w", err)
	}
	return m.Journal.Do(ctx, about(personID, func(p *membership.Person, _ time.Time) ([]journal.Fact, error) {
		return membership.NotePrepay(p, view.ID, prepayID)
	}))
}

func (m *Memberships) view(ctx context.Context, personID, id string) (MembershipView, error) {
	var view MembershipView
	found := false
	err := m.Journal.View(ctx, personID, func(s *people.State) {
		one := s.People[personID].Find(id)
		if one == nil {
			return
		}
		found = true
		view = MembershipView{ID: id, State: one.StateAt(m.Now()), Fee: one.Fee, ExpiresAt: one.ExpiresAt, PrepayID: one.PrepayID}
	})
	if err == nil && !found {
		err = membership.ErrUnknown
	}
	return view, err
}

func (m *Memberships) withPayment(ctx context.Context, view MembershipView, err error) (MembershipView, error) {
	if err != nil || view.State != membership.Prepaid {
		return view, err
	}
	params, err := m.Provider.PaySign(ctx, view.PrepayID, m.Now())
	if err != nil {
		return MembershipView{}, err
	}
	view.Payment = &params
	return view, nil
}
