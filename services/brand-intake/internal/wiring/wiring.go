// Package wiring puts the service together, by hand and in reading order.
package wiring

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/qingcang/qingcang/proto/eventkit"
	"github.com/qingcang/qingcang/services/brand-intake/internal/app"
	"github.com/qingcang/qingcang/services/brand-intake/internal/eventin"
	"github.com/qingcang/qingcang/services/brand-intake/internal/httpapi"
	"github.com/qingcang/qingcang/services/brand-intake/internal/registry"
	"github.com/qingcang/qingcang/services/internal/auth"
	"github.com/qingcang/qingcang/services/internal/journal"
	"github.com/qingcang/qingcang/services/internal/mongokit"
	"github.com/qingcang/qingcang/services/internal/run"
	"github.com/qingcang/qingcang/services/internal/vault"
)

const (
	// journalName begins the ids of this service's events. It never changes.
	journalName = "brand"
	// eventsTopic is where they are published.
	eventsTopic = "brand.events.v1"
	// tellPause is the time between looks for goods that a dead replica left untold.
	tellPause = 5 * time.Second
)

// Config is the service's environment.
type Config struct {
	HTTPAddr string `env:"HTTP_ADDR" envDefault:":8080"`
	// Instance tells replicas apart in logs.
	Instance     string `env:"INSTANCE"`
	Mongo        mongokit.Config
	Kafka        eventkit.Config
	OIDCIssuer   string `env:"OIDC_ISSUER,required,notEmpty"`
	OIDCAudience string `env:"OIDC_AUDIENCE,required,notEmpty"`
	VaultKeyFile string `env:"VAULT_KEY_FILE,required,notEmpty"`
}

// Run runs the service until ctx ends.
func Run(ctx context.Context, cfg Config, log *slog.Logger) error {
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", cfg.HTTPAddr)
	if err != nil {
		return fmt.Errorf("listen on HTTP_ADDR: %w", err)
	}
	return Serve(ctx, cfg, log, listener)
}

// Serve is Run on a listener that is open already. It closes the listener.
func Serve(ctx context.Context, cfg Config, log *slog.Logger, listener net.Listener) (err error) {
	defer func() { _ = listener.Close() }() // the server has closed it before, unless it never came to that
	if cfg.Instance != "" {
		log = log.With("instance", cfg.Instance)
	}
	kek, err := vault.LoadKEK(cfg.VaultKeyFile)
	if err != nil {
		return &run.ConfigError{Reason: fmt.Errorf("VAULT_KEY_FILE: %w", err)}
	}
	db, closeDB, err := mongokit.Connect(cfg.Mongo)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeDB(context.WithoutCancel(ctx))) }()
	conn, err := eventkit.Dial(cfg.Kafka)
	if err != nil {
		return &run.ConfigError{Reason: err}
	}
	defer conn.Close()

	brands, err := journal.Open(ctx, journal.Config{
		Name: journalName, Store: journal.NewMongoStore(db, journalName), Log: log,
		Subject: registry.Subject, Private: registry.Private,
	}, registry.Machine{})
	if err != nil {
		return err
	}
	intake := app.New(brands, vault.Open(db, "contacts", kek))
	campaigns := eventin.NewCampaigns(conn, intake.Allocate, log)
	staff := auth.NewStaffVerifier(cfg.OIDCIssuer, cfg.OIDCAudience, nil)
	handler, err := httpapi.New(intake, httpapi.Door{
		Staff:  staff.Authenticate,
		Probes: run.Probes(map[string]func(*http.Request) error{"mongodb": mongokit.Ready(db)}),
	})
	if err != nil {
		return err
	}

	group := run.NewGroup(ctx, log)
	group.Go("journal", brands.Run)
	group.Go("told", func(ctx context.Context) error { return tellRest(ctx, intake, log) })
	group.Go("answers", campaigns.Answer)
	group.Go("campaigns", campaigns.Listen)
	group.Go("events", func(ctx context.Context) error {
		return conn.Consume(ctx, eventkit.Group{ID: httpapi.Service, Log: log, Topics: map[string]eventkit.Role{
			eventin.LaneEventsTopic:  eventin.Orders(brands, log),
			eventin.OrderEventsTopic: eventin.Orders(brands, log),
			eventsTopic:              brands.Relay(conn, eventsTopic),
		}})
	})
	group.Go("http", run.HTTPListener(listener, handler))
	return group.Wait()
}

// tellRest finishes, now and then, what a replica died over.
func tellRest(ctx context.Context, a *app.App, log *slog.Logger) error {
	ticker := time.NewTicker(tellPause)
	defer ticker.Stop()
	for {
		if err := a.TellRest(ctx); err != nil && ctx.Err() == nil {
			log.WarnContext(ctx, "approved goods not told, trying again", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}
