package auth

import (
	"fmt"

	"github.com/qingcang/qingcang/services/internal/keyfile"
)

// Keys are the HMAC secrets of one audience by key id. New tokens are signed
// with the active one; tokens of the others stay valid until the key goes.
type Keys struct {
	active   string
	secrets  map[string][]byte
	verified *verified
}

// NewKeys checks and copies the secrets. Each has at least 32 bytes and an id
// of 1 to 8 characters.
func NewKeys(secrets map[string][]byte, active string) (*Keys, error) {
	set := keyfile.Set{Active: active, Secrets: secrets}
	if err := set.Check(); err != nil {
		return nil, fmt.Errorf("auth: %w", err)
	}
	set = set.Clone()
	return &Keys{active: set.Active, secrets: set.Secrets, verified: newVerified()}, nil
}

// LoadKeys reads a key file; see package keyfile for its form.
func LoadKeys(file string) (*Keys, error) {
	set, err := keyfile.Load(file)
	if err != nil {
		return nil, err
	}
	return NewKeys(set.Secrets, set.Active)
}
