package stock_test

import (
	"fmt"
	"testing"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	brandv1 "github.com/qingcang/qingcang/proto/gen/brand/v1"
	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
	orderv1 "github.com/qingcang/qingcang/proto/gen/order/v1"
	"github.com/qingcang/qingcang/services/brand-intake/internal/stock"
)

func TestUnitsThatWereLetGoTooEarlyComeAgain(t *testing.T) {
	hats := func(units int64) edit { return item("hat", units, 2000) }
	cases := map[string]struct {
		then  []*campaignv1.Desired // after generations of 8 and of 3 hats
		letGo *orderv1.StockLetGo
		want  string
		free  int64 // of 10 hats
	}{
		"a generation that wants them again gets them again": {
			[]*campaignv1.Desired{desired(3, hats(8))}, letGo(false, 2, &orderv1.LetGoUnits{Sku: "hat", Units: 5}), "generation 3 top-up 1: hat 5", 2,
		},
		"it gets no more of them than it wants": {
			[]*campaignv1.Desired{desired(3, hats(6))}, letGo(false, 2, &orderv1.LetGoUnits{Sku: "hat", Units: 5}), "generation 3 top-up 1: hat 3", 4,
		},
		"what it got on top before counts": {
			[]*campaignv1.Desired{desired(3, hats(10))}, letGo(false, 2, &orderv1.LetGoUnits{Sku: "hat", Units: 5}), "generation 3 top-up 1: hat 5", 0,
		},
		"a generation that wants fewer gets none": {
			[]*campaignv1.Desired{desired(3, hats(2))}, letGo(false, 2, &orderv1.LetGoUnits{Sku: "hat", Units: 5}), "nothing", 7,
		},
		"a refused generation gets none": {
			[]*campaignv1.Desired{desired(3, hats(11))}, letGo(false, 2, &orderv1.LetGoUnits{Sku: "hat", Units: 5}), "nothing", 7,
		},
		"units let go under the newest generation stay in the pool": {
			nil, letGo(false, 2, &orderv1.LetGoUnits{Sku: "hat", Units: 5}), "nothing", 7,
		},
		"a drained campaign gets none": {
			[]*campaignv1.Desired{desired(3, hats(8))}, letGo(true, 2, &orderv1.LetGoUnits{Sku: "hat", Units: 8}), "nothing", 10,
		},
		"a closed campaign gets none": {
			[]*campaignv1.Desired{desired(3, hats(8)), desired(4, hats(8), closed)}, letGo(false, 2, &orderv1.LetGoUnits{Sku: "hat", Units: 5}), "nothing", 7,
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			p := pool()
			for _, d := range append([]*campaignv1.Desired{desired(1, hats(8)), desired(2, hats(3))}, c.then...) {
				answer(p, stock.Open, d)
			}
			got := "nothing"
			for _, f := range p.Release(c.letGo, "lane/0/7/0", noon) {
				p.Fold(f)
				if a, ok := f.(*brandv1.StockAllocated); ok {
					got = fmt.Sprintf("generation %d top-up %d:%s", a.GetGeneration(), a.GetTopUp(), units(a.GetAdd()))
					if want := desired(0).GetLane(); !proto.Equal(a.GetLane(), want) {
						t.Errorf("the lane is %v, want %v", a.GetLane(), want)
					}
				}
			}
			if got != c.want || p.Items["hat"].Free() != c.free {
				t.Errorf("got %q and %d hats free, want %q and %d", got, p.Items["hat"].Free(), c.want, c.free)
			}
			for _, f := range p.Release(c.letGo, "lane/0/7/0", noon) {
				t.Errorf("the same event again led to %v", f)
			}
		})
	}
}

// lane is what the ledger of the order service makes of the pool's answers, as
// far as one SKU goes. Busy units are held or sold and cannot be let go.
type lane struct {
	units, busy, topUps int64
	given, answered     int64
	newest, good        *campaignv1.Desired
	unanswered          map[int64]*campaignv1.Desired
	said                []*orderv1.StockLetGo
}

func (l *lane) want(d *campaignv1.Desired) {
	if d.GetGeneration() <= l.newest.GetGeneration() {
		return
	}
	l.newest = d
	if l.given == d.GetGeneration() {
		l.good = d
	} else if l.answered < d.GetGeneration() {
		l.unanswered[d.GetGeneration()] = d
	}
	l.lower()
}

func (l *lane) hear(fact proto.Message) {
	switch f := fact.(type) {
	case *brandv1.StockRefused:
		l.answered = max(l.answered, f.GetGeneration())
	case *brandv1.StockAllocated:
		again := f.GetTopUp() == 0 && f.GetGeneration() <= l.answered || f.GetTopUp() > 0 && f.GetTopUp() <= l.topUps
		if again {
			return
		}
		l.topUps = max(l.topUps, f.GetTopUp())
		l.answered, l.given = max(l.answered, f.GetGeneration()), max(l.given, f.GetGeneration())
		if d, ok := l.unanswered[f.GetGeneration()]; ok {
			l.good = d
		}
		for _, u := range f.GetAdd() {
			l.units += u.GetUnits()
		}
	}
	l.lower()
}

