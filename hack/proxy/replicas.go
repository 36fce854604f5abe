package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// benchTime is how long a replica that refused a connection is passed over. It
// is about the time that a killed one needs to be back.
const benchTime = 500 * time.Millisecond

// replicas sends each request to the next replica in turn. One that refuses the
// connection has seen nothing of the request, so the request goes to the next;
// any other failure is the caller's to repeat, who knows its idempotency key.
type replicas struct {
	hosts     []string // host:port
	transport http.RoundTripper
	now       func() time.Time
	log       *slog.Logger

	mu      sync.Mutex
	turn    int
	benched map[string]time.Time // until when
}

// RoundTrip implements http.RoundTripper.
func (r *replicas) RoundTrip(request *http.Request) (*http.Response, error) {
	var refused error
	for _, host := range r.order() {
		answer, err := r.transport.RoundTrip(to(host, request))
		if err == nil || !isDialError(err) {
			return answer, err
		}
		r.bench(host)
		r.log.Warn("a replica refuses connections", "replica", host, "err", err)
		refused = err
	}
	return nil, fmt.Errorf("no replica of %d accepts a connection: %w", len(r.hosts), refused)
}

// order is every replica once: in turn, those on the bench last.
func (r *replicas) order() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	var fit, benched []string
	for i := range r.hosts {
		host := r.hosts[(r.turn+i)%len(r.hosts)]
		if now.Before(r.benched[host]) {
			benched = append(benched, host)
		} else {
			fit = append(fit, host)
		}
	}
	r.turn = (r.turn + 1) % len(r.hosts)
	return append(fit, benched...)
}

func (r *replicas) bench(host string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.benched[host] = r.now().Add(benchTime)
}

// to is the request addressed to that replica. The transport closes a body even
// when it could not connect and has read none of it, so it gets one that stays
// open; the server closes the original.
func to(host string, request *http.Request) *http.Request {
	addressed := request.Clone(request.Context())
	addressed.URL.Scheme, addressed.URL.Host = "http", host
	if request.Body != nil && request.Body != http.NoBody {
		addressed.Body = io.NopCloser(request.Body)
	}
	return addressed
}

func isDialError(err error) bool {
	operation, ok := errors.AsType[*net.OpError](err)
	return ok && operation.Op == "dial"
}
