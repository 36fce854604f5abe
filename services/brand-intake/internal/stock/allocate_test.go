package stock_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	brandv1 "github.com/qingcang/qingcang/proto/gen/brand/v1"
	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
	orderv1 "github.com/qingcang/qingcang/proto/gen/order/v1"
	"github.com/qingcang/qingcang/services/brand-intake/internal/stock"
	"github.com/qingcang/qingcang/services/internal/money"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// pool has 100 shirts at ¥59.90 and 10 hats at ¥20.00.
func pool() *stock.Pool {
	p := &stock.Pool{}
	p.Take([]stock.Goods{{SKU: "shirt", Settlement: 5990, Units: 100}, {SKU: "hat", Settlement: 2000, Units: 10}})
	return p
}

type edit func(*campaignv1.Desired)

func desired(generation int64, edits ...edit) *campaignv1.Desired {
	d := &campaignv1.Desired{
		Uid: "sale", BrandId: "brand_a", Generation: generation, Lane: &campaignv1.Lane{Topic: "lanes.shared.v1", Partition: 2},
	}
	for _, e := range edits {
		e(d)
	}
	return d
}

func item(sku string, units, settlementFen int64) edit {
	return func(d *campaignv1.Desired) {
		d.Items = append(d.Items, &campaignv1.Item{Sku: sku, Units: units, SettlementFen: settlementFen, PriceFen: settlementFen * 2})
	}
}

func uid(uid string) edit { return func(d *campaignv1.Desired) { d.Uid = uid } }

func closed(d *campaignv1.Desired) { d.Closed = true }

// answer allocates, folds, and says in one line what was decided.
func answer(p *stock.Pool, standing stock.Standing, d *campaignv1.Desired) string {
	facts := p.Allocate(standing, d, noon)
	for _, f := range facts {
		p.Fold(f)
	}
	for _, f := range facts {
		switch f := f.(type) {
		case *brandv1.StockAllocated:
			return "given" + units(f.GetAdd())
		case *brandv1.StockRefused:
			return f.GetReason()
		}
	}
	return "nothing"
}

func units(list []*brandv1.AllocatedUnits) string {
	var b strings.Builder
	for _, u := range list {
		fmt.Fprintf(&b, " %s %d", u.GetSku(), u.GetUnits())
	}
	return b.String()
}

