package app

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/qingcang/qingcang/services/brand-intake/internal/brand"
	"github.com/qingcang/qingcang/services/brand-intake/internal/registry"
	"github.com/qingcang/qingcang/services/internal/auth"
	"github.com/qingcang/qingcang/services/internal/journal"
)

const keysRoute = "POST /v1/brands/{brandId}/keys"

// IssueKey makes an API key. It is returned once and kept nowhere: the journal
// has its hash.
func (a *App) IssueKey(ctx context.Context, staff auth.Principal, brandID, idempotencyKey string) (keyID, key string, err error) {
	keyID = derive(brand.KeyPrefix, staff, keysRoute, brandID, idempotencyKey)
	secret := make([]byte, brand.SecretBytes)
	_, _ = rand.Read(secret) // never fails
	key = brand.FormatKey(keyID, secret)
	sha := brand.HashKey(key)
	err = a.decide(ctx, brandID, func(e *registry.Entry, _ time.Time) ([]journal.Fact, error) {
		return brand.IssueKey(&e.Brand, keyID, sha)
	})
	if err != nil {
		return "", "", err
	}
	return keyID, key, nil
}

// RevokeKey makes sure that a key is refused.
func (a *App) RevokeKey(ctx context.Context, brandID, keyID string) error {
	return a.decide(ctx, brandID, func(e *registry.Entry, _ time.Time) ([]journal.Fact, error) {
		return brand.RevokeKey(&e.Brand, keyID)
	})
}

// Authenticate returns whose API key it is. It looks at the brand that the
// request is about first: that costs one look and sees a key that another
// replica has just issued or revoked. Only a key of another brand, which will
// find nothing there, costs a look at all shards.
func (a *App) Authenticate(ctx context.Context, key, brandID string) (auth.Principal, error) {
	keyID, ok := brand.KeyID(key)
	if !ok {
		return auth.Principal{}, auth.ErrBadToken
	}
	opened := false
	err := a.view(ctx, brandID, func(e *registry.Entry) error {
		opened = e.Brand.Opens(keyID, key)
		return nil
	})
	if err != nil {
		return auth.Principal{}, err
	}
	owner := brandID
	for _, route := range journal.Routes() {
		if opened {
			break
		}
		err := a.journal.View(ctx, route, func(r *registry.Registry) {
			owner = r.KeyOwners[keyID]
			opened = r.Of(owner).Brand.Opens(keyID, key)
		})
		if err != nil {
			return auth.Principal{}, err
		}
	}
	if !opened {
		return auth.Principal{}, auth.ErrBadToken
	}
	return auth.Principal{Kind: auth.Brand, ID: owner, Token: keyID}, nil
}
