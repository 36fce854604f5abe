// Package keyfile reads the files that hold symmetric keys: one "kid:base64" a
// line, the first is the active one, blank lines and lines that begin with #
// are skipped. To rotate, put a new line first; drop the old one when nothing
// made with it is in use.
package keyfile

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"strings"
)

const (
	// MinSecretBytes is the output size of SHA-256: a shorter HMAC key is weaker
	// than the tag.
	MinSecretBytes = 32
	// MaxKeys bounds a set: the active key and those being retired.
	MaxKeys = 16
	// MaxKID bounds a key id in characters; share links carry it.
	MaxKID = 8
	// maxFileBytes bounds what is read.
	maxFileBytes = 64 << 10
)

// Set is the content of a key file.
type Set struct {
	// Active is the id of the key to make new things with.
	Active string
	// Secrets are the keys by id.
	Secrets map[string][]byte
}

// Load reads and checks a key file. No error quotes a secret.
func Load(file string) (Set, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return Set{}, fmt.Errorf("read keys: %w", err)
	}
	set, err := Parse(content)
	if err != nil {
		return Set{}, fmt.Errorf("%s: %w", file, err)
	}
	return set, nil
}

// Parse reads and checks the content of a key file.
func Parse(content []byte) (Set, error) {
	if len(content) > maxFileBytes {
		return Set{}, fmt.Errorf("more than %d bytes", maxFileBytes)
	}
	set := Set{Secrets: map[string][]byte{}}
	for n, line := range strings.Split(string(content), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		kid, encoded, ok := strings.Cut(line, ":")
		if !ok {
			return Set{}, fmt.Errorf("line %d: kid:base64 is wanted", n+1)
		}
		secret, err := base64.StdEncoding.DecodeString(encoded)
		if err != nil {
			return Set{}, fmt.Errorf("line %d: the part after the colon is not base64", n+1)
		}
		if _, twice := set.Secrets[kid]; twice {
			return Set{}, fmt.Errorf("line %d: key %q stands there twice", n+1, kid)
		}
		set.Secrets[kid] = secret
		if set.Active == "" {
			set.Active = kid
		}
	}
	return set, set.Check()
}

// Check refuses short secrets, odd ids, and a set without an active key.
func (s Set) Check() error {
	if len(s.Secrets) == 0 {
		return errors.New("no key")
	}
	if len(s.Secrets) > MaxKeys {
		return fmt.Errorf("%d keys; at most %d are wanted", len(s.Secrets), MaxKeys)
	}
	for kid, secret := range s.Secrets {
		if kid == "" || len(kid) > MaxKID || strings.ContainsAny(kid, ".: \t") {
			return fmt.Errorf("key id %q: 1 to %d characters without dot, colon or space are wanted", kid, MaxKID)
		}
		if len(secret) < MinSecretBytes {
			return fmt.Errorf("key %q has %d bytes; at least %d are wanted", kid, len(secret), MinSecretBytes)
		}
	}
	if _, ok := s.Secrets[s.Active]; !ok {
		return fmt.Errorf("the active key %q is not among the keys", s.Active)
	}
	return nil
}

// Clone returns a copy that shares no bytes with s.
func (s Set) Clone() Set {
	c := Set{Active: s.Active, Secrets: make(map[string][]byte, len(s.Secrets))}
	for kid, secret := range s.Secrets {
		c.Secrets[kid] = bytes.Clone(secret)
	}
	return c
}
