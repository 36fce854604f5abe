package virtual

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
	"github.com/qingcang/qingcang/services/order/virtual/internal/world"
)

// What users of comparable systems complain about most, each as a test over two replicas.

// inWorld runs a test in virtual time, over replicas that are ready.
func inWorld(t *testing.T, replicas int, test func(w *world.World, replicas []*world.Replica)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, rand.New(rand.NewPCG(1, uint64(replicas))))
		var all []*world.Replica
		for range replicas {
			all = append(all, w.Join())
		}
		w.Ready(all...)
		test(w, all)
	})
}

// tally counts answers by what they say. It is safe for concurrent use.
type tally struct {
	mu    sync.Mutex
	count map[string]int
	held  []world.Order
	units int64
}

func (t *tally) add(a world.Answer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.count == nil {
		t.count = map[string]int{}
	}
	if a.Status != http.StatusCreated {
		t.count[fmt.Sprintf("%d %s", a.Status, a.Code)]++
		return
	}
	t.count["201"]++
	t.held = append(t.held, a.Order)
	for _, line := range a.Order.Lines {
		t.units += line.Units
	}
}

// Oversell and lost updates: Vendure #3508, Medusa #16502 and #16569, Saleor #543, mall #353,
// nopCommerce #4184.
func TestComplaint1Oversell(t *testing.T) {
	t.Run("500 buyers of 100 units get exactly 100", func(t *testing.T) {
		inWorld(t, 2, func(w *world.World, replicas []*world.Replica) {
			w.Open(world.Sale("sale", 100, "a"), replicas[0])
			asks := make([]world.Ask, 500)
			for i := range asks {
				asks[i] = world.One(fmt.Sprintf("buyer-%d", i), "sale", w.Key())
			}
			var got tally
			w.Together(len(asks), func(i int) { got.add(w.Insist(asks[i], replicas[i%2])) })
			if got.count["201"] != 100 || got.count["409 sold_out"] != 400 {
				w.Errorf("answers: %v, want 100 orders and 400 refusals", got.count)
			}
			if events := w.AllEvents(); len(events.Held) != 100 || events.HeldUnits["a"] != 100 {
				w.Errorf("%d orders hold %d units", len(events.Held), events.HeldUnits["a"])
			}
		})
	})
	t.Run("one cart with the same SKU twice is summed", func(t *testing.T) {
		inWorld(t, 2, func(w *world.World, replicas []*world.Replica) {
			w.Open(world.Sale("sale", 3, "a"), replicas[0])
			cart := func(first, second int64) world.Ask {
				return world.Ask{Buyer: "ann", Campaign: "sale", Key: w.Key(), Lines: []world.Line{{SKU: "a", Units: first}, {SKU: "a", Units: second}}}
			}
			if a := w.Insist(cart(2, 2), replicas...); a.Status != http.StatusConflict || a.Code != "sold_out" {
				w.Errorf("2 and 2 of 3 give %d %s", a.Status, a.Text)
			}
			a := w.Insist(cart(1, 2), replicas...)
			if a.Status != http.StatusCreated || len(a.Order.Lines) != 1 || a.Order.Lines[0].Units != 3 || a.Order.Fen != 300 {
				w.Errorf("1 and 2 of 3 give %d %s", a.Status, a.Text)
			}
		})
	})
}

// Limits for each buyer that parallel requests get past: mall #1003, Vendure PR #4660.
func TestComplaint2LimitsUnderParallelRequests(t *testing.T) {
	inWorld(t, 2, func(w *world.World, replicas []*world.Replica) {
		sale := world.Sale("sale", 1_000, "a", "b")
		sale.BuyerLimitUnits = 3
		w.Open(sale, replicas[0])
		asks := make([]world.Ask, 80)
		for i := range asks {
			asks[i] = world.Ask{Buyer: "ann", Campaign: "sale", Key: w.Key(), Lines: []world.Line{{SKU: []string{"a", "b"}[i%2], Units: 1 + int64(i/2%2)}}}
		}
		var got tally
		w.Together(len(asks), func(i int) { got.add(w.Insist(asks[i], replicas[i/4%2])) })
		if got.units != 3 || got.count["201"]+got.count["409 over_limit"] != len(asks) {
			w.Errorf("%d units in %v, want 3", got.units, got.count)
		}
		if a := w.Insist(world.One("bob", "sale", w.Key()), replicas...); a.Status != http.StatusCreated {
			w.Errorf("another buyer gets %d %s", a.Status, a.Text)
		}
	})
}

