package app

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"sync"

	"github.com/qingcang/qingcang/services/internal/ids"
)

const (
	// pepperID names the vault's entry that holds the pepper, which belongs to nobody.
	pepperID    = "person_pepper"
	pepperBytes = 32
	openIDKind  = "wechat_openid"
)

// Identity knows people by the id that WeChat gives them (openid), and gives them one of ours that
// does not tell it. The openid itself goes to the vault only.
type Identity struct {
	vault Vault

	mu     sync.Mutex
	pepper []byte
}

// NewIdentity returns an Identity that keeps its secrets in the vault.
func NewIdentity(vault Vault) *Identity { return &Identity{vault: vault} }

// PersonID is the same for one openid for ever. It is keyed with a secret: otherwise whoever has a
// list of openids could tell which of them are here.
func (i *Identity) PersonID(ctx context.Context, openID string) (string, error) {
	pepper, err := i.secret(ctx)
	if err != nil {
		return "", err
	}
	mac := hmac.New(sha256.New, pepper)
	mac.Write([]byte(openID))
	return ids.Derive("per", hex.EncodeToString(mac.Sum(nil))), nil
}

// Keep puts the openid of a person into the vault.
func (i *Identity) Keep(ctx context.Context, personID, openID string) error {
	if err := i.vault.PutWithID(ctx, openIDEntry(personID), personID, openIDKind, []byte(openID)); err != nil {
		return fmt.Errorf("keep an openid: %w", err)
	}
	return nil
}

// OpenID returns what Keep kept.
func (i *Identity) OpenID(ctx context.Context, personID string) (string, error) {
	openID, err := i.vault.Get(ctx, openIDEntry(personID))
	if err != nil {
		return "", fmt.Errorf("read an openid: %w", err)
	}
	return string(openID), nil
}

func openIDEntry(personID string) string { return ids.Derive("pd", personID, openIDKind) }

// secret returns the pepper. The first replica that ever asks makes it; the vault keeps the first
// one of any that are put at once, encrypted under a key that can be rotated, while the pepper
// itself never can.
func (i *Identity) secret(ctx context.Context) ([]byte, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.pepper != nil {
		return i.pepper, nil
	}
	fresh := make([]byte, pepperBytes)
	_, _ = rand.Read(fresh) // never fails
	if err := i.vault.PutWithID(ctx, pepperID, pepperID, pepperID, fresh); err != nil {
		return nil, fmt.Errorf("keep the pepper: %w", err)
	}
	pepper, err := i.vault.Get(ctx, pepperID)
	if err != nil {
		return nil, fmt.Errorf("read the pepper: %w", err)
	}
	i.pepper = pepper
	return pepper, nil
}
