package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/qingcang/qingcang/services/brand-intake/internal/brand"
	"github.com/qingcang/qingcang/services/brand-intake/internal/registry"
	"github.com/qingcang/qingcang/services/internal/auth"
	"github.com/qingcang/qingcang/services/internal/fault"
	"github.com/qingcang/qingcang/services/internal/ids"
	"github.com/qingcang/qingcang/services/internal/journal"
	"github.com/qingcang/qingcang/services/internal/vault"
)

const (
	applyRoute = "POST /v1/brands"
	// contactKind is the kind of a brand's contact in the vault.
	contactKind = "brand_contact"
	// applicationsPerMinute bounds what anybody, without any credentials, can have
	// one replica write down. A day has some 200 real applications.
	applicationsPerMinute = 60
	// maxApplied bounds the applications of one shard that wait for operations:
	// over all shards some forty days of them.
	maxApplied = 1_000
)

var (
	errTooFast = fault.New(fault.TooMany, "too_many_applications", "too many brands apply at this moment; try again in a minute with the same Idempotency-Key").RetryAfter(60)
	errFull    = fault.New(fault.TooMany, "applications_full", "too many applications wait for operations; try again later with the same Idempotency-Key").RetryAfter(3600)
)

// Contact is who speaks for a brand. It is personal: it goes to the vault and
// nowhere else.
type Contact struct {
	Name  string `json:"name"`
	Phone string `json:"phone"`
	Email string `json:"email"`
}

// Application is a wish to become a brand.
type Application struct {
	Name    string
	Contact Contact
}

// anybody is the principal of a request that needs no credentials.
var anybody = auth.Principal{Kind: "anybody"}

// ApplyBrand takes an application in and returns the brand. The contact goes
// first: a fact that names a contact must never stand without it, while a
// contact without its fact is found again by a repeat under the same id.
func (a *App) ApplyBrand(ctx context.Context, key string, application Application) (Brand, error) {
	id := derive("brand", anybody, applyRoute, "", key)
	wish := brand.Application{
		BrandID: id, Name: application.Name, ContactID: ids.Derive("per", id), BodyHash: ids.BodyHash([]byte(application.Name)),
	}
	if err := wish.Check(); err != nil {
		return Brand{}, err
	}
	if err := a.mayApply(ctx, id); err != nil {
		return Brand{}, err
	}
	if err := a.keepContact(ctx, wish.ContactID, application.Contact); err != nil {
		return Brand{}, err
	}
	err := a.decide(ctx, id, func(e *registry.Entry, _ time.Time) ([]journal.Fact, error) {
		return brand.Apply(&e.Brand, wish)
	})
	if err != nil {
		return Brand{}, err
	}
	return a.brand(ctx, id)
}

// mayApply refuses an application when too many come or wait. It looks before
// anything is kept, so those that come at the same moment may go over the bound.
func (a *App) mayApply(ctx context.Context, id string) error {
	if !a.applications.TryAcquirePermit() {
		return errTooFast
	}
	full := false
	err := a.journal.View(ctx, id, func(r *registry.Registry) {
		full = !r.Of(id).Brand.Known() && r.Applied() >= maxApplied
	})
	if err == nil && full {
		err = errFull
	}
	return err
}

// keepContact puts the contact into the vault, or finds that it is there. That
// a repeat brings another one is found out there too: a hash of it in the
// journal would be personal as well.
func (a *App) keepContact(ctx context.Context, id string, c Contact) error {
	contact, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("encode a contact: %w", err)
	}
	if err := a.contacts.PutWithID(ctx, id, id, contactKind, contact); err != nil {
		return err
	}
	kept, err := a.contacts.Get(ctx, id)
	switch {
	case errors.Is(err, vault.ErrErased):
		return nil // nothing is left to compare with, and it stays erased
	case err != nil:
		return err
	case !bytes.Equal(kept, contact):
		return brand.ErrKeyReused
	}
	return nil
}
