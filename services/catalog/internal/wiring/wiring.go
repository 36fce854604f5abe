// Package wiring puts catalog together, in reading order.
package wiring

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/qingcang/qingcang/proto/eventkit"
	"github.com/qingcang/qingcang/services/catalog/api"
	"github.com/qingcang/qingcang/services/catalog/internal/app"
	"github.com/qingcang/qingcang/services/catalog/internal/eventin"
	"github.com/qingcang/qingcang/services/catalog/internal/httpapi"
	"github.com/qingcang/qingcang/services/internal/auth"
	"github.com/qingcang/qingcang/services/internal/httpkit"
	"github.com/qingcang/qingcang/services/internal/run"
)

// Config is the service's environment.
type Config struct {
	HTTPAddr       string `env:"HTTP_ADDR,required,notEmpty"`
	ShareTokenKeys string `env:"SHARE_TOKEN_KEYS_FILE,required,notEmpty"`
	OIDCIssuer     string `env:"OIDC_ISSUER,required,notEmpty"`
	OIDCAudience   string `env:"OIDC_AUDIENCE,required,notEmpty"`
	Kafka          eventkit.Config
}

// Run serves until ctx ends.
func Run(ctx context.Context, cfg Config, log *slog.Logger) error {
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", cfg.HTTPAddr)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	return Serve(ctx, cfg, listener, log)
}

// Serve is Run on a listener that is open already. It closes the listener.
func Serve(ctx context.Context, cfg Config, listener net.Listener, log *slog.Logger) error {
	defer func() { _ = listener.Close() }() // the HTTP server, once it runs, has closed it before
	shares, err := auth.LoadKeys(cfg.ShareTokenKeys)
	if err != nil {
		return &run.ConfigError{Reason: err}
	}
	conn, err := eventkit.Dial(cfg.Kafka)
	if err != nil {
		return err
	}
	defer conn.Close()
	catalog, staff := app.New(), auth.NewStaffVerifier(cfg.OIDCIssuer, cfg.OIDCAudience, nil)
	var campaigns, statuses, goods source
	door, err := httpkit.New(httpkit.Options{
		Service: "catalog", Spec: api.Spec, Log: log,
		Auth: httpkit.Authenticators{"staffToken": staff.Authenticate},
		Probes: run.Probes(map[string]func(*http.Request) error{
			"campaigns": campaigns.ready,
			"statuses":  statuses.ready,
			"goods":     goods.ready,
		}),
	})
	if err != nil {
		return err
	}
	httpapi.RegisterHandlersWithOptions(door, httpapi.NewStrictHandlerWithOptions(httpapi.NewServer(catalog, shares, time.Now), nil, httpapi.StrictGinServerOptions{
		RequestErrorHandlerFunc: httpkit.RequestError, HandlerErrorFunc: httpkit.HandlerError, ResponseErrorHandlerFunc: httpkit.ResponseError,
	}), httpapi.GinServerOptions{ErrorHandler: httpkit.ParameterError})

	parts := run.NewGroup(ctx, log)
	parts.Go("goods", func(ctx context.Context) error {
		return conn.Follow(ctx, eventin.BrandTopic, eventin.Brands(catalog, log), goods.caughtUp)
	})
	parts.Go("campaigns", func(ctx context.Context) error {
		return conn.Table(ctx, eventin.CampaignTopic, eventin.Campaigns(catalog, log), campaigns.caughtUp)
	})
	parts.Go("statuses", func(ctx context.Context) error {
		return conn.Table(ctx, eventin.StatusTopic, eventin.Statuses(catalog, log), statuses.caughtUp)
	})
	parts.Go("http", run.HTTPListener(listener, door))
	return parts.Wait()
}

var errCatchingUp = errors.New("what was published before the start is still being read")

// source is one topic, and whether all that it held at the start is on the shelf. Kafka being away
// later does not make a catalogue unready: what it knows is still the best there is.
type source struct{ read atomic.Bool }

func (s *source) caughtUp() { s.read.Store(true) }

func (s *source) ready(*http.Request) error {
	if !s.read.Load() {
		return errCatchingUp
	}
	return nil
}
