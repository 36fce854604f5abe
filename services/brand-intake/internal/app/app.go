// Package app has the use cases of brand-intake, one a file. Each asks the pure
// packages for a decision and has the journal keep it.
package app

import (
	"context"
	"time"

	"github.com/failsafe-go/failsafe-go/ratelimiter"

	"github.com/qingcang/qingcang/services/brand-intake/internal/registry"
	"github.com/qingcang/qingcang/services/internal/auth"
	"github.com/qingcang/qingcang/services/internal/fault"
	"github.com/qingcang/qingcang/services/internal/ids"
	"github.com/qingcang/qingcang/services/internal/journal"
)

// Command is a command of the brand journal.
type Command = journal.Command[*registry.Registry]

// Journal keeps decisions.
type Journal interface {
	Do(ctx context.Context, c Command) error
	View(ctx context.Context, route string, show func(*registry.Registry)) error
}

// Contacts keeps the people who speak for brands.
type Contacts interface {
	PutWithID(ctx context.Context, id, person, kind string, plaintext []byte) error
	Get(ctx context.Context, id string) ([]byte, error)
}

// App has the use cases. It is safe for concurrent use.
type App struct {
	journal  Journal
	contacts Contacts
	// applications lets so many brands apply at a time.
	applications ratelimiter.RateLimiter[any]
}

// New makes the use cases over a journal and a vault.
func New(j Journal, contacts Contacts) *App {
	return &App{
		journal: j, contacts: contacts,
		applications: ratelimiter.NewBursty[any](applicationsPerMinute, time.Minute),
	}
}

// decide has a decision about one brand made and kept. All commands of a brand
// have its id as key, so each sees what the one before it caused.
func (a *App) decide(ctx context.Context, brandID string, decide func(e *registry.Entry, now time.Time) ([]journal.Fact, error)) error {
	return a.journal.Do(ctx, Command{Key: brandID, Decide: func(r *registry.Registry, now time.Time) ([]journal.Fact, error) {
		return decide(r.Of(brandID), now)
	}})
}

// view shows one brand as of now.
func (a *App) view(ctx context.Context, brandID string, show func(e *registry.Entry) error) error {
	var shown error
	if err := a.journal.View(ctx, brandID, func(r *registry.Registry) { shown = show(r.Of(brandID)) }); err != nil {
		return err
	}
	return shown
}

// derive makes the id of what a caller's Idempotency-Key creates.
func derive(prefix string, p auth.Principal, route, brandID, key string) string {
	return ids.Derive(prefix, p.Scope(), route, brandID, key)
}

// visible refuses to a brand whatever is another brand's, as if it were not
// there: who trades with us is nobody else's business.
func visible(p auth.Principal, brandID string, otherwise *fault.Error) error {
	if p.Kind == auth.Brand && p.ID != brandID {
		return otherwise
	}
	return nil
}
