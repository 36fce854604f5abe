package stack

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// identity is what a control plane needs to be itself again after a restart:
// its serving certificate, the key of its service accounts, and the tokens of
// its users. All of it stands in one directory that only the user can read.
type identity struct{ dir string }

func (i identity) certificate() string { return filepath.Join(i.dir, "serving.crt") }
func (i identity) key() string         { return filepath.Join(i.dir, "serving.key") }
func (i identity) accountKey() string  { return filepath.Join(i.dir, "service-account.key") }
func (i identity) tokens() string      { return filepath.Join(i.dir, "tokens.csv") }

// certificateLifetime outlasts any demo.
const certificateLifetime = 5 * 365 * 24 * time.Hour

// openIdentity makes what is missing in dir.
func openIdentity(dir string) (identity, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return identity{}, err
	}
	i := identity{dir: dir}
	if _, err := os.Stat(i.accountKey()); err == nil {
		return i, nil
	}
	if err := i.writeServing(); err != nil {
		return identity{}, fmt.Errorf("make a certificate for the API server: %w", err)
	}
	// Written last: where it stands, the rest is whole.
	if err := i.writeAccountKey(); err != nil {
		return identity{}, fmt.Errorf("make a key for service accounts: %w", err)
	}
	return i, nil
}

// writeServing makes a certificate for 127.0.0.1 that signs itself; clients get
// it as their authority.
func (i identity) writeServing() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(now.UnixNano()),
		Subject:               pkix.Name{CommonName: "qingcang local control plane"},
		NotBefore:             now.Add(-time.Hour), // a clock that is set back a little must not lock the user out
		NotAfter:              now.Add(certificateLifetime),
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		IsCA:                  true,
		BasicConstraintsValid: true,
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1)},
		DNSNames:              []string{"localhost"},
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return err
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	if err := writePEM(i.certificate(), "CERTIFICATE", certificate); err != nil {
		return err
	}
	return writePEM(i.key(), "PRIVATE KEY", encoded)
}

// writeAccountKey makes the key that signs the tokens of service accounts and,
// as the API server reads the public half out of it, checks them too.
func (i identity) writeAccountKey() error {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	return writePEM(i.accountKey(), "RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(key))
}

// trust is the pool that clients check the API server against.
func (i identity) trust() (*x509.CertPool, error) {
	text, err := os.ReadFile(i.certificate())
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, errors.New(i.certificate() + " holds no certificate")
	}
	return pool, nil
}

func writePEM(path, kind string, data []byte) error {
	return os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: data}), 0o600)
}
