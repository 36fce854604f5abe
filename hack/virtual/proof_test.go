package virtual

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/qingcang/qingcang/services/internal/proof"
	"github.com/qingcang/qingcang/services/order/internal/ledger"
	"github.com/qingcang/qingcang/services/order/virtual/internal/network"
	"github.com/qingcang/qingcang/services/order/virtual/internal/world"
)

// TestProofOneKeyOneEffect is row 12 in virtual time: buyers who repeat their keys, one after the
// other and 50 at a time, over two replicas, on a network that loses answers, while a replica dies.
func TestProofOneKeyOneEffect(t *testing.T) {
	proof.Virtual(t, "12", proof.Trials{CI: 500, Full: 10_000}, func(t *proof.Trial) {
		w := newWorld(t, t.Rand)
		a, b := w.Join(), w.Join()
		w.Ready(a, b)
		w.Open(world.Sale("sale", 20, "a"), a)
		s := &intents{World: w, both: []*world.Replica{a, b}}
		if t.Chance(2) {
			w.Network.Rules(network.LoseEvery(5, kmsg.Produce), network.TearEvery(7, kmsg.Fetch))
		}

		s.inSequence(2 + t.IntN(4))
		s.withAnotherBody(2 + t.IntN(6))
		s.ofMoreThanIsLeft()
		dies := func() {
			w.Pass(time.Duration(t.IntN(8)) * time.Millisecond)
			a.Crash()
		}
		if t.Chance(3) {
			dies = func() {}
		}
		s.atOnce(50, dies)
		s.inSequence(3) // by way of the dead one, if it is dead
		s.effects()
	})
}

func newWorld(t testing.TB, seed *rand.Rand) *world.World {
	w := world.New(t, seed)
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(w.Logs)
		}
	})
	return w
}

// intents are what buyers want, each under one key, and what they were told.
type intents struct {
	*world.World
	both []*world.Replica

	told []world.Answer // the last word on each intent that got an order
	n    int
}

// next is an intent of a buyer who wants nothing else.
func (s *intents) next(units int64) world.Ask {
	s.n++
	ask := world.One(fmt.Sprintf("buyer-%d", s.n), "sale", s.Key())
	ask.Lines[0].Units = units
	return ask
}

// shuffled are the replicas, either one first.
func (s *intents) shuffled() []*world.Replica {
	if s.Rand.IntN(2) == 0 {
		return []*world.Replica{s.both[1], s.both[0]}
	}
	return s.both
}

// inSequence repeats a key: the answer is the same each time.
func (s *intents) inSequence(times int) {
	ask := s.next(1)
	answers := make([]world.Answer, times)
	for i := range answers {
		answers[i] = s.Insist(ask, s.shuffled()...)
	}
	s.same(answers)
}

// atOnce repeats a key in parallel, while something else happens: who comes second waits for the
// answer of the first.
func (s *intents) atOnce(callers int, meanwhile func()) {
	ask := s.next(1)
	answers := make([]world.Answer, callers)
	var all sync.WaitGroup
	for i := range answers {
		order := s.shuffled()
		all.Go(func() { answers[i] = s.Insist(ask, order...) })
	}
	meanwhile()
	all.Wait()
	s.same(answers)
}

// same takes the answers to one intent, which is fulfilled.
func (s *intents) same(answers []world.Answer) {
	first := answers[0]
	for _, a := range answers {
		if a.Status != http.StatusCreated || a.Order.State != "held" {
			s.Errorf("a key that can be fulfilled gets %d %s", a.Status, a.Text)
		}
		if a.Order.ID != first.Order.ID {
			s.Errorf("one key has the orders %s and %s", first.Order.ID, a.Order.ID)
		}
	}
	s.told = append(s.told, first)
}

// withAnotherBody has callers use one key for two bodies: one body has it, the other is 422.
func (s *intents) withAnotherBody(callers int) {
	one := s.next(1)
	two := one
	two.Lines = []world.Line{{SKU: "a", Units: 2}}
	answers := make([]world.Answer, 2*callers)
	var all sync.WaitGroup
	for i := range answers {
		order, ask := s.shuffled(), []world.Ask{one, two}[i%2]
		all.Go(func() { answers[i] = s.Insist(ask, order...) })
	}
	all.Wait()
	winner := 0
	if answers[1].Status == http.StatusCreated {
		winner = 1
	}
	var won []world.Answer
	for i, a := range answers {
		if i%2 == winner {
			won = append(won, a)
		} else if a.Status != http.StatusUnprocessableEntity || a.Code != "idempotency_key_reused" {
			s.Errorf("the other body under the same key gets %d %s", a.Status, a.Text)
		}
	}
	s.same(won)
}

// ofMoreThanIsLeft asks for what cannot be had: 409, and the same again.
func (s *intents) ofMoreThanIsLeft() {
	ask := s.next(19)
	for range 2 {
		if a := s.Insist(ask, s.shuffled()...); a.Status != http.StatusConflict || a.Code != "sold_out" {
			s.Errorf("more than is left gets %d %s", a.Status, a.Text)
		}
	}
}

// effects holds the lane's events against what buyers were told: each order is held once, and no
// other is.
func (s *intents) effects() {
	units := int64(0)
	for _, a := range s.told {
		units += a.Order.Lines[0].Units
	}
	s.Eventually(func() error { // the publisher may have died: another one takes over
		events := s.Events()
		if len(events.Held) < len(s.told) {
			return fmt.Errorf("%d orders are published, %d were promised", len(events.Held), len(s.told))
		}
		return nil
	})
	events := s.Events()
	for _, a := range s.told {
		if events.Held[a.Order.ID] != 1 {
			s.Errorf("%s was held %d times", a.Order.ID, events.Held[a.Order.ID])
		}
	}
	if len(events.Held) != len(s.told) || events.HeldUnits["a"] != units {
		s.Errorf("%d orders hold %d units, buyers were promised %d of %d", len(events.Held), events.HeldUnits["a"], len(s.told), units)
	}
}

// TestProofClocks is row 14 in virtual time. Which time it is says the broker; how wrong the pods'
// clocks are does not matter.
func TestProofClocks(t *testing.T) {
	local := time.Local
	time.Local = time.FixedZone("nowhere", -9*60*60-30*60) // a machine without time-zone data may think anything
	t.Cleanup(func() { time.Local = local })
	proof.Virtual(t, "14", proof.Trials{CI: 200, Full: 2_000}, clocks)
}

// TestProofAnUpgradeChangesNoDecision is what row 20 asks of lanes. It needs a binary that knows more
// rules than the first: go test -tags rules_next.
func TestProofAnUpgradeChangesNoDecision(t *testing.T) {
	if ledger.Rules == ledger.FirstRules {
		t.Skip("there is only one set of rules; the tag rules_next makes a second")
	}
	proof.Virtual(t, "20", proof.Trials{CI: 40, Full: 1_000}, upgrade)
}
