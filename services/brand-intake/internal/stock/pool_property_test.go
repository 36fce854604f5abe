package stock_test

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	brandv1 "github.com/qingcang/qingcang/proto/gen/brand/v1"
	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
	orderv1 "github.com/qingcang/qingcang/proto/gen/order/v1"
	"github.com/qingcang/qingcang/services/brand-intake/internal/stock"
)

// world is the pool and an own count of where every unit is.
type world struct {
	pool       *stock.Pool
	approved   map[string]int64
	given      map[string]map[string]int64 // campaign, SKU
	generation map[string]int64
	offset     int
}

// TestNoUnitIsWithTwoCampaigns plays random submissions, generations and
// releases, good ones and lies, and counts the units from the facts alone.
func TestNoUnitIsWithTwoCampaigns(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := &world{pool: &stock.Pool{}, approved: map[string]int64{}, given: map[string]map[string]int64{}, generation: map[string]int64{}}
		t.Repeat(map[string]func(*rapid.T){
			"take":     w.take,
			"allocate": w.allocate,
			"release":  w.release,
			"":         w.check,
		})
	})
}

var (
	skus      = rapid.SampledFrom([]string{"a", "b", "c"})
	campaigns = rapid.SampledFrom([]string{"one", "two", "three"})
)

func (w *world) take(t *rapid.T) {
	sku, n := skus.Draw(t, "sku"), rapid.Int64Range(1, 50).Draw(t, "units")
	w.pool.Take([]stock.Goods{{SKU: sku, Settlement: 100, Units: n}})
	w.approved[sku] += n
}

func (w *world) allocate(t *rapid.T) {
	uid := campaigns.Draw(t, "campaign")
	w.generation[uid] += rapid.Int64Range(0, 2).Draw(t, "generations") // 0 asks again
	d := &campaignv1.Desired{Uid: uid, BrandId: "brand", Generation: w.generation[uid], Closed: rapid.IntRange(0, 9).Draw(t, "closed") == 0}
	for range rapid.IntRange(1, 4).Draw(t, "items") {
		d.Items = append(d.Items, &campaignv1.Item{Sku: skus.Draw(t, "sku"), Units: rapid.Int64Range(0, 40).Draw(t, "units"), SettlementFen: 100})
	}
	standing := rapid.SampledFrom([]stock.Standing{stock.Open, stock.Open, stock.Barred, stock.Absent}).Draw(t, "standing")
	answers := 0
	for _, f := range w.pool.Allocate(standing, d, noon) {
		w.pool.Fold(f)
		switch f := f.(type) {
		case *brandv1.StockRefused:
			answers++
		case *brandv1.StockAllocated:
			answers++
			if standing != stock.Open && len(f.GetAdd()) > 0 {
				t.Fatalf("a brand of standing %d gave %s", standing, units(f.GetAdd()))
			}
			w.move(uid, f.GetAdd(), +1)
		}
	}
	if answers > 1 {
		t.Fatalf("%d answers to one generation", answers)
	}
}

func (w *world) release(t *rapid.T) {
	uid := campaigns.Draw(t, "campaign")
	w.offset += rapid.IntRange(0, 1).Draw(t, "new") // 0 repeats the cause
	e := &orderv1.StockLetGo{CampaignUid: uid, BrandId: "brand", Drained: rapid.IntRange(0, 4).Draw(t, "drained") == 0}
	for range rapid.IntRange(0, 3).Draw(t, "lines") {
		e.Units = append(e.Units, &orderv1.LetGoUnits{Sku: skus.Draw(t, "sku"), Units: rapid.Int64Range(-5, 60).Draw(t, "units")})
	}
	cause := fmt.Sprintf("lane/0/%d/0", w.offset)
	for range 2 { // a cause that comes twice
		for _, f := range w.pool.Release(e, cause, noon) {
			w.pool.Fold(f)
			switch f := f.(type) {
			case *brandv1.StockReleased:
				w.move(uid, f.GetUnits(), -1)
			case *brandv1.StockAllocated:
				w.move(uid, f.GetAdd(), +1)
			}
		}
	}
}

func (w *world) move(uid string, units []*brandv1.AllocatedUnits, sign int64) {
	if w.given[uid] == nil {
		w.given[uid] = map[string]int64{}
	}
	for _, u := range units {
		w.given[uid][u.GetSku()] += sign * u.GetUnits()
	}
}

func (w *world) check(t *rapid.T) {
	for sku, approved := range w.approved {
		item, given := w.pool.Items[sku], int64(0)
		for uid, of := range w.given {
			if of[sku] < 0 {
				t.Fatalf("campaign %s has %d of %s", uid, of[sku], sku)
			}
			given += of[sku]
		}
		if item.Approved != approved || item.Allocated != given || item.Allocated+item.Free() != item.Approved {
			t.Fatalf("%s: approved %d, allocated %d, free %d; counted %d approved, %d given", sku, item.Approved, item.Allocated, item.Free(), approved, given)
		}
		if item.Free() < 0 {
			t.Fatalf("%s: %d free", sku, item.Free())
		}
	}
}
