package campaign

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
	"github.com/qingcang/qingcang/operators/campaign/internal/stock"
)

// The limits of spec.items, as admission has them.
const (
	maxItems    = 1_000
	maxUnits    = 1_000_000
	maxPriceFen = 100_000_000
	wholeBps    = 10_000
)

// maxNamed bounds how many styles or SKUs a message names.
const maxNamed = 5

// selecting tells whether the goods are still to be resolved.
func selecting(c *v1alpha1.Campaign) bool { return len(c.Spec.Items) == 0 && c.Spec.Selector != nil }

// resolve makes a list of goods of a selector, or says why there is none yet.
func resolve(c *v1alpha1.Campaign, v stock.View) ([]v1alpha1.Item, verdict) {
	switch missing := stylesMissing(c.Spec.Selector, v); {
	case !v.Known:
		return nil, pending("the brand's stock is being read")
	case v.Standing == stock.Absent:
		return nil, no(v1alpha1.ReasonUnknownBrand, "there is no approved brand "+c.Spec.BrandID+": have it approved, or make another Campaign with the right spec.brandId")
	case len(missing) > 0:
		return nil, no(v1alpha1.ReasonStyleNotFound, fmt.Sprintf(
			"the brand has no approved stock of %s: correct spec.selector.styles, or have it approved", named(missing)))
	}
	var items []v1alpha1.Item
	for _, g := range v.Goods {
		if price, ok := priced(g, c.Spec.Selector.Price, int64(c.Spec.CommissionBps)); ok && chosen(g, c) {
			items = append(items, v1alpha1.Item{
				SKU: g.SKU, PriceFen: price, SettlementFen: g.SettlementFen,
				Units: min(g.FreeUnits, cmp.Or(c.Spec.Selector.MaxUnitsPerSKU, maxUnits), maxUnits),
			})
		}
	}
	switch {
	case len(items) == 0:
		return nil, no(v1alpha1.ReasonNothingSelected,
			"no goods of the brand's approved stock fit spec.selector, have free units and can bear its price: change it, or have more approved")
	case len(items) > maxItems:
		return nil, no(v1alpha1.ReasonTooMuchSelected, fmt.Sprintf(
			"%d SKUs fit spec.selector and a campaign has at most %d: narrow it, or make several campaigns", len(items), maxItems))
	}
	return items, pending(fmt.Sprintf("%d SKUs fit spec.selector and are being written to spec.items", len(items)))
}

// stylesMissing are the styles of a selector of which nothing is approved.
func stylesMissing(s *v1alpha1.Selector, v stock.View) []string {
	return slices.DeleteFunc(slices.Clone(s.Styles), func(style string) bool {
		return slices.ContainsFunc(v.Goods, func(g stock.Goods) bool { return g.Style == style })
	})
}

// chosen tells whether a selector takes goods of a price that they can bear.
func chosen(g stock.Goods, c *v1alpha1.Campaign) bool {
	s := c.Spec.Selector
	among := func(list []string, name string) bool { return len(list) == 0 || slices.Contains(list, name) }
	return g.FreeUnits > 0 && among(s.Styles, g.Style) && among(s.Seasons, g.Season) && among(s.Categories, g.Category) &&
		goodEnough(g, c.Spec.Admission)
}

// goodEnough tells whether trial users gave a style what a campaign asks for.
func goodEnough(g stock.Goods, a v1alpha1.Admission) bool {
	return a.MinTrialIndexTenths == 0 || g.TrialIndexTenths >= a.MinTrialIndexTenths
}

// priced is what goods cost under a rule, never under settlement plus commission. It is false where that
// would be over the tag price.
func priced(g stock.Goods, rule v1alpha1.PriceRule, commissionBps int64) (fen int64, ok bool) {
	multiple := max(rule.RoundUpToFen, 1)
	price := up(up(g.TagPriceFen*int64(rule.TagBps), wholeBps)/wholeBps, multiple)
	if commissionBps < wholeBps {
		rest := wholeBps - commissionBps // what is left of the price for the brand
		price = max(price, up(up(g.SettlementFen*wholeBps, rest)/rest, multiple))
	} else if g.SettlementFen > 0 {
		return 0, false
	}
	return price, price > 0 && price <= g.TagPriceFen && price <= maxPriceFen
}

// up rounds up to a multiple.
func up(n, multiple int64) int64 { return (n + multiple - 1) / multiple * multiple }

// selected is what is to be said of the goods.
func (f facts) selected() verdict {
	switch {
	case f.selection != nil:
		return *f.selection
	case f.campaign.Spec.Selector != nil:
		return yes(v1alpha1.ReasonResolved, fmt.Sprintf("spec.items has the %d SKUs that fitted spec.selector", len(f.campaign.Spec.Items)))
	default:
		return yes(v1alpha1.ReasonListed, "spec.items was written by hand")
	}
}

// untried names the goods that trial users have not found good enough.
func untried(c *v1alpha1.Campaign, v stock.View) []string {
	var skus []string
	for _, g := range v.Goods {
		if !goodEnough(g, c.Spec.Admission) {
			skus = append(skus, fmt.Sprintf("%s of style %s (%s)", g.SKU, g.Style, score(g.TrialIndexTenths)))
		}
	}
	return skus
}

func score(tenths int32) string {
	if tenths == stock.Untried {
		return "not tried"
	}
	return fmt.Sprintf("%d.%d", tenths/10, tenths%10)
}

// named lists at most maxNamed: "A, B and 7 more".
func named(all []string) string {
	if len(all) <= maxNamed {
		return strings.Join(all, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(all[:maxNamed], ", "), len(all)-maxNamed)
}

func bySKU(g stock.Goods, sku string) int { return strings.Compare(g.SKU, sku) }
