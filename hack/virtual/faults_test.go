package virtual

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/qingcang/qingcang/services/order/virtual/internal/network"
	"github.com/qingcang/qingcang/services/order/virtual/internal/world"
)

// TestKafkaAwayForAMinute: buyers are told to come again, and who does gets one order.
func TestKafkaAwayForAMinute(t *testing.T) {
	for name, state := range map[string]network.State{"it refuses connections": network.Away, "it says nothing": network.Silent} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, 2, func(w *world.World, replicas []*world.Replica) {
				w.Open(world.Sale("sale", 100, "a"), replicas[0])
				before := w.Insist(world.One("before", "sale", w.Key()), replicas...)

				w.Network.Turn(state)
				back := time.Now().Add(time.Minute)
				var asks []world.Ask
				var callers sync.WaitGroup
				var meanwhile, got tally
				for time.Now().Before(back) {
					ask, r := world.One(fmt.Sprintf("buyer-%d", len(asks)), "sale", w.Key()), replicas[len(asks)%2]
					asks = append(asks, ask)
					callers.Go(func() {
						a := r.Place(ask)
						if meanwhile.add(a); a.Status != http.StatusCreated && a.RetryAfter == "" {
							w.Errorf("%d %s does not say when to come again", a.Status, a.Text)
						}
					})
					w.Pass(2 * time.Second)
				}
				w.Network.Turn(network.Up)
				returned := time.Now()
				callers.Wait() // some requests may still have been on their way, and got through
				if away := meanwhile.count["503 log_unavailable"]; away < len(asks)/2 || away+meanwhile.count["201"] != len(asks) {
					w.Errorf("without Kafka: %v", meanwhile.count)
				}
				w.Together(len(asks), func(i int) { got.add(w.Insist(asks[i], replicas[i%2])) })
				if got.count["201"] != len(asks) {
					w.Errorf("the same keys later get %v, want %d orders", got.count, len(asks))
				}
				if took := time.Since(returned); took > 30*time.Second {
					w.Errorf("it took %s to sell again", took)
				}
				w.Pass(30 * time.Second) // the members find their group again
				events := w.AllEvents()
				if len(events.Held) != len(asks)+1 || events.Held[before.Order.ID] != 1 {
					w.Errorf("%d orders are held, want %d", len(events.Held), len(asks)+1)
				}
			})
		})
	}
}

// TestTheDatabaseAway: the sale runs on, and what is kept in the database catches up.
func TestTheDatabaseAway(t *testing.T) {
	inWorld(t, 2, func(w *world.World, replicas []*world.Replica) {
		w.Open(world.Sale("sale", 50, "a"), replicas[0])
		paid := w.Insist(world.One("ann", "sale", w.Key()), replicas...).Order
		if a := replicas[0].Pay("ann", paid.ID); a.Payment == "" {
			w.Fatalf("opening the payment: %d %s", a.Status, a.Text)
		}

		w.Database.Away(true)
		var got tally
		asks := make([]world.Ask, 30)
		for i := range asks {
			asks[i] = world.One(fmt.Sprintf("buyer-%d", i), "sale", w.Key())
		}
		w.Together(len(asks), func(i int) {
			a := replicas[i%2].Place(asks[i])
			if a.Took > time.Second {
				w.Errorf("an order took %s", a.Took)
			}
			got.add(a)
		})
		if got.count["201"] != len(asks) {
			w.Errorf("without the database: %v", got.count)
		}
		if a := replicas[1].Notice(paid); a.Status != http.StatusServiceUnavailable {
			w.Errorf("a notice that cannot be kept is answered %d %s", a.Status, a.Text)
		}
		w.Pass(time.Minute)

		w.Database.Away(false)
		w.Eventually(func() error { // the provider repeats its notice
			if a := replicas[1].Notice(paid); a.Status != http.StatusNoContent {
				return fmt.Errorf("the notice: %d %s", a.Status, a.Text)
			}
			return nil
		})
		w.Eventually(func() error {
			if s := w.Status("sale"); s.GetPaidOrders() != 1 || s.GetSoldUnits() != 1 || s.GetHeldUnits() != 30 {
				return fmt.Errorf("the campaign's status: %v", s)
			}
			return nil
		})
		if a := replicas[0].Show("ann", paid.ID); a.Order.State != "paid" {
			w.Errorf("the paid order: %d %s", a.Status, a.Text)
		}

		now := replicas[0].Next("sale")
		w.Eventually(func() error { // the lane goes on, and is written down again
			snapshot, found, err := w.Database.Lanes.LatestSnapshot(w.Context(), world.Partition)
			if err == nil && (!found || int64(snapshot.GetSeq()) < now) {
				err = fmt.Errorf("the newest snapshot is at %d, want one behind %d", snapshot.GetSeq(), now)
			}
			return err
		})
		third := w.Start() // from it
		sameDecisions(w, append(replicas, third)...)
	})
}

