// Package wiring puts the service together, in reading order.
package wiring

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/qingcang/qingcang/proto/eventkit"
	"github.com/qingcang/qingcang/services/internal/auth"
	"github.com/qingcang/qingcang/services/internal/httpkit"
	"github.com/qingcang/qingcang/services/internal/journal"
	"github.com/qingcang/qingcang/services/internal/mongokit"
	"github.com/qingcang/qingcang/services/internal/rewrite"
	"github.com/qingcang/qingcang/services/internal/run"
	"github.com/qingcang/qingcang/services/internal/vault"
	"github.com/qingcang/qingcang/services/internal/wechatpay"
	"github.com/qingcang/qingcang/services/store-owner/internal/accounts"
	"github.com/qingcang/qingcang/services/store-owner/internal/app"
	"github.com/qingcang/qingcang/services/store-owner/internal/eventin"
	"github.com/qingcang/qingcang/services/store-owner/internal/httpapi"
	"github.com/qingcang/qingcang/services/store-owner/internal/people"
	"github.com/qingcang/qingcang/services/store-owner/internal/wechatlogin"
)

const (
	service     = "store-owner"
	ownerEvents = "owner.events.v1"
	// journalName begins the ids of this service's events.
	journalName = "owner"
	// Collection holds the journal.
	Collection = "journal"
)

// Config is the service's environment.
type Config struct {
	HTTPAddr       string `env:"HTTP_ADDR,required,notEmpty"`
	BuyerTokenKeys string `env:"BUYER_TOKEN_KEYS_FILE,required,notEmpty"`
	OwnerTokenKeys string `env:"OWNER_TOKEN_KEYS_FILE,required,notEmpty"`
	ShareTokenKeys string `env:"SHARE_TOKEN_KEYS_FILE,required,notEmpty"`
	VaultKey       string `env:"VAULT_KEY_FILE,required,notEmpty"`
	// Program names the programme whose fee counts.
	Program string `env:"OWNER_PROGRAM" envDefault:"standard"`
	Mongo   mongokit.Config
	Kafka   eventkit.Config
	Pay     wechatpay.Config
	LogIn   wechatlogin.Config
	Outside rewrite.Config
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
	if err := accounts.Check(accounts.Table()); err != nil {
		return err
	}
	secrets, err := loadSecrets(cfg)
	if err != nil {
		return &run.ConfigError{Reason: err}
	}
	login, err := wechatlogin.New(cfg.LogIn, cfg.Outside)
	if err != nil {
		return &run.ConfigError{Reason: err}
	}
	pay, err := wechatpay.New(cfg.Pay, cfg.Outside)
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
	owners, err := journal.Open(ctx, journal.Config{
		Name: journalName, Store: journal.NewMongoStore(db, Collection),
		Subject: people.Subject, Private: people.Private, Log: log,
	}, people.Machine{})
	if err != nil {
		return err
	}

	identity := app.NewIdentity(vault.Open(db, "identity", secrets.vault))
	campaigns := eventin.NewCampaigns()
	programs := eventin.NewPrograms(cfg.Program, log)
	fees := &app.Fees{Journal: owners}
	collector := &app.Collector{Journal: owners, Fees: fees, Provider: pay, Now: time.Now, Log: log}
	contract, err := httpapi.GetSpecJSON()
	if err != nil {
		return err
	}
	door, err := httpkit.New(httpkit.Options{
		Service: service, Spec: contract, Log: log,
		Auth: httpkit.Authenticators{
			"buyerToken": secrets.buyers.Authenticate(auth.Buyer),
			"ownerToken": secrets.owners.Authenticate(auth.Owner),
		},
		Probes: run.Probes(map[string]func(*http.Request) error{
			"mongodb":   mongokit.Ready(db),
			"kafka":     func(r *http.Request) error { return conn.Ping(r.Context()) },
			"campaigns": campaigns.Ready,
			"programs":  programs.Ready,
		}),
	})
	if err != nil {
		return err
	}
	httpapi.Register(door, &httpapi.Server{
		Sessions: &app.Sessions{
			Journal: owners, Identity: identity, LogIn: login,
			BuyerKeys: secrets.buyers, OwnerKeys: secrets.owners, Now: time.Now,
		},
		Memberships: &app.Memberships{Journal: owners, Identity: identity, Provider: pay, Programme: programs, Now: time.Now},
		Fees:        fees,
		Shares:      &app.Shares{Journal: owners, Campaigns: campaigns, Keys: secrets.shares},
		Wallets:     &app.Wallets{Journal: owners},
		Notices:     pay,
	})

	parts := run.NewGroup(ctx, log)
	parts.Go("journal", owners.Run)
	parts.Go("campaigns", func(ctx context.Context) error { return campaigns.Follow(ctx, conn) })
	parts.Go("programs", func(ctx context.Context) error { return programs.Follow(ctx, conn) })
	parts.Go("events", func(ctx context.Context) error {
		return conn.Consume(ctx, eventkit.Group{ID: service, Log: log, Topics: roles(conn, owners, collector, log)})
	})
	parts.Go("http", run.HTTPListener(listener, door))
	return parts.Wait()
}

// roles are what a replica does with the partitions that it is given.
func roles(conn *eventkit.Conn, owners *app.Journal, collector *app.Collector, log *slog.Logger) map[string]eventkit.Role {
	return map[string]eventkit.Role{
		eventin.OrderEvents: eventin.Orders(owners, log),
		ownerEvents:         keepShard(owners.Relay(conn, ownerEvents), collector),
	}
}

// keepShard lets the replica that publishes a shard also ask the provider about its memberships.
func keepShard(relay eventkit.Role, collector *app.Collector) eventkit.Role {
	return eventkit.Role{Own: func(ctx context.Context, a eventkit.Assignment) error {
		both, ctx := errgroup.WithContext(ctx)
		both.Go(func() error { return relay.Own(ctx, a) })
		both.Go(func() error { return collector.Run(ctx, a.Partition) })
		return both.Wait()
	}}
}

type secrets struct {
	buyers, owners, shares *auth.Keys
	vault                  *vault.KEK
}

func loadSecrets(cfg Config) (s secrets, err error) {
	if s.buyers, err = auth.LoadKeys(cfg.BuyerTokenKeys); err != nil {
		return s, fmt.Errorf("BUYER_TOKEN_KEYS_FILE: %w", err)
	}
	if s.owners, err = auth.LoadKeys(cfg.OwnerTokenKeys); err != nil {
		return s, fmt.Errorf("OWNER_TOKEN_KEYS_FILE: %w", err)
	}
	if s.shares, err = auth.LoadKeys(cfg.ShareTokenKeys); err != nil {
		return s, fmt.Errorf("SHARE_TOKEN_KEYS_FILE: %w", err)
	}
	if s.vault, err = vault.LoadKEK(cfg.VaultKey); err != nil {
		return s, fmt.Errorf("VAULT_KEY_FILE: %w", err)
	}
	return s, nil
}