func (l *lane) lower() {
	if l.good.GetGeneration() < l.given {
		return
	}
	if n := min(l.units-l.busy, l.units-l.wanted()); n > 0 {
		l.units -= n
		l.said = append(l.said, letGo(false, l.good.GetGeneration(), &orderv1.LetGoUnits{Sku: "a", Units: n}))
	}
}

func (l *lane) wanted() int64 {
	if items := l.good.GetItems(); len(items) > 0 {
		return items[0].GetUnits()
	}
	return 0
}

// talk is a pool and a lane that hear each other late, and some things twice.
type talk struct {
	pool       *stock.Pool
	lane       lane
	desired    []*campaignv1.Desired
	told       []proto.Message // the pool's answers
	heardTold  int             // by the lane
	heardSaid  int             // of what the lane said, by the pool
	generation int64
}

// TestPoolAndLaneAgreeInTheEnd lowers and raises a campaign while either side
// hears the other late: when all has been heard, both count the same units, and
// the sale has what its generation wants.
func TestPoolAndLaneAgreeInTheEnd(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := &talk{pool: &stock.Pool{}, lane: lane{unanswered: map[int64]*campaignv1.Desired{}}}
		w.pool.Take([]stock.Goods{{SKU: "a", Settlement: 100, Units: 30}})
		t.Repeat(map[string]func(*rapid.T){
			"edit":              w.edit,
			"ask again":         w.askAgain,
			"lane hears wish":   func(t *rapid.T) { w.laneHearsWish(rapid.IntRange(0, len(w.desired)).Draw(t, "wish")) },
			"lane hears answer": func(*rapid.T) { w.laneHearsAnswer() },
			"lane hears again":  w.laneHearsAgain,
			"pool hears":        func(*rapid.T) { w.poolHears() },
			"buyers":            func(t *rapid.T) { w.lane.busy = rapid.Int64Range(0, w.lane.units).Draw(t, "busy"); w.lane.lower() },
		})
		w.settle(t)
		if given := w.pool.Campaigns["sale"].Given["a"]; given != w.lane.units {
			t.Fatalf("the pool says that the campaign has %d, the lane has %d", given, w.lane.units)
		}
		if w.lane.good.GetGeneration() < w.lane.given {
			return // the lane was never told of the generation that it has the stock of
		}
		if want := max(w.lane.wanted(), w.lane.busy); w.lane.units != want {
			t.Fatalf("generation %d wants %d and %d are busy; the lane has %d", w.lane.good.GetGeneration(), w.lane.wanted(), w.lane.busy, w.lane.units)
		}
	})
}

// askAgain wants the same under a higher generation.
func (w *talk) askAgain(t *rapid.T) {
	if len(w.desired) == 0 {
		return
	}
	w.generation += rapid.Int64Range(1, 5).Draw(t, "generations")
	d := proto.CloneOf(w.desired[len(w.desired)-1])
	d.Generation = w.generation
	w.desired = append(w.desired, d)
	w.tell(w.pool.Allocate(stock.Open, d, noon))
}

func (w *talk) edit(t *rapid.T) {
	w.generation += rapid.Int64Range(1, 5).Draw(t, "generations")
	d := desired(w.generation, item("a", rapid.Int64Range(0, 35).Draw(t, "units"), 100))
	w.desired = append(w.desired, d)
	w.tell(w.pool.Allocate(stock.Open, d, noon))
}

func (w *talk) tell(facts []proto.Message) {
	for _, f := range facts {
		w.pool.Fold(f)
	}
	w.told = append(w.told, facts...)
}

func (w *talk) laneHearsWish(n int) {
	if n < len(w.desired) {
		w.lane.want(w.desired[n])
	}
}

func (w *talk) laneHearsAnswer() {
	if w.heardTold < len(w.told) {
		w.lane.hear(w.told[w.heardTold])
		w.heardTold++
	}
}

// laneHearsAgain lets another reader begin at an older offset.
func (w *talk) laneHearsAgain(t *rapid.T) {
	w.heardTold = rapid.IntRange(0, w.heardTold).Draw(t, "offset")
}

func (w *talk) poolHears() {
	if w.heardSaid < len(w.lane.said) {
		w.tell(w.pool.Release(w.lane.said[w.heardSaid], fmt.Sprintf("lane/0/%d/0", w.heardSaid), noon))
		w.heardSaid++
	}
}

// settle edits a last time and lets everything be heard.
func (w *talk) settle(t *rapid.T) {
	w.edit(t)
	for n := 0; w.heardTold < len(w.told) || w.heardSaid < len(w.lane.said) || n <= len(w.desired); n++ {
		w.laneHearsWish(n)
		w.laneHearsAnswer()
		w.poolHears()
		if n > 10_000 {
			t.Fatal("pool and lane never come to rest")
		}
	}
}
