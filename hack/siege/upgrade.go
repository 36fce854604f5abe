package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/qingcang/qingcang/hack/siege/internal/field"
)

// agreeWithin is how long a replica that is new may take to answer a key again.
const agreeWithin = 20 * time.Second

// errDisagree ends a sale of which enough is known.
var errDisagree = errors.New("the releases do not agree")

// askedAgain are the keys that are sent again to a replica that has been replaced.
const askedAgain = 60

// upgraded: the release before this one sells, and while a crowd orders, cancels and pays, its replicas are replaced one by
// one by this release, and then by the one before again. A trial is two such sales: one of 100 units, which
// are all sold in the end and not one more, and one with enough for everybody, of which no order is lost. A key that was
// answered by one release is answered the same by the other, and their ledgers agree at every mark.
func upgraded(ctx context.Context, s *siege) error {
	for !s.over() {
		var amiss []string
		for _, units := range []int64{scarce, 10 * crowd} {
			r, err := s.upgrades(ctx, units)
			if err != nil {
				return err
			}
			if amiss = r.faults.all(); len(amiss) > 0 {
				break
			}
		}
		s.tell(fmt.Sprintf("upgrade %d", s.tried), 1, amiss...)
	}
	return nil
}

func (s *siege) upgrades(ctx context.Context, units int64) (*rush, error) {
	ctx, cancel := context.WithTimeout(ctx, rushLimit)
	defer cancel()
	started := time.Now()
	r := &rush{siege: s, sale: s.sale(units), faults: newFaults(), placed: map[string]field.Buyer{}}
	switch err := r.run(ctx, r.replacements()); {
	case errors.Is(err, errDisagree):
		return r, nil // and the faults say why
	case err != nil:
		return r, err
	}
	judge := r.judgeAll
	if units == scarce {
		judge = r.judgeScarce
	}
	if err := judge(ctx); err != nil {
		return r, err
	}
	s.note("%d orders of %d buyers in %.1f s, over two releases", len(r.placed), len(r.buyers), time.Since(started).Seconds())
	return r, nil
}

// replacements are both replicas upgraded, and both downgraded again.
func (r *rush) replacements() []victim {
	var steps []victim
	for _, way := range []struct {
		name    string
		replace func(context.Context, string) (time.Duration, error)
	}{{"upgrade", r.Upgrade}, {"downgrade", r.Downgrade}} {
		for _, replica := range field.Replicas {
			steps = append(steps, victim{way.name + " of " + replica, func(ctx context.Context) error {
				took, err := way.replace(ctx, replica)
				if err != nil {
					return err
				}
				if took > stopWithin {
					r.faults.add("%s of %s: it took %.1f s to stop", way.name, replica, took.Seconds())
				}
				return r.askAgain(ctx, replica, way.name)
			}})
		}
	}
	return steps
}

// askAgain sends keys that either release has answered to a replica that is new.
func (r *rush) askAgain(ctx context.Context, replica, way string) error {
	ctx, cancel := context.WithTimeout(ctx, agreeWithin)
	defer cancel()
	r.mu.Lock()
	known := maps.Clone(r.placed)
	r.mu.Unlock()
	ids := slices.Sorted(maps.Keys(known))
	for i := range min(askedAgain, len(ids)) {
		id := ids[i*len(ids)/min(askedAgain, len(ids))]
		b := known[id]
		again := field.Insist(ctx, func(ctx context.Context, _ string) field.Answer {
			return r.Shop.Place(ctx, replica, r.intent(b))
		})
		if again.Status != http.StatusCreated || again.OrderID != id {
			r.faults.add("behind the %s, %s answers the key of order %s with %v (%s)", way, replica, id, again, again.OrderID)
			return errDisagree
		}
	}
	return nil
}
