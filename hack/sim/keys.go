package main

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Names that the merchant's configuration must carry.
const (
	merchantSerial = "5157F09EFDC096DE15EBE81A47057A7232F1B8E1"
	publicKeyID    = "PUB_KEY_ID_0116000000002026112200000000000001"
)

// keySet is what the merchant and the platform share, made at the first start.
type keySet struct {
	merchant *rsa.PublicKey  // verifies the merchant's requests; its private half is for the services
	platform *rsa.PrivateKey // signs answers and notices
	identity *rsa.PrivateKey // signs staff tokens
	apiV3    []byte          // 32 bytes: encrypts notices
}

// loadKeys reads the keys of the folder and makes those that are missing:
// merchant_key.pem and apiv3.key and platform_public.pem are what a merchant gets from WeChat Pay.
func loadKeys(dir string) (*keySet, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make %s: %w", dir, err)
	}
	merchant, err := loadKey(filepath.Join(dir, "merchant_key.pem"))
	if err != nil {
		return nil, err
	}
	platform, err := loadKey(filepath.Join(dir, "platform_key.pem"))
	if err != nil {
		return nil, err
	}
	identity, err := loadKey(filepath.Join(dir, "identity_key.pem"))
	if err != nil {
		return nil, err
	}
	public, err := x509.MarshalPKIXPublicKey(&platform.PublicKey)
	if err != nil {
		return nil, fmt.Errorf("encode the platform's public key: %w", err)
	}
	if err := keepFile(filepath.Join(dir, "platform_public.pem"), pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})); err != nil {
		return nil, err
	}
	apiV3, err := loadSecret(filepath.Join(dir, "apiv3.key"))
	if err != nil {
		return nil, err
	}
	return &keySet{merchant: &merchant.PublicKey, platform: platform, identity: identity, apiV3: apiV3}, nil
}

func loadKey(path string) (*rsa.PrivateKey, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return makeKey(path)
	}
	if err != nil {
		return nil, fmt.Errorf("read a key: %w", err)
	}
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, fmt.Errorf("%s is no PEM file: delete it and start again", path)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("parse %s: %w", path, err)
	}
	private, ok := key.(*rsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("%s holds no RSA key", path)
	}
	return private, nil
}

func makeKey(path string) (*rsa.PrivateKey, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("encode a key: %w", err)
	}
	return key, writeFile(path, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// loadSecret keeps 32 printable bytes, the form in which merchants choose their APIv3 key.
func loadSecret(path string) ([]byte, error) {
	data, err := os.ReadFile(path)
	if err == nil && len(data) == 32 {
		return data, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read the APIv3 key: %w", err)
	}
	raw := make([]byte, 16)
	if _, err := rand.Read(raw); err != nil {
		return nil, fmt.Errorf("make the APIv3 key: %w", err)
	}
	secret := []byte(hex.EncodeToString(raw))
	return secret, writeFile(path, secret)
}

// keepFile writes a file unless it is there as it is to be: keys may be mounted where nothing can be written.
func keepFile(path string, data []byte) error {
	if known, err := os.ReadFile(path); err == nil && bytes.Equal(known, data) {
		return nil
	}
	return writeFile(path, data)
}

func writeFile(path string, data []byte) error {
	if err := os.WriteFile(path, data, 0o600); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
