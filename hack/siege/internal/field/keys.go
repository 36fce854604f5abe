package field

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const (
	keyID       = "k1"
	secretBytes = 32
	// tokenLife outlasts any siege.
	tokenLife = 24 * time.Hour
)

// makeKeys writes the key files of the order service, one "kid:base64" line each.
func makeKeys(dir string) error {
	if err := makeDir(dir); err != nil {
		return err
	}
	for _, name := range []string{"buyer", "share"} {
		secret := make([]byte, secretBytes)
		_, _ = rand.Read(secret) // never fails since Go 1.24
		if err := os.WriteFile(filepath.Join(dir, name), []byte(keyID+":"+base64.StdEncoding.EncodeToString(secret)+"\n"), 0o600); err != nil {
			return fmt.Errorf("write a key: %w", err)
		}
	}
	return nil
}

// tokens signs buyers' tokens as store-owner does.
type tokens struct {
	secret []byte
	sealer cipher.AEAD
}

func newTokens(file string) (*tokens, error) {
	line, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read the key of buyers: %w", err)
	}
	secret, err := base64.StdEncoding.DecodeString(strings.TrimSpace(strings.TrimPrefix(string(line), keyID+":")))
	if err != nil {
		return nil, fmt.Errorf("decode the key of buyers: %w", err)
	}
	// The openid in a token is sealed with a key derived from the signing key; see services/internal/auth.
	key, err := hkdf.Key(sha256.New, secret, nil, "qingcang/seal", secretBytes)
	if err != nil {
		return nil, fmt.Errorf("derive the sealing key: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("make the sealing cipher: %w", err)
	}
	sealer, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("make the sealing cipher: %w", err)
	}
	return &tokens{secret: secret, sealer: sealer}, nil
}

// sign makes the token of a buyer who may pay.
func (t *tokens) sign(buyer string) (string, error) {
	nonce := make([]byte, t.sealer.NonceSize(), 128)
	_, _ = rand.Read(nonce)                                                       // as above
	sealed := t.sealer.Seal(nonce, nonce, []byte("openid-"+buyer), []byte(buyer)) //nolint:gosec // the nonce is random
	now := time.Now()
	token := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"sub": buyer, "aud": []string{"buyer"}, "jti": "tok_" + buyer, "iat": now.Unix(), "exp": now.Add(tokenLife).Unix(),
		"wxo": keyID + "." + base64.RawURLEncoding.EncodeToString(sealed),
	})
	token.Header["kid"] = keyID
	signed, err := token.SignedString(t.secret)
	if err != nil {
		return "", fmt.Errorf("sign a buyer's token: %w", err)
	}
	return signed, nil
}
