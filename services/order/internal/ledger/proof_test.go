package ledger_test

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	orderv1 "github.com/qingcang/qingcang/proto/gen/order/v1"
	"github.com/qingcang/qingcang/proto/lane/record"
	"github.com/qingcang/qingcang/services/internal/proof"
	"github.com/qingcang/qingcang/services/order/internal/ledger"
	"github.com/qingcang/qingcang/services/order/internal/ledger/ledgertest"
)

const proofLimit = 7 // units a buyer may have

// sent is a log as a lane gets it when clients, operator and pool send what they
// like over a network that loses, repeats and delays: a tenth is lost, a fifth
// comes again, and everything comes up to 12 places late.
func sent(t *proof.Trial) []record.Entry {
	type arrival struct {
		entry record.Entry
		place int
	}
	late := func() int {
		if t.Chance(3) {
			return t.IntN(12)
		}
		return 0
	}
	var arrivals []arrival
	now := 90
	for place := range 20 + t.IntN(80) {
		e := command(t, &now)
		if t.Chance(10) {
			continue
		}
		arrivals = append(arrivals, arrival{e, place + late()})
		for t.Chance(5) {
			arrivals = append(arrivals, arrival{e, place + late()})
		}
	}
	slices.SortStableFunc(arrivals, func(a, b arrival) int { return cmp.Compare(a.place, b.place) })
	log := []record.Entry{want(1, "a6 b6", limit(proofLimit)), allocate(1, "a6 b6"), tick(90 + t.IntN(20))}
	for _, a := range arrivals {
		// Each entry is read from its own bytes: a ledger must not lean on shared memory.
		log = append(log, reborn(t, a.entry))
	}
	return log
}

// reborn reads an entry from its bytes.
func reborn(t judge, e record.Entry) record.Entry {
	raw, err := e.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	again, err := record.Decode(raw)
	if err != nil {
		t.Fatal(err)
	}
	return again
}

// command draws what somebody sends to the lane.
func command(t *proof.Trial, now *int) record.Entry {
	order := fmt.Sprintf("o%d", 1+t.IntN(12))
	generation := 1 + t.Int64N(5)
	switch k := t.IntN(40); {
	case k < 2:
		changes := []change{limit(proofLimit)}
		if t.Chance(5) {
			changes = append(changes, suspended())
		}
		if t.Chance(10) {
			changes = append(changes, closedNow())
		}
		return want(generation, distinct(lines(t)), changes...)
	case k < 3:
		return allocate(generation, lines(t))
	case k < 4:
		return topUp(t.Int64N(4), generation, lines(t))
	case k < 5:
		return poolRefuses(generation)
	case k < 11:
		*now += t.IntN(40)
		return tick(*now)
	case k < 19:
		return pay(order, fmt.Sprintf("p%s%d", order, t.IntN(2)), 100*(1+t.Int64N(6)))
	case k < 22:
		return cancel(order)
	case k < 23:
		return settle()
	default:
		var changes []placing
		if t.Chance(2) {
			changes = append(changes, takeWhatFits)
		}
		return place(order, []string{"ann", "bob", "eve"}[t.IntN(3)], lines(t), changes...)
	}
}

func lines(t *proof.Trial) string {
	var words []string
	for range 1 + t.IntN(3) {
		words = append(words, fmt.Sprintf("%c%d", 'a'+t.IntN(3), 1+t.IntN(4)))
	}
	return strings.Join(words, " ")
}

// TestProofStockAddsUp is row 1: sold + held + free = supply and nothing is
// negative, at every prefix of the log.
func TestProofStockAddsUp(t *testing.T) {
	proof.Random(t, "1", proof.Trials{CI: 20_000, Full: 1_000_000}, func(t *proof.Trial) {
		l, a, h := ledgertest.New(), newAccount(), hearing{answered: map[int64]bool{}}
		for offset, e := range sent(t) {
			retired := l.Retired("sale")
			events := take(t, l, offset, e)
			if g, ok := e.Command.(*record.Allocate); ok && h.first(g, retired) {
				for _, u := range g.Add {
					a.allocated[u.SKU] += u.Units
				}
			}
			a.book(t, events)
			a.check(t, l, proofLimit)
		}
	})
}

// TestProofReplayEqualsState is row 11 for the ledger: whoever begins with a
// snapshot, taken anywhere and as often as he likes, comes to the same events and
// to the same bytes as the one who read the whole log.
func TestProofReplayEqualsState(t *testing.T) {
	proof.Random(t, "11", proof.Trials{CI: 5_000, Full: 200_000}, func(t *proof.Trial) {
		whole, part, silent := ledgertest.New(), ledgertest.New(), ledger.New()
		log := sent(t)
		every := 1 + t.IntN(len(log))
		for offset, e := range log {
			if t.Chance(every) {
				part = reread(t, part)
			}
			if err := silent.Replay(int64(offset), whole.Filled(e)); err != nil && !errors.Is(err, ledger.ErrMalformed) {
				t.Fatal(err)
			}
			sameEvents(t, take(t, whole, offset, e), take(t, part, offset, e))
		}
		if whole.Digest() != silent.Digest() {
			t.Fatal("a ledger that told nothing decided otherwise")
		}
		if a, b := encode(t, whole), encode(t, part); !bytes.Equal(a, b) {
			t.Fatalf("the states differ:\n%s\n%s", a, b)
		}
	})
}

