package app

import (
	"context"
	"fmt"
	"time"

	"github.com/qingcang/qingcang/services/internal/auth"
	"github.com/qingcang/qingcang/services/internal/fault"
	"github.com/qingcang/qingcang/services/internal/ids"
	"github.com/qingcang/qingcang/services/internal/journal"
	"github.com/qingcang/qingcang/services/store-owner/internal/membership"
	"github.com/qingcang/qingcang/services/store-owner/internal/people"
)

// SessionTTL is how long tokens are valid. They cannot be called back: an order takes minutes, a
// day spares the owner a second log-in.
const SessionTTL = 24 * time.Hour

// ErrNotAnOwner is the fault of asking for an owner's token without a paid membership.
var ErrNotAnOwner = fault.New(fault.Forbidden, "not_an_owner", "only a store owner gets this; order the membership and pay its fee first")

// LogIn exchanges the code of WeChat's log-in for the openid of who logged in.
type LogIn interface {
	Exchange(ctx context.Context, code string) (openID string, err error)
}

// Sessions log people in.
type Sessions struct {
	Journal  *Journal
	Identity *Identity
	LogIn    LogIn
	// BuyerKeys sign the tokens of everybody, OwnerKeys those of store owners.
	BuyerKeys, OwnerKeys *auth.Keys
	Now                  func() time.Time
}

// Session is what a log-in gives.
type Session struct {
	PersonID   string
	BuyerToken string
	// OwnerToken is empty for who is no store owner.
	OwnerToken string
}

// Create logs in whoever WeChat gave the code to.
func (s *Sessions) Create(ctx context.Context, code string) (Session, error) {
	openID, err := s.LogIn.Exchange(ctx, code)
	if err != nil {
		return Session{}, err
	}
	personID, err := s.Identity.PersonID(ctx, openID)
	if err != nil {
		return Session{}, err
	}
	known, owner, err := s.look(ctx, personID)
	if err != nil {
		return Session{}, err
	}
	if !known {
		if err := s.register(ctx, personID, openID); err != nil {
			return Session{}, err
		}
	}
	session := Session{PersonID: personID}
	if session.BuyerToken, err = s.buyerToken(personID, openID); err != nil {
		return Session{}, err
	}
	if owner {
		session.OwnerToken, err = s.ownerToken(personID)
	}
	return session, err
}

// CreateOwnerToken gives a store owner an owner's token.
func (s *Sessions) CreateOwnerToken(ctx context.Context, personID string) (string, error) {
	_, owner, err := s.look(ctx, personID)
	if err != nil {
		return "", err
	}
	if !owner {
		return "", ErrNotAnOwner
	}
	return s.ownerToken(personID)
}

func (s *Sessions) look(ctx context.Context, personID string) (known, owner bool, err error) {
	err = s.Journal.View(ctx, personID, func(state *people.State) {
		if p := state.People[personID]; p != nil {
			known, owner = p.Registered, p.Owner()
		}
	})
	return known, owner, err
}

// register keeps the openid before the fact: a registered person always has one, whatever breaks
// off in between.
func (s *Sessions) register(ctx context.Context, personID, openID string) error {
	if err := s.Identity.Keep(ctx, personID, openID); err != nil {
		return err
	}
	return s.Journal.Do(ctx, about(personID, func(p *membership.Person, _ time.Time) ([]journal.Fact, error) {
		return membership.Register(p, personID), nil
	}))
}

// buyerToken carries the openid sealed, so that the order service can open a payment without asking
// this one.
func (s *Sessions) buyerToken(personID, openID string) (string, error) {
	payer, err := auth.SealSubject(s.BuyerKeys, personID, openID)
	if err != nil {
		return "", fmt.Errorf("seal the payer: %w", err)
	}
	claims := auth.Claims{Subject: personID, Audience: auth.Buyer, ID: ids.New("tok"), Payer: payer}
	return auth.Sign(s.BuyerKeys, claims, SessionTTL, s.Now())
}

func (s *Sessions) ownerToken(personID string) (string, error) {
	claims := auth.Claims{Subject: personID, Audience: auth.Owner, ID: ids.New("tok")}
	return auth.Sign(s.OwnerKeys, claims, SessionTTL, s.Now())
}
