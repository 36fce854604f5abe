// Package wiring puts the service together, by hand and in reading order.
package wiring

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"

	"github.com/qingcang/qingcang/proto/eventkit"
	"github.com/qingcang/qingcang/services/internal/auth"
	"github.com/qingcang/qingcang/services/internal/journal"
	"github.com/qingcang/qingcang/services/internal/mongokit"
	"github.com/qingcang/qingcang/services/internal/rewrite"
	"github.com/qingcang/qingcang/services/internal/run"
	"github.com/qingcang/qingcang/services/internal/wechatpay"
	"github.com/qingcang/qingcang/services/order/internal/app"
)

// Config is the service's environment.
type Config struct {
	HTTPAddr string `env:"HTTP_ADDR" envDefault:":8080"`
	// Instance tells replicas apart in logs.
	Instance       string `env:"INSTANCE"`
	BuyerTokenKeys string `env:"BUYER_TOKEN_KEYS_FILE,required,notEmpty"`
	ShareTokenKeys string `env:"SHARE_TOKEN_KEYS_FILE,required,notEmpty"`
	// The issuer of finance's tokens; without one nobody is staff.
	OIDCIssuer   string `env:"OIDC_ISSUER"`
	OIDCAudience string `env:"OIDC_AUDIENCE"`
	// LaneRules switches every lane to these rules, when all replicas run a binary that knows them.
	LaneRules uint16 `env:"LANE_RULES"`
	// Lane is the uid of a campaign that has a lane of its own: this replica runs that lane and nothing else of
	// the service. Empty, as in the shared pool, runs everything, that lane too.
	Lane    string `env:"LANE"`
	Mongo   mongokit.Config
	Kafka   eventkit.Config
	Pay     wechatpay.Config
	Outside rewrite.Config
}

// Run serves until ctx ends.
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
	buyers, buyersErr := auth.LoadKeys(cfg.BuyerTokenKeys)
	shares, sharesErr := auth.LoadKeys(cfg.ShareTokenKeys)
	provider, providerErr := wechatpay.New(cfg.Pay, cfg.Outside)
	conn, connErr := eventkit.Dial(cfg.Kafka)
	if err := errors.Join(buyersErr, sharesErr, providerErr, connErr); err != nil {
		return &run.ConfigError{Reason: err}
	}
	defer conn.Close()
	db, closeDB, err := mongokit.Connect(cfg.Mongo)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeDB(context.WithoutCancel(ctx))) }()

	service, err := Assemble(ctx, Outside{
		LaneRules: cfg.LaneRules, Lane: cfg.Lane,
		Kafka: conn, Payments: journal.NewMongoStore(db, app.PaymentCollection),
		Snapshots: journal.NewMongoStore(db, laneCollection), Dedicated: dedicatedSnapshots{db}, Provider: provider, Bills: provider,
		Staff:  auth.NewStaffVerifier(cfg.OIDCIssuer, cfg.OIDCAudience, nil).Authenticate,
		Buyers: buyers, Shares: shares, DatabaseReady: mongokit.Ready(db),
	}, log)
	if err != nil {
		return err
	}
	group := run.NewGroup(ctx, log)
	service.Start(group)
	group.Go("http", run.HTTPListener(listener, service.Handler))
	return group.Wait()
}