func take(t judge, l *ledgertest.Lane, offset int, e record.Entry) []ledger.Event {
	events, err := l.Apply(int64(offset), e)
	if err != nil && !errors.Is(err, ledger.ErrMalformed) {
		t.Fatal(err)
	}
	return events
}

// around are the things that can happen around a hold: ann wants the only unit,
// bob wants it too, money comes in time, late, twice, twice over and wrong, and
// the campaign gets more stock or ends.
var around = []struct {
	name  string
	entry func(now *int) record.Entry
}{
	{"ann orders", func(*int) record.Entry { return place("o1", "ann", "a1") }},
	{"bob orders", func(*int) record.Entry { return place("o2", "bob", "a1") }},
	{"ann's money comes", func(*int) record.Entry { return pay("o1", "p1", 100) }},
	{"ann pays again", func(*int) record.Entry { return pay("o1", "p2", 100) }},
	{"bob's money comes", func(*int) record.Entry { return pay("o2", "p3", 100) }},
	{"too little comes", func(*int) record.Entry { return pay("o1", "p4", 50) }},
	{"ann cancels", func(*int) record.Entry { return cancel("o1") }},
	{"holds expire", func(now *int) record.Entry { *now += 61; return tick(*now) }},
	{"the campaign ends", func(now *int) record.Entry { *now = max(*now, 999) + 1; return tick(*now) }},
}

const mostEvents = 6

// TestProofALatePaymentHasOneResult is row 9: all interleavings of up to six
// events, each as often as one likes. The shorter ones are the beginnings of the
// longer, and each is judged at every step.
func TestProofALatePaymentHasOneResult(t *testing.T) {
	proof.Exhaustive(t, "9", func(try func(func(*proof.Trial)) bool) {
		story := make([]int, mostEvents)
		for {
			if !try(func(t *proof.Trial) { tellStory(t, story) }) {
				return
			}
			i := mostEvents - 1
			for ; i >= 0 && story[i] == len(around)-1; i-- {
				story[i] = 0
			}
			if i < 0 {
				return
			}
			story[i]++
		}
	})
}

func tellStory(t *proof.Trial, story []int) {
	l, now := ledgertest.New(), 100
	for offset, e := range opened("a1") {
		take(t, l, offset, e)
	}
	s := resolutions{open: map[string]bool{}, answers: map[string]int{}, sold: map[string]bool{}}
	for step, n := range story {
		e := around[n].entry(&now)
		if wrong := s.hear(take(t, l, 3+step, e)); wrong != "" {
			t.Fatalf("%s: %s", names(story[:step+1]), wrong)
		}
		if p, ok := e.Command.(*record.Pay); ok && s.answers[p.PaymentID] != 1 {
			t.Fatalf("%s: payment %s has %d results", names(story[:step+1]), p.PaymentID, s.answers[p.PaymentID])
		}
	}
}

func names(story []int) string {
	var said []string
	for _, n := range story {
		said = append(said, around[n].name)
	}
	return strings.Join(said, ", ")
}

// resolutions is what became of holds and money, as the events say.
type resolutions struct {
	open    map[string]bool
	sold    map[string]bool
	answers map[string]int
}

// hear says what is wrong with the events, or nothing.
func (s *resolutions) hear(events []ledger.Event) string {
	for _, event := range events {
		switch e := event.Message.(type) {
		case *orderv1.OrderHeld:
			if s.open[e.GetOrderId()] || s.sold[e.GetOrderId()] {
				return e.GetOrderId() + " is held twice"
			}
			s.open[e.GetOrderId()] = true
		case *orderv1.OrderReleased:
			if !s.open[e.GetOrderId()] {
				return e.GetOrderId() + " is released and was not held"
			}
			delete(s.open, e.GetOrderId())
		case *orderv1.OrderConfirmed:
			if s.open[e.GetOrderId()] == e.GetRevived() || s.sold[e.GetOrderId()] {
				return e.GetOrderId() + " is confirmed out of turn"
			}
			delete(s.open, e.GetOrderId())
			s.sold[e.GetOrderId()] = true
			s.answers[e.GetPaymentId()]++
		case *orderv1.PaymentUnwanted:
			s.answers[e.GetPaymentId()]++
		}
	}
	if len(s.open)+len(s.sold) > 1 {
		return "the only unit is promised twice"
	}
	return ""
}
