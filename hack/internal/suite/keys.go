package suite

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// keyFiles are the symmetric keys that services share, one "kid:base64" line each.
var keyFiles = []string{"buyer", "owner", "share", "vault-brand-intake", "vault-store-owner", "vault-fulfilment", "wechat-login-secret"}

// MakeKeys writes the keys that are missing, each to a file of its name.
func MakeKeys(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make the folder of the keys: %w", err)
	}
	for _, name := range keyFiles {
		path := filepath.Join(dir, name)
		if _, err := os.Stat(path); err == nil {
			continue
		} else if !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("look for a key: %w", err)
		}
		secret := make([]byte, 32)
		if _, err := rand.Read(secret); err != nil {
			return fmt.Errorf("make a key: %w", err)
		}
		if err := os.WriteFile(path, []byte("k1:"+base64.StdEncoding.EncodeToString(secret)+"\n"), 0o600); err != nil {
			return fmt.Errorf("write a key: %w", err)
		}
	}
	return nil
}
