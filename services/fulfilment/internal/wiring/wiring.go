// Package wiring puts fulfilment together, in reading order.
package wiring

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"

	"google.golang.org/protobuf/proto"

	"github.com/qingcang/qingcang/proto/eventkit"
	"github.com/qingcang/qingcang/services/fulfilment/api"
	"github.com/qingcang/qingcang/services/fulfilment/internal/app"
	"github.com/qingcang/qingcang/services/fulfilment/internal/brandkeys"
	"github.com/qingcang/qingcang/services/fulfilment/internal/eventin"
	"github.com/qingcang/qingcang/services/fulfilment/internal/httpapi"
	"github.com/qingcang/qingcang/services/fulfilment/internal/shipping"
	"github.com/qingcang/qingcang/services/internal/auth"
	"github.com/qingcang/qingcang/services/internal/httpkit"
	"github.com/qingcang/qingcang/services/internal/journal"
	"github.com/qingcang/qingcang/services/internal/mongokit"
	"github.com/qingcang/qingcang/services/internal/run"
	"github.com/qingcang/qingcang/services/internal/vault"
)

// Config is the service's environment.
type Config struct {
	HTTPAddr       string `env:"HTTP_ADDR,required,notEmpty"`
	BuyerTokenKeys string `env:"BUYER_TOKEN_KEYS_FILE,required,notEmpty"`
	VaultKey       string `env:"VAULT_KEY_FILE,required,notEmpty"`
	OIDCIssuer     string `env:"OIDC_ISSUER,required,notEmpty"`
	OIDCAudience   string `env:"OIDC_AUDIENCE,required,notEmpty"`
	Mongo          mongokit.Config
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
	buyers, err := auth.LoadKeys(cfg.BuyerTokenKeys)
	if err != nil {
		return &run.ConfigError{Reason: err}
	}
	kek, err := vault.LoadKEK(cfg.VaultKey)
	if err != nil {
		return &run.ConfigError{Reason: err}
	}
	db, disconnect, err := mongokit.Connect(cfg.Mongo)
	if err != nil {
		return err
	}
	defer func() { _ = disconnect(context.WithoutCancel(ctx)) }() // the process ends
	conn, err := eventkit.Dial(cfg.Kafka)
	if err != nil {
		return err
	}
	defer conn.Close()
	decisions, err := journal.Open(ctx, journal.Config{
		Name: "fulfilment", Store: journal.NewMongoStore(db, "journal"), Subject: subject, Log: log,
	}, machine{})
	if err != nil {
		return err
	}
	uses := app.New(decisions, vault.Open(db, "address", kek), log)
	keys, staff := brandkeys.New(), auth.NewStaffVerifier(cfg.OIDCIssuer, cfg.OIDCAudience, nil)
	door, err := httpkit.New(httpkit.Options{
		Service: "fulfilment", Spec: api.Spec, Log: log,
		Auth: httpkit.Authenticators{
			"buyerToken": buyers.Authenticate(auth.Buyer), "brandKey": keys.Authenticate, "staffToken": staff.Authenticate,
		},
		Probes: run.Probes(map[string]func(*http.Request) error{
			"mongodb":   mongokit.Ready(db),
			"kafka":     func(r *http.Request) error { return conn.Ping(r.Context()) },
			"brandkeys": keys.Ready,
		}),
	})
	if err != nil {
		return err
	}
	httpapi.RegisterHandlersWithOptions(door, httpapi.NewStrictHandlerWithOptions(httpapi.NewServer(uses), nil, httpapi.StrictGinServerOptions{
		RequestErrorHandlerFunc: httpkit.RequestError, HandlerErrorFunc: httpkit.HandlerError, ResponseErrorHandlerFunc: httpkit.ResponseError,
	}), httpapi.GinServerOptions{ErrorHandler: httpkit.ParameterError})

	parts := run.NewGroup(ctx, log)
	parts.Go("journal", decisions.Run)
	parts.Go("brand keys", func(ctx context.Context) error {
		return conn.Follow(ctx, "brand.events.v1", eventin.BrandKeys(keys, log), keys.Complete)
	})
	parts.Go("events", func(ctx context.Context) error {
		return conn.Consume(ctx, eventkit.Group{ID: "fulfilment", Log: log, Topics: map[string]eventkit.Role{
			"order.events.v1":      eventin.Orders(decisions, log),
			"fulfilment.events.v1": decisions.Relay(conn, "fulfilment.events.v1"),
		}})
	})
	parts.Go("return windows", uses.CloseWindows)
	parts.Go("http", run.HTTPListener(listener, door))
	return parts.Wait()
}

// machine folds facts into a shard's orders.
type machine struct{}

func (machine) New() *shipping.Orders { return shipping.NewOrders() }

func (machine) Apply(s *shipping.Orders, f journal.Fact, m journal.Meta) { s.Apply(f, m.DecidedAt) }

func (machine) Encode(s *shipping.Orders) ([]byte, error) { return s.Encode() }

func (machine) Decode(data []byte) (*shipping.Orders, error) { return shipping.DecodeOrders(data) }

// subject is the order that a fact is about.
func subject(f proto.Message) string {
	if about, ok := f.(interface{ GetOrderId() string }); ok {
		return about.GetOrderId()
	}
	return ""
}
