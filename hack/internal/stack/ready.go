package stack

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"time"
)

// Check returns nil when a process serves, else why it does not.
type Check func(ctx context.Context) error

const (
	checkTimeout  = 2 * time.Second
	checkInterval = 25 * time.Millisecond
)

// TCPReady is satisfied when something accepts connections on address.
func TCPReady(address string) Check {
	return func(ctx context.Context) error {
		var dialer net.Dialer
		connection, err := dialer.DialContext(ctx, "tcp", address)
		if err != nil {
			return err
		}
		return connection.Close()
	}
}

// HTTPReady is satisfied when url answers 200.
func HTTPReady(url string) Check { return HTTPSReady(url, nil) }

// HTTPSReady is HTTPReady for a server that the given authorities vouch for.
func HTTPSReady(url string, authorities *x509.CertPool) Check {
	client := &http.Client{Transport: &http.Transport{
		// Every check is a connection of its own: the process may be another one by now.
		DisableKeepAlives: true,
		TLSClientConfig:   &tls.Config{RootCAs: authorities, MinVersion: tls.VersionTLS13},
	}}
	return func(ctx context.Context) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
		if err != nil {
			return err
		}
		answer, err := client.Do(request)
		if err != nil {
			return err
		}
		if err := answer.Body.Close(); err != nil {
			return err
		}
		if answer.StatusCode != http.StatusOK {
			return fmt.Errorf("%s answers %s", url, answer.Status)
		}
		return nil
	}
}

// await repeats check until it is satisfied or ctx ends; the error then has the
// last reason. Something received from dead ends it at once.
func await(ctx context.Context, check Check, dead <-chan error) error {
	if check == nil {
		return nil
	}
	ticker := time.NewTicker(checkInterval)
	defer ticker.Stop()
	for {
		attempt, cancel := context.WithTimeout(ctx, checkTimeout)
		err := check(attempt)
		cancel()
		if err == nil {
			return nil
		}
		select {
		case <-ticker.C:
		case death := <-dead:
			return death
		case <-ctx.Done():
			return fmt.Errorf("%w; at last: %w", context.Cause(ctx), err)
		}
	}
}
