package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/qingcang/qingcang/hack/internal/campaigns"
	"github.com/qingcang/qingcang/hack/internal/poll"
	"github.com/qingcang/qingcang/hack/internal/retail"
)

const (
	// openTimeout bounds the wait for a week's campaigns to be Live.
	openTimeout = 90 * time.Second
	// longSale is an end that no run reaches; the week ends when its orders are placed.
	longSale = 24 * time.Hour
	// noHoldLimit lets the wholesalers of the file place what they did: a cap would refuse their carts,
	// and what is refused would say nothing of the stock any more. All of them pay, so that none is
	// limited for holds that ran out.
	noHoldLimit = 0
)

// week is a week that is being played.
type week struct {
	*retail.Week
	campaigns []campaigns.Campaign
	uids      []string // by campaign
}

// playWeek opens the week's campaigns, plays its steps in file order, and ends them.
func (r *replay) playWeek(ctx context.Context, demand *retail.Week) error {
	r.progress.phase(demand.Name())
	w := &week{Week: demand}
	if err := r.openCampaigns(ctx, w); err != nil {
		return err
	}
	var steps sync.WaitGroup
	for i := range w.Steps {
		if err := r.dispatch(ctx, w, &w.Steps[i], &steps); err != nil {
			return err
		}
	}
	steps.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return r.endCampaigns(ctx, w)
}

func (r *replay) openCampaigns(ctx context.Context, w *week) error {
	if len(w.Campaigns) == 0 {
		return nil
	}
	now := time.Now()
	var names []string
	for _, c := range w.Campaigns {
		name := strings.ToLower(fmt.Sprintf("%s-brand-%d-%d", w.Name(), c.Brand, c.Part))
		names = append(names, name)
		w.campaigns = append(w.campaigns, campaigns.Campaign{
			Name: name, BrandID: r.warehouses[c.Brand].brand.ID, Title: "Replay " + w.Name(), Items: r.items(c),
			CommissionBps: commissionBps, Start: now, End: now.Add(longSale),
			HoldLimitUnits: new(noHoldLimit), Hold: hold, ReturnWindow: returnWindow,
		})
	}
	if err := r.desk.Apply(ctx, w.campaigns...); err != nil {
		return err
	}
	waiting, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	seen, err := r.desk.Await(waiting, "Live", names, campaigns.InPhase("Live"))
	if err != nil {
		return err
	}
	for _, name := range names {
		w.uids = append(w.uids, seen[name].UID)
	}
	return nil
}

func (r *replay) items(c retail.Campaign) []campaigns.Item {
	out := make([]campaigns.Item, 0, len(c.Items))
	for _, i := range c.Items {
		price := r.demand.Prices[i.SKU]
		out = append(out, campaigns.Item{SKU: i.SKU, PriceFen: price.Fen, SettlementFen: price.SettlementFen, Units: i.Units})
	}
	return out
}

// endCampaigns sets spec.endAt to now. What is held by then is paid already.
func (r *replay) endCampaigns(ctx context.Context, w *week) error {
	if len(w.campaigns) == 0 {
		return nil
	}
	now := time.Now()
	for i := range w.campaigns {
		// endAt has whole seconds and must be later than startAt.
		w.campaigns[i].End = latest(now, w.campaigns[i].Start.Add(time.Second))
	}
	return r.desk.Apply(ctx, w.campaigns...)
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// dispatch starts a step when there is a free slot for each of its orders. The step waits by itself
// until its customer's step before is done.
func (r *replay) dispatch(ctx context.Context, w *week, s *retail.Step, steps *sync.WaitGroup) error {
	c := r.customer(s)
	before, done := c.next()
	r.tally.refuse("not_offered", len(s.Unoffered))
	var orders sync.WaitGroup
	start := func(do func() error) error {
		if err := r.killer.pass(ctx, r.progress.started()); err != nil {
			return err
		}
		select {
		case r.slots <- struct{}{}:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		orders.Add(1)
		r.beside(func() error {
			defer func() { <-r.slots; orders.Done() }()
			select {
			case <-before:
				return do()
			case <-ctx.Done():
				return nil // why is known
			}
		})
		return nil
	}
	var err error
	for i := 0; i < len(s.Orders) && err == nil; i++ {
		r.intention++
		intention := r.intention
		err = start(func() error { return r.order(ctx, w, c, &s.Orders[i], intention) })
	}
	if len(s.Returns) > 0 && err == nil {
		err = start(func() error { return r.sendBack(ctx, c, s) })
	}
	steps.Go(func() {
		orders.Wait()
		close(done)
	})
	return err
}

// patience is longer than an API server takes to come back.
const patience = 60 * time.Second

// patient repeats what failed, unless the API server itself refuses it: it may be away.
func patient(kubectl campaigns.Kubectl) campaigns.Kubectl {
	return func(ctx context.Context, stdin string, args ...string) (out string, err error) {
		var refusal error
		err = poll.Within(ctx, patience, func(ctx context.Context) error {
			var err error
			out, err = kubectl(ctx, stdin, args...)
			if err != nil && strings.Contains(err.Error(), "is invalid: ") {
				refusal, err = err, nil
			}
			return err
		})
		return out, errors.Join(refusal, err)
	}
}
