// Package wiring puts the service together, by hand and in reading order.
package wiring

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"

	"github.com/qingcang/qingcang/proto/eventkit"
	"github.com/qingcang/qingcang/services/internal/auth"
	"github.com/qingcang/qingcang/services/internal/journal"
	"github.com/qingcang/qingcang/services/internal/mongokit"
	"github.com/qingcang/qingcang/services/internal/rewrite"
	"github.com/qingcang/qingcang/services/internal/run"
	"github.com/qingcang/qingcang/services/internal/wechatpay"
	"github.com/qingcang/qingcang/services/order/internal/app"
	"github.com/qingcang/qingcang/services/order/internal/eventin"
	"github.com/qingcang/qingcang/services/order/internal/httpapi"
	"github.com/qingcang/qingcang/services/order/internal/lane"
)

// laneCollection keeps the snapshots of the shared lanes. What it holds may be
// deleted: the lanes' logs are the truth.
const laneCollection = "lanes_shared"

// Config is the service's environment.
type Config struct {
	HTTPAddr string `env:"HTTP_ADDR" envDefault:":8080"`
	// Instance tells replicas apart in logs.
	Instance       string `env:"INSTANCE"`
	BuyerTokenKeys string `env:"BUYER_TOKEN_KEYS_FILE,required,notEmpty"`
	ShareTokenKeys string `env:"SHARE_TOKEN_KEYS_FILE,required,notEmpty"`
	Mongo          mongokit.Config
	Kafka          eventkit.Config
	Pay            wechatpay.Config
	Outside        rewrite.Config
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

	money, err := app.OpenPaymentJournal(ctx, journal.NewMongoStore(db, app.PaymentCollection), log)
	if err != nil {
		return err
	}
	campaigns := lane.NewCampaigns(conn, log)
	lanes, err := lane.New(lane.Config{
		Conn: conn, Campaigns: campaigns, Snapshots: journal.NewMongoStore(db, laneCollection), Log: log,
		Alongside: tellStatus(app.NewCampaignStatus(money, conn, log)),
	})
	if err != nil {
		return err
	}
	orders := app.NewOrders(lanes, app.NewMoneyOfOrders(money), shares)
	payments := newPayments(money, lanes, provider, log)
	handler, err := httpapi.New(orders, httpapi.NewPayments(payments, provider, payments, buyers), httpapi.Door{
		Buyers: buyers, Log: log,
		Probes: run.Probes(map[string]func(*http.Request) error{
			"mongodb":   mongokit.Ready(db),
			"kafka":     func(r *http.Request) error { return conn.Ping(r.Context()) },
			"campaigns": campaigns.Ready,
			"lanes":     lanes.Ready,
		}),
	})
	if err != nil {
		return err
	}

	roles := paymentRoles(money, payments, conn, log)
	roles[eventin.BrandEvents] = eventin.Allocations(lanes, log)
	roles[lane.SharedTopic] = lanes.Publisher()

	group := run.NewGroup(ctx, log)
	group.Go("journal", money.Run)
	group.Go("campaigns", campaigns.Run)
	group.Go("lanes", lanes.Run)
	group.Go("events", func(ctx context.Context) error {
		return conn.Consume(ctx, eventkit.Group{ID: httpapi.Service, Topics: roles, Log: log})
	})
	group.Go("http", run.HTTPListener(listener, handler))
	return group.Wait()
}
