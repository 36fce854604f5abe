package story

import (
	"context"
	"strings"
	"time"

	"github.com/qingcang/qingcang/hack/internal/campaigns"
)

// manifest is the story's campaign, which opens at once.
func (t *story) manifest() campaigns.Campaign {
	c := campaigns.Campaign{
		Name: storyCampaign, BrandID: t.brand.ID, Title: "Autumn clearance", CommissionBps: commissionBps,
		Start: time.Now(), End: time.Now().Add(time.Hour), BuyerLimitUnits: 4,
		Hold: hold, ReturnWindow: window, ReturnsFromSigning: true,
	}
	for _, g := range t.goods {
		c.Items = append(c.Items, campaigns.Item{SKU: g.sku, PriceFen: g.priceFen, SettlementFen: g.settlementFen, Units: g.units})
	}
	return c
}

func (t *story) wrongCampaigns(ctx context.Context) error {
	t.Tells("kubectl apply: a campaign that is wrong in itself is refused by the API server; one that the brand's stock does not carry is not ready")
	backwards := t.manifest()
	backwards.Name, backwards.End = "ends-before-it-starts", backwards.Start.Add(-time.Hour)
	err := t.desk.Apply(ctx, backwards)
	if err := t.Expect(err != nil && strings.Contains(err.Error(), "endAt"), "refused: %s", reason(err)); err != nil {
		return err
	}
	cheap := t.manifest()
	cheap.Name, cheap.Items[0].PriceFen = "price-too-low", cheap.Items[0].SettlementFen
	err = t.desk.Apply(ctx, cheap)
	if err := t.Expect(err != nil && strings.Contains(err.Error(), "priceFen"), "refused: %s", reason(err)); err != nil {
		return err
	}
	wrong := map[string]func(*campaigns.Campaign){
		"SettlementTooLow": func(c *campaigns.Campaign) { c.Items[0].SettlementFen-- },
		"NotEnoughStock":   func(c *campaigns.Campaign) { c.Items[0].Units = 1_000_000 },
		"UnknownSKU":       func(c *campaigns.Campaign) { c.Items[0].SKU = "6900000000000" },
	}
	var all []campaigns.Campaign
	var names []string
	for _, why := range []string{"SettlementTooLow", "NotEnoughStock", "UnknownSKU"} {
		c := t.manifest()
		c.Name = "wrong-" + strings.ToLower(why)
		wrong[why](&c)
		all, names = append(all, c), append(names, c.Name)
	}
	if err := t.desk.Apply(ctx, all...); err != nil {
		return err
	}
	waiting, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	seen, err := t.desk.Await(waiting, "refused", names, func(s campaigns.Status) bool {
		return s.Ready.Status == "False" && s.Ready.Reason != "Pending"
	})
	if err != nil {
		return err
	}
	for why := range wrong {
		s := seen["wrong-"+strings.ToLower(why)]
		if err := t.Expect(s.Ready.Reason == why && s.Units == 0, "Ready=False %s: %s", s.Ready.Reason, s.Ready.Message); err != nil {
			return err
		}
	}
	_, err = t.desk.Kubectl(ctx, "", append([]string{"--namespace", t.desk.Namespace, "delete", "campaign", "--timeout=30s"}, names...)...)
	return err
}

// reason is kubectl's complaint without its first words.
func reason(err error) string {
	if err == nil {
		return "it was taken"
	}
	text := err.Error()
	if i := strings.Index(text, "is invalid: "); i >= 0 {
		text = text[i+len("is invalid: "):]
	}
	return text
}

func (t *story) rightCampaign(ctx context.Context) error {
	t.Tells("kubectl apply -f the campaign; it goes live")
	if err := t.desk.Apply(ctx, t.manifest()); err != nil {
		return err
	}
	waiting, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	seen, err := t.desk.Await(waiting, "Live", []string{storyCampaign}, campaigns.InPhase("Live"))
	if err != nil {
		return err
	}
	t.uid = seen[storyCampaign].UID
	if err := t.printCampaigns(ctx); err != nil {
		return err
	}
	return t.Expect(seen[storyCampaign].Ready.Status == "True" && seen[storyCampaign].Left == 11, "it is Live and Ready with %d units", seen[storyCampaign].Left)
}

// printCampaigns shows what operations see.
func (t *story) printCampaigns(ctx context.Context) error {
	table, err := t.desk.Kubectl(ctx, "", "--namespace", t.desk.Namespace, "get", "campaigns")
	for line := range strings.Lines(table) {
		t.Sees("%s", strings.TrimRight(line, "\n"))
	}
	return err
}

func (t *story) saleEnds(ctx context.Context) error {
	t.Tells("The sale ends: Draining, AfterSale, Settled; unsold units are back in the brand's pool")
	if err := t.desk.EndNow(ctx, storyCampaign); err != nil {
		return err
	}
	waiting, cancel := context.WithTimeout(ctx, 2*deadline)
	defer cancel()
	seen, err := t.desk.Await(waiting, "Settled", []string{storyCampaign}, campaigns.InPhase("Settled"))
	if err != nil {
		return err
	}
	if err := t.printCampaigns(ctx); err != nil {
		return err
	}
	if err := t.Expect(seen[storyCampaign].Phase == "Settled" && seen[storyCampaign].Sold == 4, "the campaign is Settled, %d units sold", seen[storyCampaign].Sold); err != nil {
		return err
	}
	return soon(ctx, t.unsoldAreBack)
}

// unsoldAreBack checks the pool: only what was sold is still allocated.
func (t *story) unsoldAreBack(ctx context.Context) error {
	stock, err := t.brand.Stock(ctx)
	if err != nil {
		return err
	}
	allocated, sold := int64(0), int64(0)
	for _, item := range stock {
		allocated, sold = allocated+item.AllocatedUnits, sold+item.SoldUnits
	}
	if allocated != 4 || sold != 4 {
		return t.Expect(false, "%d units are still allocated and %d sold", allocated, sold)
	}
	return t.Expect(true, "4 units were sold, all others are free again")
}
