//go:build linux

package main

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"time"
)

// sink takes telemetry as a collector does and forgets it. Its own work is not charged to anybody.
type sink struct {
	server   *http.Server
	endpoint string
}

func newSink() (*sink, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &sink{endpoint: "http://" + listener.Addr().String()}
	s.server = &http.Server{ReadHeaderTimeout: 5 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusOK)
	})}
	go func() {
		if err := s.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			panic(err) // a listener of our own on loopback has no reason to fail
		}
	}()
	return s, nil
}

func (s *sink) close() { _ = s.server.Shutdown(context.Background()) }

// env switches traces and metrics on as an operator of the service would. Sampling is the service's
// own default.
func (s *sink) env() []string {
	return []string{
		"OTEL_EXPORTER_OTLP_ENDPOINT=" + s.endpoint, "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf",
		"OTEL_METRIC_EXPORT_INTERVAL=5000", "OTEL_LOGS_EXPORTER=none",
	}
}
