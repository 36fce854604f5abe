package campaign

import (
	"fmt"
	"testing"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
	"github.com/qingcang/qingcang/operators/campaign/internal/stock"
)

func TestThePriceOfSelectedGoods(t *testing.T) {
	for name, tc := range map[string]struct {
		tagFen, settlementFen int64
		tagBps                int32
		roundUpToFen          int64
		commissionBps         int64
		want                  int64 // 0 for goods that are left out
	}{
		"a part of the tag price is rounded up":          {89_900, 10_000, 3_000, 100, 1_000, 27_000},
		"without a multiple it is rounded to the fen":    {89_999, 10_000, 3_333, 0, 1_000, 29_997},
		"it is never under settlement plus commission":   {20_000, 4_000, 1_000, 1, 1_000, 4_445},
		"that sum is rounded up alike":                   {20_000, 4_000, 1_000, 100, 1_000, 4_500},
		"what would be over the tag price is left out":   {20_000, 18_001, 5_000, 1, 1_000, 0},
		"the whole tag price is not over it":             {20_000, 18_000, 5_000, 1, 1_000, 20_000},
		"rounding over the tag price leaves out as well": {19_950, 4_000, 10_000, 100, 1_000, 0},
		"nothing is left for a brand of the whole price": {20_000, 1, 5_000, 1, 10_000, 0},
		"which may be what it wants":                     {20_000, 0, 5_000, 1, 10_000, 10_000},
		"goods for nothing are no goods":                 {0, 0, 5_000, 1, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			goods := stock.Goods{TagPriceFen: tc.tagFen, SettlementFen: tc.settlementFen}
			got, ok := priced(goods, v1alpha1.PriceRule{TagBps: tc.tagBps, RoundUpToFen: tc.roundUpToFen}, tc.commissionBps)
			if got != tc.want && ok || ok != (tc.want > 0) {
				t.Errorf("the price is %d, %t, want %d", got, ok, tc.want)
			}
		})
	}
}

func TestWhatASelectorComesTo(t *testing.T) {
	goods := func(n int, free int64) []stock.Goods {
		var list []stock.Goods
		for i := range n {
			list = append(list, stock.Goods{
				SKU: fmt.Sprintf("C%04d", i), Style: "coat", Season: "autumn", TagPriceFen: 20_000, SettlementFen: 4_000, FreeUnits: free, TrialIndexTenths: 62,
			})
		}
		return list
	}
	capped := func(c *v1alpha1.Campaign) { c.Spec.Selector.MaxUnitsPerSKU = 5 }
	winter := func(c *v1alpha1.Campaign) { c.Spec.Selector.Seasons = []string{"winter"} }
	shoes := func(c *v1alpha1.Campaign) { c.Spec.Selector.Styles = []string{"coat", "shoe"} }
	for name, tc := range map[string]struct {
		standing stock.Standing
		goods    []stock.Goods
		edits    []edit
		skus     int
		units    int64
		reason   string
	}{
		"all that fits":                            {stock.Open, goods(3, 10), nil, 3, 30, "Pending"},
		"all that a message can name":              {stock.Open, goods(maxItems, 1), nil, maxItems, maxItems, "Pending"},
		"more than a campaign has":                 {stock.Open, goods(maxItems+1, 1), nil, 0, 0, "TooMuchSelected"},
		"no more units than asked for":             {stock.Open, goods(3, 10), []edit{capped}, 3, 15, "Pending"},
		"no more units than admission takes":       {stock.Open, goods(1, 1<<40), nil, 1, maxUnits, "Pending"},
		"no goods without free units":              {stock.Open, goods(3, 0), nil, 0, 0, "NothingSelected"},
		"no goods of another season":               {stock.Open, goods(3, 10), []edit{winter}, 0, 0, "NothingSelected"},
		"no goods that were tried with less":       {stock.Open, goods(3, 10), []edit{trialIndex(70)}, 0, 0, "NothingSelected"},
		"nothing while a style is missing":         {stock.Open, goods(3, 10), []edit{shoes}, 0, 0, "StyleNotFound"},
		"nothing of a brand that was not approved": {stock.Absent, nil, nil, 0, 0, "UnknownBrand"},
	} {
		t.Run(name, func(t *testing.T) {
			c := aCampaign(append([]edit{described}, tc.edits...)...)
			items, why := resolve(c, stock.View{Known: true, Standing: tc.standing, Goods: tc.goods})
			var units int64
			for _, i := range items {
				units += i.Units
			}
			if len(items) != tc.skus || units != tc.units || why.reason != tc.reason {
				t.Errorf("it comes to %d SKUs with %d units, %s, want %d with %d, %s", len(items), units, why.reason, tc.skus, tc.units, tc.reason)
			}
		})
	}
}