// Holds that are never released, and "sold out" while stock is left: Vendure #3509, yudao #802.
func TestComplaint4HoldsAreReleasedAndNothingStaysUnsold(t *testing.T) {
	inWorld(t, 2, func(w *world.World, replicas []*world.Replica) {
		sale := world.Sale("sale", 20, "a")
		sale.HoldSeconds = 60
		w.Open(sale, replicas[0])
		round := func(name string, buyers int) *tally {
			got := &tally{}
			asks := make([]world.Ask, buyers)
			for i := range asks {
				asks[i] = world.One(fmt.Sprintf("%s-%d", name, i), "sale", w.Key())
			}
			w.Together(len(asks), func(i int) { got.add(w.Insist(asks[i], replicas[i%2])) })
			return got
		}
		want := func(got *tally, orders, refused int) {
			w.Helper()
			if got.count["201"] != orders || got.count["409 sold_out"] != refused {
				w.Fatalf("answers: %v, want %d orders and %d refusals", got.count, orders, refused)
			}
		}
		first := round("first", 30)
		want(first, 20, 10)
		for i, o := range first.held[:5] { // given up: free at once, at either replica
			if a := replicas[i%2].Cancel(w.BuyerOf(o.ID), o.ID); a.Order.State != "cancelled" {
				w.Fatalf("cancelled: %d %s", a.Status, a.Text)
			}
		}
		want(round("second", 8), 5, 3)

		replicas[0].Crash() // whoever keeps the lane's time, somebody does
		replicas = []*world.Replica{replicas[1], replicas[1]}
		w.Pass(60*time.Second + late)
		third := round("third", 30)
		want(third, 20, 10)
		for _, o := range third.held {
			buyer := w.BuyerOf(o.ID)
			if a := replicas[1].Pay(buyer, o.ID); a.Payment == "" {
				w.Fatalf("opening the payment: %d %s", a.Status, a.Text)
			}
			if a := replicas[1].Notice(o); a.Status != http.StatusNoContent {
				w.Fatalf("the notice: %d %s", a.Status, a.Text)
			}
		}
		w.Pass(60*time.Second + late)
		want(round("fourth", 5), 0, 5)
		sale.Generation, sale.Closed = 2, true
		w.Want(sale)
		if s := w.Phase("sale", campaignv1.Status_PHASE_DRAINED); s.GetSoldUnits() != 20 || s.GetLeftUnits() != 0 {
			w.Errorf("at the end: %v", s)
		}
	})
}

// One account that holds the whole stock and never pays: dujiao-next #105.
func TestComplaint8OneAccountCannotParkTheStock(t *testing.T) {
	inWorld(t, 2, func(w *world.World, replicas []*world.Replica) {
		sale := world.Sale("sale", 400, "a")
		sale.HoldSeconds = 240
		w.Open(sale, replicas[0])
		park := func() *tally { // as much as it can, in parallel, in orders of all sizes
			got := &tally{}
			asks := make([]world.Ask, 40)
			for i := range asks {
				asks[i] = world.One("parker", "sale", w.Key())
				asks[i].Lines[0].Units = 1 << (i % 8)
			}
			w.Together(len(asks), func(i int) { got.add(w.Insist(asks[i], replicas[i%2])) })
			return got
		}
		spoilt := 0
		for round := range 5 {
			most, seconds := int64(400), int64(240)
			if spoilt > 0 {
				most, seconds = max(1, int64(64)>>min(spoilt, 8)), max(60, int64(240)>>min(spoilt, 8))
			}
			asked := time.Now()
			got := park()
			if got.units > most || got.units == 0 {
				w.Fatalf("round %d: the account holds %d units behind %d spoilt orders, at most %d are allowed", round, got.units, spoilt, most)
			}
			if spoilt > 0 && got.count["409 over_hold"] == 0 {
				w.Errorf("round %d: nothing is refused as over_hold: %v", round, got.count)
			}
			for _, o := range got.held {
				if holds := o.Deadline.Sub(asked); holds > time.Duration(seconds)*time.Second+late {
					w.Errorf("round %d: a hold lasts %s, want %d s", round, holds, seconds)
				}
			}
			spoilt += len(got.held)
			if round > 0 { // the others find nearly everything
				a := w.Insist(world.Ask{Buyer: fmt.Sprintf("buyer-%d", round), Campaign: "sale", Key: w.Key(), Lines: []world.Line{{SKU: "a", Units: 60}}}, replicas...)
				if a.Status != http.StatusCreated {
					w.Errorf("round %d: another buyer gets %d %s", round, a.Status, a.Text)
				}
			}
			w.Pass(time.Duration(seconds)*time.Second + late)
		}

		// Who pays is trusted again.
		got := park()
		if got.units != 1 {
			w.Fatalf("behind %d spoilt orders the account holds %d units, want 1", spoilt, got.units)
		}
		if a := replicas[0].Pay("parker", got.held[0].ID); a.Payment == "" {
			w.Fatalf("opening the payment: %d %s", a.Status, a.Text)
		}
		if a := replicas[0].Notice(got.held[0]); a.Status != http.StatusNoContent {
			w.Fatalf("the notice: %d %s", a.Status, a.Text)
		}
		if got := park(); got.units < 64 {
			w.Errorf("after it has paid, the account holds %d units: %v", got.units, got.count)
		}
	})
}
