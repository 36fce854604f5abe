package shelf

import (
	"slices"
	"strings"
	"time"

	brandv1 "github.com/qingcang/qingcang/proto/gen/brand/v1"
	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
)

// campaign is what is known of one sale.
type campaign struct {
	uid string
	// newest is what is wanted; nil while only the lane has spoken.
	newest *campaignv1.Desired
	// good is what the lane sells under: a generation that the brand's stock does not allow changes
	// no price. After a restart the refused one is all that the topic holds; then it is shown.
	good   *campaignv1.Desired
	status *campaignv1.Status // nil while the lane has said nothing

	items map[string]*campaignv1.Item       // of good, by SKU
	stock map[string]*campaignv1.ItemStatus // of status, by SKU
	// styles are the described items of good, by style number.
	styles []style
}

// style is one style number's SKUs in a campaign, sorted.
type style struct {
	no   string
	skus []string
}

// place is where the campaign stands in the list, by its newest desired state.
func (c *campaign) place() place {
	return place{startSeconds: c.newest.GetStartAt().GetSeconds(), uid: c.uid}
}

func (c *campaign) report(status *campaignv1.Status) {
	c.status, c.stock = status, make(map[string]*campaignv1.ItemStatus, len(status.GetItems()))
	for _, item := range status.GetItems() {
		c.stock[item.GetSku()] = item
	}
}

// follow makes the newest generation the good one if it has its stock, or if there is no better.
func (c *campaign) follow() (changed bool) {
	answer := c.status.GetAllocation()
	given := answer.GetState() == campaignv1.Allocation_STATE_ALLOCATED && answer.GetGeneration() >= c.newest.GetGeneration()
	if c.newest == nil || c.good == c.newest || c.good != nil && !given {
		return false
	}
	c.good, c.items = c.newest, make(map[string]*campaignv1.Item, len(c.newest.GetItems()))
	for _, item := range c.newest.GetItems() {
		c.items[item.GetSku()] = item
	}
	return true
}

// sells reports whether one of these goods is among the campaign's items.
func (c *campaign) sells(goods []*brandv1.Goods) bool {
	return slices.ContainsFunc(goods, func(g *brandv1.Goods) bool { return c.items[g.GetSku()] != nil })
}

// arrange sorts the described items into styles.
func (c *campaign) arrange(described map[string]Goods) {
	skus := map[string][]string{}
	for sku := range c.items {
		if goods, ok := described[sku]; ok {
			skus[goods.StyleNo] = append(skus[goods.StyleNo], sku)
		}
	}
	c.styles = make([]style, 0, len(skus))
	for no, of := range skus {
		slices.Sort(of)
		c.styles = append(c.styles, style{no: no, skus: of})
	}
	slices.SortFunc(c.styles, func(a, b style) int { return strings.Compare(a.no, b.no) })
}

// find returns where a style number stands among the styles, or would stand.
func (c *campaign) find(no string) (at int, found bool) {
	return slices.BinarySearchFunc(c.styles, no, func(s style, no string) int { return strings.Compare(s.no, no) })
}

// shown reports whether people may see the campaign: it has a brand's prices on it, which are not
// for the public before the preview.
func (c *campaign) shown(now time.Time) bool {
	return c.newest != nil && (c.newest.GetPreviewAt() == nil || !now.Before(c.newest.GetPreviewAt().AsTime()))
}
