package brand

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	brandv1 "github.com/qingcang/qingcang/proto/gen/brand/v1"
	"github.com/qingcang/qingcang/services/internal/fault"
	"github.com/qingcang/qingcang/services/internal/ids"
)

const (
	// MaxKeys bounds the keys that are valid at a time: enough to rotate.
	MaxKeys = 10
	// SecretBytes is 256 bits: no guessing, so a plain hash protects it.
	SecretBytes = 32
	// keyMark begins every key, so that people and scanners recognise a leaked one.
	keyMark = "qck_"
	// KeyPrefix begins the id of a key.
	KeyPrefix = "key"
)

var (
	errKeyShown    = fault.New(fault.Conflict, "key_already_shown", "this key was shown when it was issued and cannot be shown again; revoke it and ask for another with a new Idempotency-Key")
	errTooManyKeys = fault.Newf(fault.Conflict, "too_many_keys", "a brand has at most %d valid keys; revoke one first", MaxKeys)
	errKeyUnknown  = fault.New(fault.NotFound, "key_unknown", "the brand has no such key")
)

// Key is what is kept of an API key.
type Key struct {
	// SHA256 is of the whole key as it is sent, "qck_" included.
	SHA256  []byte
	Revoked bool
}

// FormatKey writes a key: "qck_<keyId>.<secret in base64url>".
func FormatKey(keyID string, secret []byte) string {
	return keyMark + keyID + "." + base64.RawURLEncoding.EncodeToString(secret)
}

// KeyID returns the id that a key names, false for what has no key's form.
func KeyID(key string) (string, bool) {
	rest, ok := strings.CutPrefix(key, keyMark)
	if !ok {
		return "", false
	}
	id, secret, ok := strings.Cut(rest, ".")
	if !ok || len(secret) != base64.RawURLEncoding.EncodedLen(SecretBytes) || ids.Check(KeyPrefix, id) != nil {
		return "", false
	}
	return id, true
}

// HashKey is what is kept of a key, and what BrandKeyIssued tells the others.
func HashKey(key string) []byte {
	sum := sha256.Sum256([]byte(key))
	return sum[:]
}

// Opens reports whether the key is one of the brand's and valid. It takes the
// same time for a wrong secret as for a right one.
func (b *Brand) Opens(keyID, key string) bool {
	kept, ok := b.Keys[keyID]
	return ok && !kept.Revoked && subtle.ConstantTimeCompare(kept.SHA256, HashKey(key)) == 1
}

// ValidKeys returns the ids of the keys that are accepted, in order.
func (b *Brand) ValidKeys() []string {
	valid := []string{}
	for id, key := range b.Keys {
		if !key.Revoked {
			valid = append(valid, id)
		}
	}
	slices.Sort(valid)
	return valid
}

// IssueKey decides whether the brand gets this key. The key itself never comes here.
func IssueKey(b *Brand, keyID string, sha []byte) ([]proto.Message, error) {
	switch {
	case !b.Known():
		return nil, ErrUnknown
	case b.State != Approved:
		return nil, errNotApproved
	case b.Keys[keyID].SHA256 != nil:
		return nil, errKeyShown
	case len(b.ValidKeys()) >= MaxKeys:
		return nil, errTooManyKeys
	}
	return []proto.Message{&brandv1.BrandKeyIssued{BrandId: b.ID, KeyId: keyID, KeySha256: sha}}, nil
}

// RevokeKey decides that a key is refused from now on.
func RevokeKey(b *Brand, keyID string) ([]proto.Message, error) {
	if !b.Known() {
		return nil, ErrUnknown
	}
	key, ok := b.Keys[keyID]
	if !ok {
		return nil, errKeyUnknown
	}
	if key.Revoked {
		return nil, nil
	}
	return []proto.Message{&brandv1.BrandKeyRevoked{BrandId: b.ID, KeyId: keyID}}, nil
}

func (b *Brand) keep(f *brandv1.BrandKeyIssued) {
	if b.Keys == nil {
		b.Keys = map[string]Key{}
	}
	b.Keys[f.GetKeyId()] = Key{SHA256: f.GetKeySha256()}
}

func (b *Brand) revoke(keyID string) {
	if key, ok := b.Keys[keyID]; ok {
		key.Revoked = true
		b.Keys[keyID] = key
	}
}
