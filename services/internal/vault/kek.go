package vault

import (
	"fmt"

	"github.com/tink-crypto/tink-go/v2/aead/subtle"
	"github.com/tink-crypto/tink-go/v2/tink"

	"github.com/qingcang/qingcang/services/internal/keyfile"
)

// dataKeyBytes is the size of every key here: AES-256.
const dataKeyBytes = 32

// KEK are the keys that encrypt people's keys. Nothing else is encrypted with
// them, and they never leave the process.
type KEK struct {
	active string
	aeads  map[string]tink.AEAD
}

// LoadKEK reads the key file; see package keyfile. Each key has 32 bytes.
func LoadKEK(file string) (*KEK, error) {
	set, err := keyfile.Load(file)
	if err != nil {
		return nil, err
	}
	return NewKEK(set)
}

// NewKEK makes the keys of a set.
func NewKEK(set keyfile.Set) (*KEK, error) {
	if err := set.Check(); err != nil {
		return nil, fmt.Errorf("vault: %w", err)
	}
	k := &KEK{active: set.Active, aeads: make(map[string]tink.AEAD, len(set.Secrets))}
	for kid, secret := range set.Secrets {
		if len(secret) != dataKeyBytes {
			return nil, fmt.Errorf("vault: key %q has %d bytes; %d are wanted", kid, len(secret), dataKeyBytes)
		}
		aead, err := subtle.NewAESGCM(secret)
		if err != nil {
			return nil, fmt.Errorf("vault: key %q: %w", kid, err)
		}
		k.aeads[kid] = aead
	}
	return k, nil
}
