package auth

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

const (
	// sealDomain keeps the sealing key apart from the signing key: both come
	// from one secret.
	sealDomain = "qingcang/seal"
	// aesKeyBytes selects AES-256.
	aesKeyBytes = 32
	// MaxSubject bounds what is sealed; an openid has 28 characters.
	MaxSubject = 128
)

// SealSubject encrypts what another service calls the holder of a token, such
// as WeChat's openid, so that a token can carry it: the holder's page and every
// log see ciphertext, and only who has the key file reads it. The ciphertext is
// bound to the holder: it cannot be moved into somebody else's token.
func SealSubject(keys *Keys, holder, subject string) (string, error) {
	if holder == "" || subject == "" || len(subject) > MaxSubject {
		return "", fmt.Errorf("auth: a holder and a subject of 1 to %d bytes are wanted", MaxSubject)
	}
	aead, err := sealer(keys.secrets[keys.active])
	if err != nil {
		return "", err
	}
	nonce := make([]byte, aead.NonceSize(), aead.NonceSize()+len(subject)+aead.Overhead())
	_, _ = rand.Read(nonce) // never fails since Go 1.24
	sealed := aead.Seal(nonce, nonce, []byte(subject), []byte(holder))
	return keys.active + "." + base64.RawURLEncoding.EncodeToString(sealed), nil
}

// OpenSubject returns what SealSubject sealed for the holder, or ErrBadToken.
func OpenSubject(keys *Keys, holder, sealed string) (string, error) {
	kid, encoded, _ := strings.Cut(sealed, ".")
	secret, known := keys.secrets[kid]
	if !known || len(encoded) > 2*MaxSubject {
		return "", ErrBadToken
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(encoded)
	if err != nil {
		return "", ErrBadToken.Wrap(err)
	}
	aead, err := sealer(secret)
	if err != nil {
		return "", err
	}
	if len(raw) < aead.NonceSize() {
		return "", ErrBadToken.Wrap(errors.New("sealed subject is cut"))
	}
	subject, err := aead.Open(nil, raw[:aead.NonceSize()], raw[aead.NonceSize():], []byte(holder))
	if err != nil {
		return "", ErrBadToken.Wrap(err)
	}
	return string(subject), nil
}

func sealer(secret []byte) (cipher.AEAD, error) {
	key, err := hkdf.Key(sha256.New, secret, nil, sealDomain, aesKeyBytes)
	if err != nil {
		return nil, fmt.Errorf("derive the sealing key: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("make the sealing cipher: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("make the sealing cipher: %w", err)
	}
	return aead, nil
}
