// Command proxy stands before the replicas of a service on one machine, as a
// Kubernetes Service does in a cluster: one loopback address, every replica in
// its turn, and none that is dead.
//
//	proxy -listen 127.0.0.1:8080 http://127.0.0.1:8081 http://127.0.0.1:8082
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

// idlePerReplica keeps the connections of a busy moment open for the next.
const idlePerReplica = 256

func main() {
	log := slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	listen := flag.String("listen", "127.0.0.1:8080", "loopback `address` to serve on")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, log, *listen, flag.Args())
	stop()
	if err != nil {
		log.Error("the proxy stopped", "err", err)
		os.Exit(1)
	}
}

// run serves until ctx ends and lets the requests in flight finish.
func run(ctx context.Context, log *slog.Logger, listen string, urls []string) error {
	hosts, err := replicaHosts(urls)
	if err != nil {
		return err
	}
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", listen)
	if err != nil {
		return err
	}
	if !listener.Addr().(*net.TCPAddr).IP.IsLoopback() {
		return errors.Join(fmt.Errorf("-listen: %s is not a loopback address", listen), listener.Close())
	}
	server := &http.Server{
		Handler:           newProxy(log, hosts),
		ReadHeaderTimeout: 5 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return server.Shutdown(drain)
}

// replicaHosts takes the base URL of each replica.
func replicaHosts(urls []string) ([]string, error) {
	if len(urls) == 0 {
		return nil, errors.New("name the base URL of each replica")
	}
	hosts := make([]string, len(urls))
	for i, text := range urls {
		replica, err := url.Parse(text)
		if err != nil || replica.Scheme != "http" || replica.Host == "" || strings.Trim(replica.Path, "/") != "" {
			return nil, fmt.Errorf("%q is not the base URL of a replica, such as http://127.0.0.1:8081", text)
		}
		hosts[i] = replica.Host
	}
	return hosts, nil
}

func newProxy(log *slog.Logger, hosts []string) http.Handler {
	dialer := &net.Dialer{Timeout: 2 * time.Second}
	return &httputil.ReverseProxy{
		Rewrite: func(request *httputil.ProxyRequest) {
			request.SetXForwarded()
			request.Out.Host = request.In.Host
			request.Out.URL.Scheme = "http" // the host is chosen by the transport
		},
		Transport: &replicas{
			hosts: hosts, now: time.Now, log: log, benched: make(map[string]time.Time),
			transport: &http.Transport{
				DialContext:         dialer.DialContext,
				MaxIdleConnsPerHost: idlePerReplica,
				IdleConnTimeout:     90 * time.Second,
				DisableCompression:  true, // bodies pass as they are
			},
		},
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		ErrorHandler: func(w http.ResponseWriter, request *http.Request, err error) {
			if request.Context().Err() == nil { // else the caller has gone away
				log.Warn("no answer from the replicas", "err", err)
			}
			w.Header().Set("Content-Type", "application/problem+json")
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusBadGateway)
			fmt.Fprint(w, `{"status":502,"code":"no_replica","title":"no replica answered; repeat the request with the same Idempotency-Key"}`)
		},
	}
}