// TestLostAnswersSellNothingTwice: every fifth acknowledgement and every seventh fetch break off.
func TestLostAnswersSellNothingTwice(t *testing.T) {
	inWorld(t, 2, func(w *world.World, replicas []*world.Replica) {
		w.Open(world.Sale("sale", 150, "a"), replicas[0])
		w.Network.Rules(network.LoseEvery(5, kmsg.Produce), network.TearEvery(7, kmsg.Fetch))
		var got tally
		asks := make([]world.Ask, 200)
		for i := range asks {
			asks[i] = world.One(fmt.Sprintf("buyer-%d", i), "sale", w.Key())
		}
		w.Together(len(asks), func(i int) {
			time.Sleep(time.Duration(i) * 10 * time.Millisecond)
			got.add(w.Insist(asks[i], replicas[i%2], replicas[1-i%2]))
		})
		if got.count["201"] != 150 || got.count["409 sold_out"] != 50 {
			w.Errorf("answers: %v, want 150 orders and 50 refusals", got.count)
		}
		w.Network.Rules()
		events := w.AllEvents()
		if len(events.Held) != 150 || events.HeldUnits["a"] != 150 {
			w.Errorf("%d orders hold %d units", len(events.Held), events.HeldUnits["a"])
		}
		sameDecisions(w, replicas...)
	})
}

// sameDecisions waits until the replicas have read the same, and fails unless they decided the same.
func sameDecisions(w *world.World, replicas ...*world.Replica) {
	w.Helper()
	w.Eventually(func() error {
		first := replicas[0].Decisions()
		for _, r := range replicas[1:] {
			if d := r.Decisions(); d != first {
				return fmt.Errorf("%s: %+v, %s: %+v", replicas[0].Host.Name, first, r.Host.Name, d)
			}
		}
		return nil
	})
}

// TestAReplicaJoinsAndLeavesALiveSale: nobody at the other replicas notices.
func TestAReplicaJoinsAndLeavesALiveSale(t *testing.T) {
	const longest = 25 * time.Millisecond // answers of the broker take up to 3 ms each
	inWorld(t, 2, func(w *world.World, replicas []*world.Replica) {
		w.Open(world.Sale("sale", 100_000, "a"), replicas[0])
		over := make(chan struct{})
		var buyers sync.WaitGroup
		var slowest [2]time.Duration
		for i, r := range replicas {
			buyers.Go(func() {
				for n := 0; ; n++ {
					select {
					case <-over:
						return
					case <-time.After(20 * time.Millisecond):
					}
					a := r.Place(world.One(fmt.Sprintf("buyer-%d-%d", i, n), "sale", fmt.Sprintf("live-%d-%06d", i, n)))
					if a.Status != http.StatusCreated {
						w.Errorf("during the sale: %d %s", a.Status, a.Text)
					}
					slowest[i] = max(slowest[i], a.Took)
				}
			})
		}
		w.Pass(2 * time.Second)
		third := w.Join()
		w.Ready(append(replicas, third)...)
		if a := w.Insist(world.One("ann", "sale", w.Key()), third); a.Status != http.StatusCreated {
			w.Errorf("the one that joined says %d %s", a.Status, a.Text)
		}
		w.Pass(2 * time.Second)
		sameDecisions(w, append(replicas, third)...)
		third.Stop()
		w.Ready(replicas...)
		w.Pass(2 * time.Second)
		close(over)
		buyers.Wait()
		for i, took := range slowest {
			if took > longest || took == 0 {
				w.Errorf("somebody at replica %d waited %s, want no more than %s", i+1, took, longest)
			}
		}
		sameDecisions(w, replicas...)
	})
}
