package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/qingcang/qingcang/proto/eventkit"
)

// The suite's own client is proved here against a broker with TLS and passwords, which the
// broker of the demo does not have.
func TestTheSuiteReachesABrokerWithTLSAndPasswords(t *testing.T) {
	dir := t.TempDir()
	certificate, caPEM := selfSigned(t, "broker")
	_, strangerPEM := selfSigned(t, "stranger")
	cluster, err := kfake.NewCluster(
		kfake.NumBrokers(1),
		kfake.TLS(&tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}),
		kfake.EnableSASL(), kfake.Superuser("SCRAM-SHA-512", "order", "right"),
	)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	good := eventkit.Config{
		Brokers: cluster.ListenAddrs(), SASLUsername: "order",
		TLSCAFile: write(t, dir, "ca.pem", caPEM), SASLPasswordFile: write(t, dir, "password", []byte("right\n")),
	}

	t.Run("topics, events and groups work", func(t *testing.T) { exchange(t, good) })

	for name, test := range map[string]struct {
		change func(*eventkit.Config)
		says   string
	}{
		"a wrong password": {func(c *eventkit.Config) { c.SASLPasswordFile = write(t, dir, "wrong", []byte("wrong")) }, "another user or password"},
		"an unknown user":  {func(c *eventkit.Config) { c.SASLUsername = "nobody" }, "another user or password"},
		"another's CA":     {func(c *eventkit.Config) { c.TLSCAFile = write(t, dir, "other.pem", strangerPEM) }, "x509: certificate signed by unknown authority"},
		"no CA":            {func(c *eventkit.Config) { c.TLSCAFile = "" }, "does it want TLS"},
		"no user":          {func(c *eventkit.Config) { c.SASLUsername = "" }, "another user or password"},
	} {
		t.Run(name+" is told", func(t *testing.T) {
			cfg := good
			test.change(&cfg)
			conn, err := eventkit.Dial(cfg)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if err = conn.Ping(t.Context()); err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("got %v, want something that says %q", err, test.says)
			}
		})
	}

	for name, test := range map[string]struct {
		change func(*eventkit.Config)
		says   string
	}{
		"a CA file that is not there":     {func(c *eventkit.Config) { c.TLSCAFile = dir + "/absent" }, "KAFKA_TLS_CA_FILE"},
		"a CA file without a certificate": {func(c *eventkit.Config) { c.TLSCAFile = c.SASLPasswordFile }, "KAFKA_TLS_CA_FILE"},
		"a certificate without its key":   {func(c *eventkit.Config) { c.TLSCertFile = c.TLSCAFile }, "KAFKA_TLS_KEY_FILE"},
		"a certificate without TLS":       {func(c *eventkit.Config) { c.TLSCertFile, c.TLSKeyFile, c.TLSCAFile = "a", "b", "" }, "KAFKA_TLS_CA_FILE"},
		"a user without a password":       {func(c *eventkit.Config) { c.SASLPasswordFile = "" }, "KAFKA_SASL_PASSWORD_FILE"},
		"a password that is not there":    {func(c *eventkit.Config) { c.SASLPasswordFile = dir + "/absent" }, "KAFKA_SASL_PASSWORD_FILE"},
		"no brokers":                      {func(c *eventkit.Config) { c.Brokers = nil }, "KAFKA_BROKERS"},
	} {
		t.Run(name+" is told before the network is reached", func(t *testing.T) {
			cfg := good
			test.change(&cfg)
			if _, err := eventkit.Dial(cfg); err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("got %v, want something that names %s", err, test.says)
			}
		})
	}
}

// exchange makes a topic, writes an event and reads it in a consumer group.
func exchange(t *testing.T, cfg eventkit.Config) {
	conn, err := eventkit.Dial(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	topic := eventkit.Topic{Name: "events.v1", Partitions: 1, Cleanup: "delete", RetentionMs: -1, MaxMessageBytes: 1 << 20}
	if err := conn.Ensure(t.Context(), topic); err != nil {
		t.Fatal(err)
	}
	if err := conn.Publish(t.Context(), topic.Name, 0, []eventkit.Event{{ID: "a/1/0", Type: "a.v1.Said", Time: time.Now()}}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	heard := ""
	if err := conn.Consume(ctx, eventkit.Group{ID: "readers", Topics: map[string]eventkit.Role{
		topic.Name: {Handle: func(_ context.Context, records []eventkit.Record) error {
			heard = records[0].Event.ID
			cancel()
			return nil
		}},
	}}); err != nil {
		t.Fatal(err)
	}
	if heard != "a/1/0" {
		t.Errorf("heard %q", heard)
	}
}

// selfSigned is a certificate for 127.0.0.1 that is its own authority.
func selfSigned(t *testing.T, name string) (tls.Certificate, []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func write(t *testing.T, dir, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