func TestAllocation(t *testing.T) {
	cases := map[string]struct {
		standing stock.Standing
		asks     []*campaignv1.Desired
		want     string
	}{
		"a campaign gets what it wants": {
			stock.Open, []*campaignv1.Desired{desired(1, item("shirt", 40, 5990), item("hat", 10, 2000))}, "given shirt 40 hat 10",
		},
		"a generation is answered once": {
			stock.Open, []*campaignv1.Desired{desired(1, item("shirt", 40, 5990)), desired(1, item("shirt", 40, 5990))}, "nothing",
		},
		"an older generation is not answered": {
			stock.Open, []*campaignv1.Desired{desired(3, item("shirt", 40, 5990)), desired(2, item("shirt", 90, 5990))}, "nothing",
		},
		"a raised generation gets what comes on top": {
			stock.Open, []*campaignv1.Desired{desired(1, item("shirt", 40, 5990)), desired(2, item("shirt", 55, 5990))}, "given shirt 15",
		},
		"a lowered generation gets nothing and gives nothing back yet": {
			stock.Open, []*campaignv1.Desired{desired(1, item("shirt", 40, 5990)), desired(2, item("shirt", 5, 5990))}, "given",
		},
		"an unknown brand is refused": {
			stock.Absent, []*campaignv1.Desired{desired(1, item("shirt", 1, 5990))}, stock.UnknownBrand,
		},
		"a suspended brand is refused": {
			stock.Barred, []*campaignv1.Desired{desired(1, item("shirt", 1, 5990))}, stock.BrandSuspended,
		},
		"a SKU that was never approved is refused": {
			stock.Open, []*campaignv1.Desired{desired(1, item("shoe", 1, 5990))}, stock.UnknownSKU,
		},
		"a settlement price under the brand's is refused": {
			stock.Open, []*campaignv1.Desired{desired(1, item("shirt", 1, 5989))}, stock.SettlementTooLow,
		},
		"one unit too many is refused": {
			stock.Open, []*campaignv1.Desired{desired(1, item("hat", 11, 2000))}, stock.NotEnoughStock,
		},
		"a refusal is of the whole generation": {
			stock.Open, []*campaignv1.Desired{desired(1, item("shirt", 1, 5990), item("hat", 11, 2000)), desired(2, item("shirt", 100, 5990))}, "given shirt 100",
		},
		"the same SKU twice is summed": {
			stock.Open, []*campaignv1.Desired{desired(1, item("hat", 6, 2000), item("hat", 6, 2000))}, stock.NotEnoughStock,
		},
		"a second campaign gets only what the first left": {
			stock.Open, []*campaignv1.Desired{desired(1, item("hat", 7, 2000)), desired(1, uid("other"), item("hat", 4, 2000))}, stock.NotEnoughStock,
		},
		"a campaign that is closed before any allocation gets nothing": {
			stock.Open, []*campaignv1.Desired{desired(1, closed, item("shirt", 40, 5990))}, "given",
		},
		"a campaign that was closed gets nothing later either": {
			stock.Open, []*campaignv1.Desired{desired(1, closed, item("shirt", 40, 5990)), desired(2, item("shirt", 40, 5990))}, "given",
		},
		"overflowing wishes are refused": {
			stock.Open, []*campaignv1.Desired{desired(1, item("shirt", 1<<62, 5990))}, stock.NotEnoughStock,
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			p, got := pool(), ""
			for _, d := range c.asks {
				got = answer(p, c.standing, d)
			}
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// TestAskingAgain has the operator ask for the same desired state under a higher generation, as it does
// when what a refusal was for may have changed. Generations jump: it also counts edits that nobody asked for.
func TestAskingAgain(t *testing.T) {
	type turn struct {
		change   func(*stock.Pool)
		standing stock.Standing
		ask      *campaignv1.Desired
	}
	hats := func(generation, units int64) *campaignv1.Desired {
		return desired(generation, item("hat", units, 2000))
	}
	more := func(units, settlement int64) func(*stock.Pool) {
		return func(p *stock.Pool) {
			p.Take([]stock.Goods{{SKU: "hat", Settlement: money.Fen(settlement), Units: units}})
		}
	}
	cases := map[string]struct {
		turns []turn
		want  string
		free  int64 // of 10 hats and those that came
	}{
		"a first generation need not be 1":             {[]turn{{nil, stock.Open, hats(1_000_000, 4)}}, "given hat 4", 6},
		"the same under a generation far above it":     {[]turn{{nil, stock.Open, hats(1, 4)}, {nil, stock.Open, hats(1<<62, 4)}}, "given", 6},
		"more under a generation far above":            {[]turn{{nil, stock.Open, hats(3, 4)}, {nil, stock.Open, hats(90, 6)}}, "given hat 2", 4},
		"a generation between two that were answered":  {[]turn{{nil, stock.Open, hats(3, 4)}, {nil, stock.Open, hats(90, 6)}, {nil, stock.Open, hats(50, 9)}}, "nothing", 4},
		"when stock came":                              {[]turn{{nil, stock.Open, hats(1, 12)}, {more(5, 2000), stock.Open, hats(2, 12)}}, "given hat 12", 3},
		"when not enough came, and when the rest came": {[]turn{{nil, stock.Open, hats(1, 12)}, {more(1, 2000), stock.Open, hats(2, 12)}, {more(1, 2000), stock.Open, hats(7, 12)}}, "given hat 12", 0},
		"when stock came, under the same generation":   {[]turn{{nil, stock.Open, hats(1, 12)}, {more(5, 2000), stock.Open, hats(1, 12)}}, "nothing", 15},
		"when the brand lowered its price":             {[]turn{{more(1, 2500), stock.Open, hats(1, 4)}, {more(1, 1900), stock.Open, hats(2, 4)}}, "given hat 4", 8},
		"when the brand was approved":                  {[]turn{{nil, stock.Absent, hats(1, 4)}, {nil, stock.Open, hats(2, 4)}}, "given hat 4", 6},
		"when the brand was taken back in":             {[]turn{{nil, stock.Barred, hats(1, 4)}, {nil, stock.Open, hats(2, 4)}}, "given hat 4", 6},
		"a raise that was refused, when stock came":    {[]turn{{nil, stock.Open, hats(1, 8)}, {nil, stock.Open, hats(2, 12)}, {more(5, 2000), stock.Open, hats(3, 12)}}, "given hat 4", 3},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			p, got := pool(), ""
			for _, turn := range c.turns {
				if turn.change != nil {
					turn.change(p)
				}
				got = answer(p, turn.standing, turn.ask)
			}
			if got != c.want || p.Items["hat"].Free() != c.free {
				t.Errorf("got %q and %d free, want %q and %d", got, p.Items["hat"].Free(), c.want, c.free)
			}
		})
	}
}

func TestAnswersNameTheLane(t *testing.T) {
	for name, d := range map[string]*campaignv1.Desired{
		"of what was given":   desired(1, item("shirt", 1, 5990)),
		"of what was refused": desired(1, item("shoe", 1, 5990)),
	} {
		t.Run(name, func(t *testing.T) {
			facts := pool().Allocate(stock.Open, d, noon)
			answer, ok := facts[len(facts)-1].(interface{ GetLane() *campaignv1.Lane })
			if !ok || !proto.Equal(answer.GetLane(), d.GetLane()) {
				t.Errorf("got %v, want the lane %v", facts, d.GetLane())
			}
		})
	}
}

func TestARunningCampaignKeepsItsTerms(t *testing.T) {
	p := pool()
	answer(p, stock.Open, desired(1, item("shirt", 40, 5990)))
	p.Take([]stock.Goods{{SKU: "shirt", Settlement: 7000, Units: 10}})
	if got := answer(p, stock.Open, desired(2, item("shirt", 40, 5990))); got != "given" {
		t.Errorf("the same units at the agreed price: %s, want them kept", got)
	}
	if got := answer(p, stock.Barred, desired(3, item("shirt", 30, 5990))); got != "given" {
		t.Errorf("fewer units of a suspended brand: %s, want them kept", got)
	}
	if got := answer(p, stock.Open, desired(4, item("shirt", 41, 5990))); got != stock.SettlementTooLow {
		t.Errorf("more units at the old price: %s, want %s", got, stock.SettlementTooLow)
	}
	if got := answer(p, stock.Open, desired(5, item("shirt", 40, 5989))); got != stock.SettlementTooLow {
		t.Errorf("a lower price than agreed: %s, want %s", got, stock.SettlementTooLow)
	}
	if got := answer(p, stock.Open, desired(6, item("shirt", 41, 7000))); got != "given shirt 1" {
		t.Errorf("more units at the new price: %s, want one more", got)
	}
}

func TestARefusalNamesAtMostFiveSKUs(t *testing.T) {
	d := desired(1)
	for n := range 9 {
		item(fmt.Sprintf("gone-%d", n), 1, 1)(d)
	}
	refused, ok := pool().Allocate(stock.Open, d, noon)[0].(*brandv1.StockRefused)
	if !ok {
		t.Fatal("not refused")
	}
	want := "gone-0, gone-1, gone-2, gone-3, gone-4 and 4 more"
	if !strings.Contains(refused.GetMessage(), want) || strings.Contains(refused.GetMessage(), "gone-5") {
		t.Errorf("got %q, want it to name %q", refused.GetMessage(), want)
	}
}

func letGo(drained bool, generation int64, units ...*orderv1.LetGoUnits) *orderv1.StockLetGo {
	return &orderv1.StockLetGo{CampaignUid: "sale", BrandId: "brand_a", Drained: drained, Generation: generation, Units: units}
}

func TestRelease(t *testing.T) {
	hats := func(n int64) *orderv1.LetGoUnits { return &orderv1.LetGoUnits{Sku: "hat", Units: n} }
	cases := map[string]struct {
		events []*orderv1.StockLetGo
		causes []string
		want   int64 // free hats of 10, 8 of which were given
	}{
		"unsold units come back":                         {[]*orderv1.StockLetGo{letGo(true, 1, hats(5))}, []string{"lane/0/7/0"}, 7},
		"one cause releases once":                        {[]*orderv1.StockLetGo{letGo(false, 2, hats(3)), letGo(false, 2, hats(3))}, []string{"lane/0/7/0", "lane/0/7/0"}, 5},
		"two causes release twice":                       {[]*orderv1.StockLetGo{letGo(false, 2, hats(3)), letGo(true, 2, hats(4))}, []string{"lane/0/7/0", "lane/0/9/0"}, 9},
		"never more comes back than was given":           {[]*orderv1.StockLetGo{letGo(true, 1, hats(6), hats(6))}, []string{"lane/0/7/0"}, 10},
		"a negative number gives nothing":                {[]*orderv1.StockLetGo{letGo(false, 1, hats(-3))}, []string{"lane/0/7/0"}, 2},
		"a sold out campaign gives nothing back":         {[]*orderv1.StockLetGo{letGo(true, 1)}, []string{"lane/0/7/0"}, 2},
		"what was never given to a campaign stays there": {[]*orderv1.StockLetGo{letGo(true, 1, &orderv1.LetGoUnits{Sku: "shirt", Units: 5})}, []string{"lane/0/7/0"}, 2},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			p := pool()
			answer(p, stock.Open, desired(1, item("hat", 8, 2000)))
			for n, e := range c.events {
				for _, f := range p.Release(e, c.causes[n], noon) {
					p.Fold(f)
				}
			}
			if got := p.Items["hat"].Free(); got != c.want {
				t.Errorf("%d hats are free, want %d", got, c.want)
			}
		})
	}
}

func TestADrainedCampaignGetsNothingAnyMore(t *testing.T) {
	p := pool()
	answer(p, stock.Open, desired(1, item("hat", 8, 2000)))
	for _, f := range p.Release(letGo(true, 1, &orderv1.LetGoUnits{Sku: "hat", Units: 5}), "lane/0/7/0", noon) {
		p.Fold(f)
	}
	if got := answer(p, stock.Open, desired(2, item("hat", 8, 2000))); got != "given" {
		t.Errorf("a generation heard late: %s, want an answer that gives nothing", got)
	}
	if got := p.Items["hat"].Free(); got != 7 {
		t.Errorf("%d hats are free, want 7", got)
	}
}
