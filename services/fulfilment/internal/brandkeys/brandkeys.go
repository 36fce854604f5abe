// Package brandkeys checks brands' API keys against the hashes that brand-intake publishes. Every
// replica folds them from the whole log, so that no request waits for another service.
package brandkeys

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"
	"sync"

	brandv1 "github.com/qingcang/qingcang/proto/gen/brand/v1"
	"github.com/qingcang/qingcang/services/internal/auth"
	"github.com/qingcang/qingcang/services/internal/fault"
)

// ErrStarting is the fault of a key that this replica may not have read yet.
var ErrStarting = fault.New(fault.Unavailable, "starting", "the brands' keys are still being read; try again soon").RetryAfter(1)

// Keys is safe for concurrent use.
type Keys struct {
	mu       sync.RWMutex
	byID     map[string]key
	complete bool
}

type key struct {
	brand  string
	sha256 [sha256.Size]byte
}

// New returns a set without keys.
func New() *Keys { return &Keys{byID: map[string]key{}} }

// Issued adds a key.
func (k *Keys) Issued(f *brandv1.BrandKeyIssued) {
	if len(f.GetKeySha256()) != sha256.Size {
		return // a key that nothing can match
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.byID[f.GetKeyId()] = key{brand: f.GetBrandId(), sha256: [sha256.Size]byte(f.GetKeySha256())}
}

// Revoked removes a key.
func (k *Keys) Revoked(f *brandv1.BrandKeyRevoked) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.byID, f.GetKeyId())
}

// Complete says that all keys issued so far are known: from now on an unknown key is a wrong one.
func (k *Keys) Complete() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.complete = true
}

// Ready returns ErrStarting until the keys are complete.
func (k *Keys) Ready(*http.Request) error {
	k.mu.RLock()
	defer k.mu.RUnlock()
	if !k.complete {
		return ErrStarting
	}
	return nil
}

// Authenticate returns the brand whose key a request carries: "qck_<keyId>.<secret>".
func (k *Keys) Authenticate(r *http.Request) (auth.Principal, error) {
	token, err := auth.Bearer(r)
	if err != nil {
		return auth.Principal{}, err
	}
	rest, _ := strings.CutPrefix(token, "qck_")
	id, _, _ := strings.Cut(rest, ".")
	k.mu.RLock()
	kept, ok := k.byID[id]
	complete := k.complete
	k.mu.RUnlock()
	if !ok && !complete {
		return auth.Principal{}, ErrStarting
	}
	sum := sha256.Sum256([]byte(token))
	if subtle.ConstantTimeCompare(sum[:], kept.sha256[:]) != 1 || !ok {
		return auth.Principal{}, auth.ErrBadToken
	}
	return auth.Principal{Kind: auth.Brand, ID: kept.brand, Token: id}, nil
}
