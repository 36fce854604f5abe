package app_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	brandv1 "github.com/qingcang/qingcang/proto/gen/brand/v1"
	"github.com/qingcang/qingcang/services/brand-intake/internal/app"
	"github.com/qingcang/qingcang/services/brand-intake/internal/brand"
	"github.com/qingcang/qingcang/services/brand-intake/internal/registry"
	"github.com/qingcang/qingcang/services/internal/fault"
	"github.com/qingcang/qingcang/services/internal/journal"
	"github.com/qingcang/qingcang/services/internal/vault"
)

// safe is a vault in memory: the first value under an id stays.
type safe struct {
	mu     sync.Mutex
	values map[string][]byte
	erased bool
}

func (s *safe) PutWithID(_ context.Context, id, _, _ string, plaintext []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, there := s.values[id]; !there {
		s.values[id] = plaintext
	}
	return nil
}

func (s *safe) Get(_ context.Context, id string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.erased {
		return nil, vault.ErrErased
	}
	return s.values[id], nil
}

func newApp(t *testing.T) (*app.App, *journal.Journal[*registry.Registry], *safe) {
	t.Helper()
	brands, err := journal.Open(t.Context(), journal.Config{
		Name: "brand", Store: journal.NewMemoryStore(), Log: slog.New(slog.DiscardHandler),
		Subject: registry.Subject, Private: registry.Private,
	}, registry.Machine{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = brands.Run(ctx) }() // ends with ctx
	t.Cleanup(func() { cancel(); <-done })
	contacts := &safe{values: map[string][]byte{}}
	return app.New(brands, contacts), brands, contacts
}

var yunshan = app.Application{Name: "Yunshan", Contact: app.Contact{Name: "Li Na", Phone: "+8613812345678", Email: "lina@example.com"}}

func TestApplyingAgain(t *testing.T) {
	renamed, moved := yunshan, yunshan
	renamed.Name = "Haifeng"
	moved.Contact.Phone = "+8613900000000"
	for name, tc := range map[string]struct {
		again  app.Application
		erased bool
		want   error
	}{
		"with the same body is the same brand":                {yunshan, false, nil},
		"with another name is another request":                {renamed, false, brand.ErrKeyReused},
		"with another contact is another request":             {moved, false, brand.ErrKeyReused},
		"after the contact was erased is still the same one":  {yunshan, true, nil},
		"after the contact was erased the name still decides": {renamed, true, brand.ErrKeyReused},
	} {
		t.Run(name, func(t *testing.T) {
			a, _, contacts := newApp(t)
			first, err := a.ApplyBrand(t.Context(), "application-1", yunshan)
			if err != nil {
				t.Fatal(err)
			}
			contacts.erased = tc.erased
			again, err := a.ApplyBrand(t.Context(), "application-1", tc.again)
			if !errors.Is(err, tc.want) || err == nil && again.ID != first.ID {
				t.Errorf("got %v and %v, want %v", again, err, tc.want)
			}
		})
	}
}

func TestTheJournalTellsNoContactFromAnother(t *testing.T) {
	hash := func(application app.Application) (sum uint64) {
		a, brands, _ := newApp(t)
		b, err := a.ApplyBrand(t.Context(), "application-1", application)
		if err != nil {
			t.Fatal(err)
		}
		err = brands.View(t.Context(), b.ID, func(r *registry.Registry) { sum = r.Of(b.ID).Brand.BodyHash })
		if err != nil {
			t.Fatal(err)
		}
		return sum
	}
	moved := yunshan
	moved.Contact.Phone = "+8613900000000"
	if hash(yunshan) != hash(moved) {
		t.Error("the journal's hash depends on the contact, from which it could be guessed")
	}
}

func TestAnonymousApplicationsAreBounded(t *testing.T) {
	var refused *fault.Error
	t.Run("in a minute", func(t *testing.T) {
		a, _, contacts := newApp(t)
		var err error
		n := 0
		for ; err == nil && n < 1_000; n++ {
			_, err = a.ApplyBrand(t.Context(), fmt.Sprintf("application-%d", n), yunshan)
		}
		if !errors.As(err, &refused) || refused.Code != "too_many_applications" || refused.RetryAfterSeconds == 0 || len(contacts.values) != n-1 {
			t.Errorf("application %d: %v with %d contacts kept, want too_many_applications and no more contacts", n, err, len(contacts.values))
		}
	})
	t.Run("while operations decide on none", func(t *testing.T) {
		a, brands, contacts := newApp(t)
		const shard = "one of them"
		err := brands.Do(t.Context(), journal.Command[*registry.Registry]{Key: shard, Decide: func(*registry.Registry, time.Time) (facts []journal.Fact, _ error) {
			for n := range 1_000 {
				facts = append(facts, &brandv1.BrandApplied{BrandId: fmt.Sprintf("brand_%d", n)})
			}
			return facts, nil
		}})
		if err != nil {
			t.Fatal(err)
		}
		taken, full := 0, 0
		for n := range 50 {
			_, err := a.ApplyBrand(t.Context(), fmt.Sprintf("application-%d", n), yunshan)
			switch {
			case err == nil:
				taken++
			case errors.As(err, &refused) && refused.Code == "applications_full":
				full++
			default:
				t.Fatal(err)
			}
		}
		if full == 0 || taken == 0 || len(contacts.values) != taken {
			t.Errorf("%d taken, %d refused, %d contacts kept; want one shard of eight to refuse, and to keep nothing", taken, full, len(contacts.values))
		}
	})
}
