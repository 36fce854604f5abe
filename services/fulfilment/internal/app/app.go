// Package app holds fulfilment's use cases, one a file: each checks who asks, lets the domain
// decide in the journal, and returns what the door shows.
package app

import (
	"context"
	"encoding/json"
	"log/slog"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/qingcang/qingcang/services/fulfilment/internal/shipping"
	"github.com/qingcang/qingcang/services/internal/fault"
	"github.com/qingcang/qingcang/services/internal/ids"
	"github.com/qingcang/qingcang/services/internal/journal"
)

// Journal is where decisions are kept.
type Journal interface {
	Do(ctx context.Context, c journal.Command[*shipping.Orders]) error
	View(ctx context.Context, route string, show func(*shipping.Orders)) error
	Look(ctx context.Context) error
	Each(show func(shard int, state *shipping.Orders))
}

// Vault keeps addresses.
type Vault interface {
	PutWithID(ctx context.Context, id, person, kind string, plaintext []byte) error
	Get(ctx context.Context, id string) ([]byte, error)
	Owner(ctx context.Context, id string) (person string, err error)
}

// App is safe for concurrent use.
type App struct {
	journal Journal
	vault   Vault
	log     *slog.Logger
}

// New returns the use cases over a journal and a vault.
func New(j Journal, v Vault, log *slog.Logger) *App { return &App{journal: j, vault: v, log: log} }

// decide runs one decision about one order and returns the order as it is after it.
func (a *App) decide(ctx context.Context, orderID string, decide func(o *shipping.Order, now time.Time) ([]proto.Message, error)) (shipping.Order, error) {
	err := a.journal.Do(ctx, journal.Command[*shipping.Orders]{
		Key: orderID,
		Decide: func(s *shipping.Orders, now time.Time) ([]journal.Fact, error) {
			return decide(s.Get(orderID), now)
		},
	})
	if err != nil {
		return shipping.Order{}, err
	}
	return a.order(ctx, orderID)
}

// order returns a copy of an order, or shipping.ErrUnknown.
func (a *App) order(ctx context.Context, orderID string) (shipping.Order, error) {
	var found shipping.Order
	known := false
	if err := a.journal.View(ctx, orderID, func(s *shipping.Orders) { found, known = s.Copy(orderID) }); err != nil {
		return shipping.Order{}, err
	}
	if !known {
		return shipping.Order{}, shipping.ErrUnknown
	}
	return found, nil
}

// locate finds an order by another id of its own. Whoever has such an id saw it in an answer, so
// it is nearly always applied here; another replica's newest are found by a look at every shard.
func (a *App) locate(ctx context.Context, find func(*shipping.Orders) (orderID string, ok bool)) (string, error) {
	orderID, found := "", false
	search := func(_ int, s *shipping.Orders) {
		if id, ok := find(s); ok {
			orderID, found = id, true
		}
	}
	if a.journal.Each(search); found {
		return orderID, nil
	}
	if err := a.journal.Look(ctx); err != nil {
		return "", err
	}
	if a.journal.Each(search); found {
		return orderID, nil
	}
	return "", shipping.ErrUnknown
}

// bodyHash tells one request body from another, whatever its spelling.
func bodyHash(body any) (uint64, error) {
	data, err := json.Marshal(body)
	if err != nil {
		return 0, fault.New(fault.Internal, "body_hash", "the request could not be hashed").Wrap(err)
	}
	return ids.BodyHash(data), nil
}
