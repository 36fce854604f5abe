package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"os"
	"testing"
)

func TestTemplatesNameOnlyWhatIsSet(t *testing.T) {
	s := home{dir: "/a/folder"}.settings(map[string]string{"cni": "/plugins", "runc": "/runc", "containerd-shim-runc-v2": "/shim"})
	entries, err := templates.ReadDir("config")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		text, err := s.render(entry.Name())
		if err != nil {
			t.Errorf("%s: %v", entry.Name(), err)
		}
		for _, empty := range []string{`""`, "<no value>", "[]]", ": \n---"} {
			// An empty apiGroup is the core's.
			text := bytes.ReplaceAll(text, []byte(`apiGroups: [""]`), nil)
			if bytes.Contains(text, []byte(empty)) {
				t.Errorf("%s has %s where a value should be:\n%s", entry.Name(), empty, text)
			}
		}
	}
	network, err := s.render("cni.conflist")
	if err != nil {
		t.Fatal(err)
	}
	if !json.Valid(network) {
		t.Errorf("cni.conflist is not JSON:\n%s", network)
	}
}

func TestEveryoneIsSignedByTheAuthority(t *testing.T) {
	h := home{dir: t.TempDir()}
	if err := h.writeIdentities(); err != nil {
		t.Fatal(err)
	}
	p := h.pki()
	pool, err := p.pool()
	if err != nil {
		t.Fatal(err)
	}
	for name, subject := range subjects() {
		pair, err := tls.LoadX509KeyPair(p.certificate(name), p.key(name))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := pair.Leaf.Verify(x509.VerifyOptions{Roots: pool, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}); err != nil {
			t.Errorf("%s as a client: %v", name, err)
		}
		if got := pair.Leaf.Subject.CommonName; got != subject.CommonName {
			t.Errorf("%s is called %q, want %q", name, got, subject.CommonName)
		}
		kubeconfig, err := os.ReadFile(h.config(name + ".kubeconfig"))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(kubeconfig, []byte("%!")) {
			t.Errorf("%s.kubeconfig is not filled in:\n%s", name, kubeconfig)
		}
	}
	server, err := tls.LoadX509KeyPair(p.certificate(serverName), p.key(serverName))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{nodeIP, apiServiceIP, "kubernetes.default.svc"} {
		if _, err := server.Leaf.Verify(x509.VerifyOptions{Roots: pool, DNSName: name}); err != nil {
			t.Errorf("the API server by the name %s: %v", name, err)
		}
	}
}
