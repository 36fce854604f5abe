// Package rewrite makes the HTTP clients that talk to the outside world. In
// production they speak https only. Where a simulator's address is configured,
// which only the demo and tests do, requests to the real hosts go there
// instead, so that the production code runs unchanged.
package rewrite

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

const (
	clientTimeout = 10 * time.Second
	// maxResponseBytes bounds what a partner can make us read.
	maxResponseBytes = 1 << 20
)

// Config says where the simulators are, if anywhere.
type Config struct {
	// SimulatorAddr is "http://127.0.0.1:9000" or "127.0.0.1:9000". Only the
	// demo and tests set it; the chart cannot.
	SimulatorAddr string `env:"SIMULATOR_ADDR"`
}

// Client returns a client with a timeout and bounded replies. Requests to one
// of hosts go to the simulator if there is one; any other request must be
// https.
func (c Config) Client(hosts ...string) (*http.Client, error) {
	return c.client(clientTimeout, maxResponseBytes, hosts)
}

// Downloads is Client for files: they take longer and are larger. They are to be
// read as a stream. A reply that is no file is bounded as Client's are.
func (c Config) Downloads(timeout time.Duration, maxBytes int64, hosts ...string) (*http.Client, error) {
	return c.client(timeout, maxBytes, hosts)
}

func (c Config) client(timeout time.Duration, maxBytes int64, hosts []string) (*http.Client, error) {
	t := &transport{base: http.DefaultTransport, hosts: map[string]bool{}, maxBytes: maxBytes}
	if c.SimulatorAddr != "" {
		target, err := parse(c.SimulatorAddr)
		if err != nil {
			return nil, err
		}
		t.simulator = target
		for _, host := range hosts {
			t.hosts[host] = true
		}
	}
	return &http.Client{Timeout: timeout, Transport: t, CheckRedirect: noRedirect}, nil
}

// Simulated reports whether the demo's simulators are in use.
func (c Config) Simulated() bool { return c.SimulatorAddr != "" }

func parse(addr string) (*url.URL, error) {
	target, err := url.Parse(addr)
	if err != nil || target.Host == "" {
		target, err = url.Parse("http://" + addr)
	}
	if err != nil || target.Host == "" {
		return nil, fmt.Errorf("SIMULATOR_ADDR is %q; host:port is wanted", addr)
	}
	return target, nil
}

// noRedirect keeps signed requests from being sent on to somebody else.
func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

type transport struct {
	base      http.RoundTripper
	simulator *url.URL
	hosts     map[string]bool
	maxBytes  int64
}

var errPlain = errors.New("rewrite: only https is spoken to the outside")

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	switch {
	case t.hosts[r.URL.Hostname()]:
		r = r.Clone(r.Context())
		r.Host = r.URL.Host // the simulator tells the services it plays apart by Host
		r.URL.Scheme, r.URL.Host = t.simulator.Scheme, t.simulator.Host
	case r.URL.Scheme != "https":
		return nil, errPlain
	}
	resp, err := t.base.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	limit := t.maxBytes
	if resp.StatusCode != http.StatusOK { // says why there is no file, and is read whole
		limit = min(limit, maxResponseBytes)
	}
	resp.Body = &bounded{ReadCloser: resp.Body, left: limit}
	return resp, nil
}

var errLong = errors.New("rewrite: the reply is longer than it may be")

// bounded fails where io.LimitReader would silently cut.
type bounded struct {
	io.ReadCloser
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, errLong
	}
	// One byte more than is allowed tells a long reply from one that just fits.
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.ReadCloser.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, errLong
	}
	return n, err
}
