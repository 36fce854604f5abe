package virtual

import (
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/qingcang/qingcang/proto/lane/record"
	"github.com/qingcang/qingcang/services/internal/proof"
	"github.com/qingcang/qingcang/services/order/internal/lane"
	"github.com/qingcang/qingcang/services/order/internal/ledger"
	"github.com/qingcang/qingcang/services/order/virtual/internal/world"
)

// upgrade is one trial of row 20 for lanes: in the middle of a sale one replica after the other is
// replaced by one whose deployment asks for the newest rules. The buyers notice nothing, and what was
// decided is what the rules before would have decided.
func upgrade(t *proof.Trial) {
	w := newWorld(t, t.Rand)
	old := []*world.Replica{w.Join(), w.Join()}
	w.Ready(old...)
	sale := world.Sale("sale", 60, "a")
	sale.BuyerLimitUnits, sale.HoldSeconds = 5, 3 // some holds end meanwhile
	w.Open(sale, old[0])

	s := &crowd{World: w, replicas: old, told: map[string]world.Answer{}}
	over := make(chan struct{})
	var buyers sync.WaitGroup
	for b := range 8 {
		pace := time.Duration(50+t.IntN(150)) * time.Millisecond
		buyers.Go(func() { s.buy(fmt.Sprintf("buyer-%d", b), pace, over) })
	}
	w.Pass(time.Duration(t.Int64N(int64(2 * time.Second))))
	for i, leaves := range old {
		comes := w.JoinOn(world.Machine{Rules: ledger.Rules})
		w.Eventually(comes.Ready)
		s.replace(i, comes)
		if t.Chance(3) {
			leaves.Crash()
		} else {
			leaves.Stop()
		}
		w.Pass(time.Duration(t.Int64N(int64(time.Second))))
	}
	young := s.now()
	w.Eventually(func() error {
		for _, r := range young {
			if active := r.ActiveRules(); active != ledger.Rules {
				return fmt.Errorf("%s: rules %d count", r.Host.Name, active)
			}
		}
		return nil
	})
	if a := w.Insist(world.One("late", "sale", w.Key()), young...); a.Status != http.StatusCreated {
		w.Errorf("under the new rules: %d %s", a.Status, a.Text)
	}
	w.Pass(time.Second)
	close(over)
	buyers.Wait()
	s.stillTrue()
	sameDecisions(w, young...)
	decidedAsBefore(w, young[0])
}

// crowd are buyers at replicas that are replaced.
type crowd struct {
	*world.World

	mu       sync.Mutex
	replicas []*world.Replica
	told     map[string]world.Answer // the first answer, by key
	asks     []world.Ask
}

func (s *crowd) now() []*world.Replica {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]*world.Replica(nil), s.replicas...)
}

func (s *crowd) replace(i int, r *world.Replica) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.replicas[i] = r
}

// buy asks for an order after the other, most of them more than a buyer may have.
func (s *crowd) buy(buyer string, pace time.Duration, over <-chan struct{}) {
	for n := 0; ; n++ {
		select {
		case <-over:
			return
		case <-time.After(pace):
		}
		ask := world.One(buyer, "sale", fmt.Sprintf("%s-%06d", buyer, n))
		a := s.InsistAt(ask, func(try int) *world.Replica { return s.now()[try%2] })
		if a.Status != http.StatusCreated && a.Status != http.StatusConflict {
			s.Errorf("during the upgrade: %d %s", a.Status, a.Text)
		}
		s.mu.Lock()
		s.asks = append(s.asks, ask)
		s.told[ask.Key] = a
		s.mu.Unlock()
	}
}

// stillTrue asks again for every order that a buyer got.
func (s *crowd) stillTrue() {
	for i, ask := range s.asks {
		first := s.told[ask.Key]
		if first.Status != http.StatusCreated {
			continue
		}
		if again := s.Insist(ask, s.replicas[i%2]); again.Status != first.Status || again.Order.ID != first.Order.ID {
			s.Errorf("%s was %s and is %d %s", ask.Key, first.Order.ID, again.Status, again.Text)
		}
	}
}

// decidedAsBefore reads the lane's log under the first rules alone and compares.
func decidedAsBefore(w *world.World, r *world.Replica) {
	want, reference, switches := r.Decisions(), ledger.New(), 0
	for next := int64(0); next <= want.Last.Offset; {
		records, err := w.Conn.Fetch(w.Context(), lane.SharedTopic, world.Partition, next)
		if err != nil || len(records) == 0 {
			w.Fatalf("the log ends at %d, before what was decided at %v: %v", next, want.Last, err)
		}
		for _, one := range records {
			if next = one.Offset + 1; one.Offset > want.Last.Offset {
				break
			}
			entry, err := record.Decode(one.Value)
			if err != nil {
				w.Fatal(err)
			}
			if _, ok := entry.Command.(*record.SwitchRules); ok {
				switches++
				continue
			}
			entry.Rules = ledger.FirstRules
			if _, err := reference.Apply(one.Offset, entry); err != nil {
				w.Fatal(err)
			}
		}
	}
	if switches == 0 {
		w.Error("the rules were never switched")
	}
	if reference.Last() != want.Last || reference.Digest() != want.Digest {
		w.Error("under the first rules alone, the same log decides otherwise")
	}
}
