package auth

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"os"
	"strings"
)

const (
	// minSecretBytes is the output size of SHA-256: a shorter HMAC key is weaker
	// than the tag.
	minSecretBytes = 32
	// maxKeys bounds a key file: the active key and those being retired.
	maxKeys = 16
	// maxKID bounds a key id; share tokens carry it in every link.
	maxKID = 8
)

// Keys are the HMAC secrets of one audience by key id. New tokens are signed
// with the active one; tokens of the others stay valid until the key goes.
type Keys struct {
	active  string
	secrets map[string][]byte
}

// NewKeys checks and copies the secrets. Each has at least 32 bytes and an id
// of 1 to 8 characters.
func NewKeys(secrets map[string][]byte, active string) (*Keys, error) {
	if len(secrets) > maxKeys {
		return nil, fmt.Errorf("%d keys; at most %d are wanted", len(secrets), maxKeys)
	}
	k := &Keys{active: active, secrets: maps.Clone(secrets)}
	for kid, secret := range k.secrets {
		if kid == "" || len(kid) > maxKID || strings.ContainsAny(kid, ".: \t") {
			return nil, fmt.Errorf("key id %q: 1 to %d characters without dot, colon or space are wanted", kid, maxKID)
		}
		if len(secret) < minSecretBytes {
			return nil, fmt.Errorf("key %q has %d bytes; at least %d are wanted", kid, len(secret), minSecretBytes)
		}
		k.secrets[kid] = bytes.Clone(secret)
	}
	if _, ok := k.secrets[active]; !ok {
		return nil, fmt.Errorf("the active key %q is not among the keys", active)
	}
	return k, nil
}

// LoadKeys reads a key file: one "kid:base64" a line, the first is the active
// one, blank lines and lines with # are skipped. To rotate, put the new line
// first; drop the old one when its last token has expired.
func LoadKeys(file string) (*Keys, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read keys: %w", err)
	}
	secrets, active := map[string][]byte{}, ""
	lines := bufio.NewScanner(bytes.NewReader(content))
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		kid, secret, err := parseKey(line)
		if err != nil {
			return nil, fmt.Errorf("%s line %d: %w", file, n, err)
		}
		if _, twice := secrets[kid]; twice {
			return nil, fmt.Errorf("%s line %d: key %q stands there twice", file, n, kid)
		}
		secrets[kid] = secret
		if active == "" {
			active = kid
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read keys from %s: %w", file, err)
	}
	keys, err := NewKeys(secrets, active)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return keys, nil
}

// parseKey never quotes the line: it holds a secret.
func parseKey(line string) (kid string, secret []byte, err error) {
	kid, encoded, ok := strings.Cut(line, ":")
	if !ok {
		return "", nil, errors.New("kid:base64 is wanted")
	}
	secret, err = base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return "", nil, errors.New("the part after the colon is not base64")
	}
	return kid, secret, nil
}
