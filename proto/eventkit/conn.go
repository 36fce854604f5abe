// Package eventkit is the suite's only way to Kafka: a writer that cannot be left unacknowledged,
// readers that commit after the work, CloudEvents in binary mode, and tables over compacted topics.
//
// kafka-go has no idempotent producer: what is published may stand in the log twice. Readers here
// drop repeats by event id and stop at a gap.
package eventkit

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/sasl"
	"github.com/segmentio/kafka-go/sasl/scram"
)

// Config says where Kafka is. Its env tags are read by github.com/caarlos0/env.
type Config struct {
	Brokers []string `env:"KAFKA_BROKERS,required" envSeparator:","`
	// TopicPrefix stands before every topic and group name; tests set it to share one broker.
	TopicPrefix string `env:"KAFKA_TOPIC_PREFIX"`
	// TLSCAFile switches TLS on; the certificate and key files are for mutual TLS.
	TLSCAFile   string `env:"KAFKA_TLS_CA_FILE"`
	TLSCertFile string `env:"KAFKA_TLS_CERT_FILE"`
	TLSKeyFile  string `env:"KAFKA_TLS_KEY_FILE"`
	// SASLUsername switches SCRAM-SHA-512 on; the password is read from a file.
	SASLUsername     string `env:"KAFKA_SASL_USERNAME"`
	SASLPasswordFile string `env:"KAFKA_SASL_PASSWORD_FILE"`
	// Dial, if set, opens the connections instead of the machine's network: a test's virtual one.
	Dial func(ctx context.Context, network, address string) (net.Conn, error) `env:"-"`
	// Now is the clock that appended values are stamped by; nil is the machine's.
	Now func() time.Time `env:"-"`
}

// requestTimeout bounds every request to a broker; a fetch may wait fetchWait besides.
const (
	requestTimeout = 10 * time.Second
	dialTimeout    = 5 * time.Second
)

// clientTimeout is longer than any call's context, which is what bounds the call. Without it kafka-go
// tells brokers to give up a write after half a second, which a busy cluster's replicas do not keep;
// with it, after half the time that the call has left.
const clientTimeout = time.Minute

// Conn is a set of connections to one Kafka cluster. It is safe for concurrent use.
type Conn struct {
	cfg       Config
	addr      net.Addr
	transport *kafka.Transport
	client    *kafka.Client
	dialer    *kafka.Dialer
	measures  *measures
	leaders   leaders
}

// Dial prepares a Conn. It reads the files that cfg names and does not yet reach the network:
// use Ping to see whether a broker answers.
func Dial(cfg Config) (*Conn, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if len(cfg.Brokers) == 0 {
		return nil, errors.New("no Kafka broker given: set KAFKA_BROKERS to host:port[,host:port]")
	}
	tlsConfig, err := loadTLS(cfg)
	if err != nil {
		return nil, err
	}
	mechanism, err := loadSASL(cfg)
	if err != nil {
		return nil, err
	}
	measures, err := newMeasures()
	if err != nil {
		return nil, fmt.Errorf("prepare the metrics of Kafka: %w", err)
	}
	transport := &kafka.Transport{
		Dial: cfg.Dial, TLS: tlsConfig, SASL: mechanism,
		DialTimeout: dialTimeout, IdleTimeout: 60 * time.Second, MetadataTTL: 5 * time.Second,
	}
	addr := kafka.TCP(cfg.Brokers...)
	return &Conn{
		cfg: cfg, addr: addr, transport: transport,
		client:   &kafka.Client{Addr: addr, Transport: transport, Timeout: clientTimeout},
		dialer:   &kafka.Dialer{DialFunc: cfg.Dial, Timeout: dialTimeout, DualStack: true, TLS: tlsConfig, SASLMechanism: mechanism},
		measures: measures,
	}, nil
}

// Close gives the idle connections back.
func (c *Conn) Close() { c.transport.CloseIdleConnections() }

// Ping asks a broker whether it is there and lets this client in.
func (c *Conn) Ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	_, err := c.client.ApiVersions(ctx, &kafka.ApiVersionsRequest{Addr: c.addr})
	if err == nil { // brokers answer that to strangers too, but this, of no topic, only to users
		_, err = c.client.Metadata(ctx, &kafka.MetadataRequest{Addr: c.addr, Topics: []string{}})
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = fmt.Errorf("the broker hung up; does it want TLS, or another user or password? %w", err)
	}
	if err != nil {
		return fmt.Errorf("ask Kafka at %s: %w", strings.Join(c.cfg.Brokers, ","), err)
	}
	return nil
}

// name is the topic's or group's name on the broker.
func (c *Conn) name(logical string) string { return c.cfg.TopicPrefix + logical }

func loadTLS(cfg Config) (*tls.Config, error) {
	if (cfg.TLSCertFile == "") != (cfg.TLSKeyFile == "") {
		return nil, errors.New("KAFKA_TLS_CERT_FILE and KAFKA_TLS_KEY_FILE go together: one of them is not set")
	}
	if cfg.TLSCAFile == "" {
		if cfg.TLSCertFile != "" { // or the connection would silently be a plain one
			return nil, errors.New("KAFKA_TLS_CERT_FILE is set, but not KAFKA_TLS_CA_FILE, which switches TLS on")
		}
		return nil, nil
	}
	pem, err := os.ReadFile(cfg.TLSCAFile)
	if err != nil {
		return nil, fmt.Errorf("read KAFKA_TLS_CA_FILE: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("KAFKA_TLS_CA_FILE %s holds no PEM certificate", cfg.TLSCAFile)
	}
	out := &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	if cfg.TLSCertFile == "" {
		return out, nil
	}
	pair, err := tls.LoadX509KeyPair(cfg.TLSCertFile, cfg.TLSKeyFile)
	if err != nil {
		return nil, fmt.Errorf("read KAFKA_TLS_CERT_FILE and KAFKA_TLS_KEY_FILE: %w", err)
	}
	out.Certificates = []tls.Certificate{pair}
	return out, nil
}

func loadSASL(cfg Config) (sasl.Mechanism, error) {
	if cfg.SASLUsername == "" {
		return nil, nil
	}
	if cfg.SASLPasswordFile == "" {
		return nil, errors.New("KAFKA_SASL_USERNAME is set, but not KAFKA_SASL_PASSWORD_FILE")
	}
	password, err := os.ReadFile(cfg.SASLPasswordFile)
	if err != nil {
		return nil, fmt.Errorf("read KAFKA_SASL_PASSWORD_FILE: %w", err)
	}
	mechanism, err := scram.Mechanism(scram.SHA512, cfg.SASLUsername, strings.TrimSpace(string(password)))
	if err != nil {
		return nil, fmt.Errorf("prepare SCRAM for Kafka: %w", err)
	}
	return mechanism, nil
}
