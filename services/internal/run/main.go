// Package run starts and stops a service: configuration, telemetry, signals,
// probes, and a group of parts that start in reading order and stop in reverse.
package run

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
	"time"
	_ "time/tzdata" // an image without tzdata must still know Asia/Shanghai

	"github.com/caarlos0/env/v11"
	"github.com/go-logr/logr"
	crlog "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/qingcang/qingcang/services/internal/telemetry"
)

const (
	exitFailed = 1
	// exitConfig tells a supervisor that starting again will not help.
	exitConfig = 2
	// flushTimeout bounds the last export of spans, metrics and logs.
	flushTimeout = 5 * time.Second
)

// Shanghai is the zone of every deadline that people see: days begin and end
// in it.
var Shanghai = mustZone("Asia/Shanghai")

func mustZone(name string) *time.Location {
	zone, err := time.LoadLocation(name)
	if err != nil {
		panic(err) // cannot be: the zones are embedded
	}
	return zone
}

// ConfigError is a mistake in the configuration; Main prints it as one plain
// line, because it is a person at a terminal who reads it.
type ConfigError struct{ Reason error }

// Error returns the reason in one line.
func (e *ConfigError) Error() string {
	return "configuration: " + strings.ReplaceAll(e.Reason.Error(), "\n", "; ")
}

// Unwrap returns the reason.
func (e *ConfigError) Unwrap() error { return e.Reason }

// Config reads T from the environment by its env tags and reports every fault
// at once as a ConfigError.
func Config[T any]() (T, error) {
	cfg, err := env.ParseAs[T]()
	if err != nil {
		return cfg, &ConfigError{Reason: err}
	}
	return cfg, nil
}

// Main runs a service until fn returns or a SIGTERM or SIGINT cancels its
// context, and exits the process. A second signal kills it at once.
func Main(service string, fn func(ctx context.Context, log *slog.Logger) error) {
	os.Exit(run(service, fn))
}

func run(service string, fn func(context.Context, *slog.Logger) error) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	context.AfterFunc(ctx, stop) // gives the second signal back to the runtime
	setCollector()

	log, flush, err := telemetry.Setup(ctx, service, version())
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: configuration: telemetry: %v\n", service, err)
		return exitConfig
	}
	slog.SetDefault(log)
	crlog.SetLogger(logr.FromSlogHandler(log.Handler()))

	err = fn(ctx, log)
	// The context is over by now, and the flush must still happen.
	flushCtx, cancel := context.WithTimeout(context.Background(), flushTimeout)
	defer cancel()
	code := report(service, log, err)
	if err := flush(flushCtx); err != nil {
		log.Warn("telemetry was not flushed", "err", err)
	}
	return code
}

func report(service string, log *slog.Logger, err error) int {
	var config *ConfigError
	switch {
	case err == nil || errors.Is(err, context.Canceled):
		log.Info("stopped")
		return 0
	case errors.As(err, &config):
		fmt.Fprintf(os.Stderr, "%s: %v\n", service, err)
		return exitConfig
	default:
		log.Error("stopped by an error", "err", err)
		return exitFailed
	}
}

// stamped is the version that hack/images links into a service.
var stamped string

// version is the stamped one, else the commit that the binary was built from, as far as Go knows it.
func version() string {
	if stamped != "" {
		return stamped
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value
		}
	}
	return info.Main.Version
}
