package app

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/qingcang/qingcang/services/brand-intake/internal/brand"
	"github.com/qingcang/qingcang/services/brand-intake/internal/registry"
	"github.com/qingcang/qingcang/services/internal/auth"
	"github.com/qingcang/qingcang/services/internal/ids"
	"github.com/qingcang/qingcang/services/internal/journal"
)

const (
	applyRoute = "POST /v1/brands"
	// contactKind is the kind of a brand's contact in the vault.
	contactKind = "brand_contact"
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
	Name    string  `json:"name"`
	Contact Contact `json:"contact"`
}

// anybody is the principal of a request that needs no credentials.
var anybody = auth.Principal{Kind: "anybody"}

// ApplyBrand takes an application in and returns the brand. The contact goes
// first: a fact that names a contact must never stand without it, while a
// contact without its fact is found again by a repeat under the same id.
func (a *App) ApplyBrand(ctx context.Context, key string, application Application) (Brand, error) {
	id := derive("brand", anybody, applyRoute, "", key)
	body, err := json.Marshal(application)
	if err != nil {
		return Brand{}, fmt.Errorf("encode an application: %w", err)
	}
	wish := brand.Application{BrandID: id, Name: application.Name, ContactID: ids.Derive("per", id), BodyHash: ids.BodyHash(body)}
	if err := wish.Check(); err != nil {
		return Brand{}, err
	}
	contact, err := json.Marshal(application.Contact)
	if err != nil {
		return Brand{}, fmt.Errorf("encode a contact: %w", err)
	}
	if err := a.contacts.PutWithID(ctx, wish.ContactID, wish.ContactID, contactKind, contact); err != nil {
		return Brand{}, err
	}
	err = a.decide(ctx, id, func(e *registry.Entry, _ time.Time) ([]journal.Fact, error) {
		return brand.Apply(&e.Brand, wish)
	})
	if err != nil {
		return Brand{}, err
	}
	return a.brand(ctx, id)
}
