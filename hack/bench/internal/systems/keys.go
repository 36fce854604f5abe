package systems

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
)

func (f *Field) key(name string) string { return f.path("keys", name) }

// makeKeys writes the two key files of the order service, one "kid:base64" line each.
func (f *Field) makeKeys() error {
	if err := os.MkdirAll(filepath.Dir(f.key("buyer")), 0o700); err != nil {
		return fmt.Errorf("make the folder of the keys: %w", err)
	}
	for _, name := range []string{"buyer", "share"} {
		secret := make([]byte, 32)
		_, _ = rand.Read(secret) // never fails since Go 1.24
		if err := os.WriteFile(f.key(name), []byte("k1:"+base64.StdEncoding.EncodeToString(secret)+"\n"), 0o600); err != nil {
			return fmt.Errorf("write a key: %w", err)
		}
	}
	return nil
}
