package run

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"golang.org/x/net/netutil"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
)

// Limits of an HTTP server. A client that is slower than this is not served.
const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 60 * time.Second // a whole request; an upload of 64 MiB needs 1 MiB/s
	writeTimeout      = 90 * time.Second // from the end of the header to the end of the answer
	idleTimeout       = 120 * time.Second
	maxHeaderBytes    = 32 << 10
	// maxConnections bounds what clients make the process keep: a connection has one request at a time, and
	// takes some 20 KB. Those that come beyond it wait in the kernel's queue.
	maxConnections = 10_000
)

// HTTPServer returns a part for a Group that serves handler on addr, and on
// stop lets requests in flight finish for up to 15 seconds.
func HTTPServer(addr string, handler http.Handler) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		var lc net.ListenConfig
		l, err := lc.Listen(ctx, "tcp", addr)
		if err != nil {
			return fmt.Errorf("listen: %w", err)
		}
		return HTTPListener(l, handler)(ctx)
	}
}

// HTTPListener is HTTPServer on a listener that is open already, so that a
// test knows its port. It closes the listener.
func HTTPListener(l net.Listener, handler http.Handler) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		server := &http.Server{
			Handler:           handler,
			ReadHeaderTimeout: readHeaderTimeout,
			ReadTimeout:       readTimeout,
			WriteTimeout:      writeTimeout,
			IdleTimeout:       idleTimeout,
			MaxHeaderBytes:    maxHeaderBytes,
		}
		failed := make(chan error, 1)
		go func() { failed <- server.Serve(netutil.LimitListener(l, maxConnections)) }()
		select {
		case err := <-failed:
			return fmt.Errorf("serve: %w", err)
		case <-ctx.Done():
		}
		drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
		defer cancel()
		err := server.Shutdown(drain)
		if err != nil {
			err = errors.Join(fmt.Errorf("drain: %w", err), server.Close())
		}
		return err
	}
}

// Probes serves /livez, which is up while the process can answer at all, and
// /readyz, which runs the checks: "/readyz?verbose" lists them, and
// "/readyz/<name>" gives the reason of one.
func Probes(checks map[string]func(*http.Request) error) http.Handler {
	ready := &healthz.Handler{Checks: make(map[string]healthz.Checker, len(checks))}
	for name, check := range checks {
		ready.Checks[name] = check
	}
	live := &healthz.Handler{}
	mux := http.NewServeMux()
	mux.Handle("/livez", http.StripPrefix("/livez", live))
	mux.Handle("/livez/", http.StripPrefix("/livez", live))
	mux.Handle("/readyz", http.StripPrefix("/readyz", ready))
	mux.Handle("/readyz/", http.StripPrefix("/readyz", ready))
	return mux
}
