package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// lifetime outlasts any test cluster: each "up" makes new identities.
const lifetime = 365 * 24 * time.Hour

// Names of identities, which are names of files too.
const (
	authorityName = "ca"
	serverName    = "kube-apiserver"
	// kubeletClientName is the API server when it asks a kubelet for logs.
	kubeletClientName = "kube-apiserver-kubelet"
	// frontName is the API server when it passes a request on, to metrics-server.
	frontName    = "front-proxy"
	accountsName = "service-accounts"
)

// subjects are whom the API server knows by their certificates: RBAC and the
// node authorizer grant to these names what each program needs.
func subjects() map[string]pkix.Name {
	return map[string]pkix.Name{
		"admin":                   {CommonName: "admin", Organization: []string{"system:masters"}},
		frontName:                 {CommonName: frontName},
		kubeletClientName:         {CommonName: kubeletClientName, Organization: []string{"system:masters"}},
		"kube-controller-manager": {CommonName: "system:kube-controller-manager"},
		"kube-scheduler":          {CommonName: "system:kube-scheduler"},
		"kube-proxy":              {CommonName: "system:kube-proxy"},
		"kubelet":                 {CommonName: "system:node:" + nodeName, Organization: []string{"system:nodes"}},
	}
}

// pki is the folder of keys and certificates.
type pki struct{ dir string }

func (h home) pki() pki { return pki{dir: h.config("pki")} }

func (p pki) certificate(name string) string { return filepath.Join(p.dir, name+".crt") }
func (p pki) key(name string) string         { return filepath.Join(p.dir, name+".key") }

// authority signs all the others.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func (h home) writeIdentities() error {
	p := h.pki()
	if err := os.MkdirAll(p.dir, 0o700); err != nil {
		return err
	}
	ca, err := p.writeAuthority()
	if err != nil {
		return err
	}
	if err := p.writeSigned(ca, serverName, serverTemplate()); err != nil {
		return err
	}
	for name, subject := range subjects() {
		template := newTemplate(subject)
		template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
		if err := p.writeSigned(ca, name, template); err != nil {
			return err
		}
		if err := p.writeKubeconfig(h.config(name+".kubeconfig"), name); err != nil {
			return err
		}
	}
	return p.writeAccountsKey()
}

func newTemplate(subject pkix.Name) *x509.Certificate {
	now := time.Now()
	return &x509.Certificate{
		Subject:               subject,
		SerialNumber:          big.NewInt(now.UnixNano()),
		NotBefore:             now.Add(-time.Hour), // a clock that is set back a little must not lock anybody out
		NotAfter:              now.Add(lifetime),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		BasicConstraintsValid: true,
	}
}

// serverTemplate has every name by which the API server is called, from the
// machine and from pods.
func serverTemplate() *x509.Certificate {
	template := newTemplate(pkix.Name{CommonName: serverName})
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	for _, address := range []string{nodeIP, apiServiceIP, "127.0.0.1"} {
		template.IPAddresses = append(template.IPAddresses, net.ParseIP(address))
	}
	template.DNSNames = []string{
		"kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local", "localhost",
	}
	return template
}

func (p pki) writeAuthority() (authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return authority{}, err
	}
	template := newTemplate(pkix.Name{CommonName: "qingcang test cluster"})
	template.IsCA = true
	template.KeyUsage |= x509.KeyUsageCertSign
	// It signs itself. Its key is kept nowhere: who is not signed now never is.
	signed, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return authority{}, err
	}
	return authority{certificate: template, key: key}, writePEM(p.certificate(authorityName), "CERTIFICATE", signed)
}

func (p pki) writeSigned(ca authority, name string, template *x509.Certificate) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	signed, err := x509.CreateCertificate(rand.Reader, template, ca.certificate, key.Public(), ca.key)
	if err != nil {
		return err
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	if err := writePEM(p.certificate(name), "CERTIFICATE", signed); err != nil {
		return err
	}
	return writePEM(p.key(name), "PRIVATE KEY", encoded)
}

// writeAccountsKey makes the key that signs the tokens of service accounts; the
// API server reads the public half out of it to check them.
func (p pki) writeAccountsKey() error {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	return writePEM(p.key(accountsName), "RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(key))
}

// pool is what clients check the API server against.
func (p pki) pool() (*x509.CertPool, error) {
	text, err := os.ReadFile(p.certificate(authorityName))
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s holds no certificate", p.certificate(authorityName))
	}
	return pool, nil
}

func (p pki) writeKubeconfig(path, name string) error {
	var encoded []any
	for _, file := range []string{p.certificate(authorityName), p.certificate(name), p.key(name)} {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		encoded = append(encoded, base64.StdEncoding.EncodeToString(text))
	}
	text := fmt.Sprintf(kubeconfigText, append([]any{serverURL, name}, encoded...)...)
	return os.WriteFile(path, []byte(text), 0o600)
}

const kubeconfigText = `apiVersion: v1
kind: Config
current-context: qingcang-cluster
contexts:
- name: qingcang-cluster
  context: {cluster: qingcang-cluster, user: %[2]s, namespace: default}
clusters:
- name: qingcang-cluster
  cluster:
    server: %[1]s
    certificate-authority-data: %[3]s
users:
- name: %[2]s
  user:
    client-certificate-data: %[4]s
    client-key-data: %[5]s
`

func writePEM(path, kind string, data []byte) error {
	return os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: data}), 0o600)
}
