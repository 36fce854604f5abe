package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/qingcang/qingcang/hack/internal/actor"
	"github.com/qingcang/qingcang/hack/internal/campaigns"
	"github.com/qingcang/qingcang/hack/internal/retail"
	"github.com/qingcang/qingcang/hack/internal/suite"
)

// The world of the replay.
const (
	ownerCount    = 50
	commissionBps = 1_000
	// inFlight is how many orders are being placed and paid at a time.
	inFlight = 64
	// hold is longer than a process takes to come back.
	hold = 15 * time.Minute
	// returnWindow outlasts the run: returns are taken to its end, and commission counts as accrued.
	returnWindow = 168 * time.Hour
)

// replay is one run.
type replay struct {
	suite  *suite.Suite
	cast   *actor.Cast
	desk   campaigns.Desk
	demand *retail.Demand

	operations, carrier *actor.Staff
	warehouses          [retail.Brands]*warehouse
	owners              [ownerCount]*actor.Person
	// customers and the number of the last intention are the dispatcher's alone.
	customers map[string]*customer
	intention int
	shares    shares
	slots     chan struct{}
	tally     tally
	progress  *progress
	killer    *killer // nil unless processes are to be killed

	// What goes wrong beside the dispatcher ends the run.
	fail context.CancelCauseFunc
	work sync.WaitGroup
}

func newReplay(s *suite.Suite, demand *retail.Demand) (*replay, error) {
	cast, err := actor.NewCast(s.Addresses)
	if err != nil {
		return nil, err
	}
	r := &replay{
		suite: s, cast: cast, demand: demand,
		desk:      campaigns.Desk{Kubectl: patient(s.Kubectl), Namespace: s.Namespace},
		customers: map[string]*customer{}, slots: make(chan struct{}, inFlight),
		tally: tally{refused: map[string]int64{}, intentions: map[string]int{}},
	}
	orders := 0
	for _, w := range demand.Weeks {
		orders += w.Orders()
	}
	r.progress = newProgress(orders)
	return r, nil
}

// run seeds the world and plays week after week, until every accepted order is signed for.
func (r *replay) run(ctx context.Context) error {
	ctx, r.fail = context.WithCancelCause(ctx)
	defer r.work.Wait()
	defer r.fail(nil)
	r.progress.phase("Brands, stock and owners")
	if err := r.seed(ctx); err != nil {
		return fmt.Errorf("seed the world: %w", err)
	}
	r.openWarehouses(ctx)
	stop := r.progress.show()
	defer stop()
	for i := range r.demand.Weeks {
		if err := r.playWeek(ctx, &r.demand.Weeks[i]); err != nil {
			return fmt.Errorf("week %s: %w", r.demand.Weeks[i].Name(), err)
		}
	}
	r.progress.phase("waiting for the last parcels")
	if err := r.awaitParcels(ctx); err != nil {
		return err
	}
	return r.killer.finish(ctx)
}

// beside runs do beside the dispatcher; its failure ends the run.
func (r *replay) beside(do func() error) {
	r.work.Go(func() {
		if err := do(); err != nil {
			r.fail(err)
		}
	})
}

// tally is what the replay alone knows.
type tally struct {
	mu sync.Mutex
	// refused are lines that no lane heard of, by reason.
	refused map[string]int64
	// intentions by the id of the order that was accepted for each.
	intentions map[string]int
}

func (t *tally) refuse(reason string, lines int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.refused[reason] += int64(lines)
}

func (t *tally) accepted(orderID string, intention int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.intentions[orderID] = intention
}
