package virtual

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/qingcang/qingcang/services/order/virtual/internal/world"
)

// A payment that arrives after the hold expired: Saleor #14733, CoreShop #2529. It has one result: the
// order is revived if its stock is left, else the money goes back by itself. Told again, at whichever
// replica, it has no other.
func TestComplaint3PaymentAfterTheHoldExpired(t *testing.T) {
	for name, c := range map[string]struct {
		// another takes the unit that is free again, before the money comes.
		another  bool
		state    string
		refunded int64
	}{
		"with stock left, the order is revived": {state: "paid"},
		"with none left, the money goes back":   {another: true, state: "refunded", refunded: 100},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, 2, func(w *world.World, replicas []*world.Replica) {
				sale := world.Sale("sale", 1, "a")
				sale.HoldSeconds = 60
				w.Open(sale, replicas[0])
				held := w.Insist(world.One("ann", "sale", w.Key()), replicas[0])
				if a := replicas[0].Pay("ann", held.Order.ID); a.Payment == "" {
					w.Fatalf("opening the payment: %d %s", a.Status, a.Text)
				}
				w.Pass(60*time.Second + late)
				if a := replicas[1].Show("ann", held.Order.ID); a.Order.State != "expired" {
					w.Fatalf("after its time the order is %s", a.Text)
				}
				if c.another {
					if a := w.Insist(world.One("bob", "sale", w.Key()), replicas[1]); a.Status != http.StatusCreated {
						w.Fatalf("the unit is not free again: %d %s", a.Status, a.Text)
					}
				}
				for n := range 6 {
					if a := replicas[n%2].Notice(held.Order); a.Status != http.StatusNoContent {
						w.Fatalf("notice %d: %d %s", n, a.Status, a.Text)
					}
				}
				w.Eventually(func() error {
					if a := replicas[1].Show("ann", held.Order.ID); a.Order.State != c.state {
						return fmt.Errorf("the order is %s", a.Text)
					}
					return nil
				})
				w.Pass(10 * time.Minute)
				if a := replicas[0].Show("ann", held.Order.ID); a.Order.State != c.state {
					w.Errorf("ten minutes later the order is %s", a.Text)
				}
				if got := w.Provider.Refunded(); int64(got) != c.refunded {
					w.Errorf("%s went back", got)
				}
			})
		})
	}
}
