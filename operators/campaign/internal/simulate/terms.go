package simulate

import (
	"errors"
	"fmt"
	"time"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
)

// Item is one SKU on sale.
type Item struct {
	SKU                            string
	PriceFen, SettlementFen, Units int64
}

// Campaign is what of a campaign decides about money.
type Campaign struct {
	Name          string
	CommissionBps int64
	Start, End    time.Time
	Items         []Item
}

// Rank is what of a rank decides about money.
type Rank struct {
	Name                    string
	RateBps, SecondLevelBps int64
}

// The limits of admission, which keep every product below within an int64: 10^8 fen × 10^6 units × 10^4
// basis points are 10^18.
const (
	maxPriceFen = 100_000_000
	maxUnits    = 1_000_000
	maxItems    = 1_000
	maxRanks    = 10
	// maxSecondBps is the most of a commission that the owner gets who brought the seller.
	maxSecondBps = 5_000
)

// maxWorthFen bounds what the goods of all campaigns are worth together; one at all of the limits above is
// worth 10^17. No part of a split is over that, so that every sum stays within an int64, 9 × 10^18.
const maxWorthFen = 2_000_000_000_000_000_000

// worthFen is what a campaign's goods cost or what is owed for them, whichever is more.
func (c Campaign) worthFen() (sum int64) {
	for _, i := range c.Items {
		sum += max(i.PriceFen, i.SettlementFen) * i.Units
	}
	return sum
}

// summable refuses campaigns whose sum may not be a number here.
func summable(campaigns []Campaign) error {
	var sum int64
	for _, c := range campaigns {
		if sum += c.worthFen(); sum > maxWorthFen {
			return fmt.Errorf("the goods of all campaigns are worth over ¥%s: give fewer campaigns", Yuan(maxWorthFen))
		}
	}
	return nil
}

// campaignOf reads a Campaign and names everything in it that cannot be reckoned with.
func campaignOf(c *v1alpha1.Campaign) (Campaign, error) {
	schedule, err := c.Spec.Schedule()
	faults := []error{err}
	out := Campaign{Name: c.Name, CommissionBps: int64(c.Spec.CommissionBps), Start: schedule.Start, End: schedule.End}
	faults = append(faults, within("commissionBps", out.CommissionBps, 0, wholeBps), within("the number of items", int64(len(c.Spec.Items)), 1, maxItems))
	for _, i := range c.Spec.Items {
		faults = append(faults,
			within("priceFen of item "+i.SKU, i.PriceFen, 1, maxPriceFen),
			within("settlementFen of item "+i.SKU, i.SettlementFen, 0, maxPriceFen),
			within("units of item "+i.SKU, i.Units, 0, maxUnits))
		out.Items = append(out.Items, Item{SKU: i.SKU, PriceFen: i.PriceFen, SettlementFen: i.SettlementFen, Units: i.Units})
	}
	if len(c.Spec.Items) == 0 && c.Spec.Selector != nil {
		faults = append(faults, errors.New("its selector is not resolved yet: give the campaign as the cluster has it, with --campaign"))
	}
	if err := errors.Join(faults...); err != nil {
		return Campaign{}, fmt.Errorf("campaign %s: %w", c.Name, err)
	}
	return out, nil
}

// ranksOf reads a programme's ranks.
func ranksOf(p *v1alpha1.OwnerProgram) ([]Rank, error) {
	faults := []error{within("the number of ranks", int64(len(p.Spec.Ranks)), 1, maxRanks)}
	out := make([]Rank, 0, len(p.Spec.Ranks))
	for i, r := range p.Spec.Rewards {
		faults = append(faults, unpaid(at("rewards", i), r))
	}
	for _, r := range p.Spec.Ranks {
		faults = append(faults,
			within("rateBps of rank "+r.Name, int64(r.RateBps), 0, wholeBps),
			within("secondLevelBps of rank "+r.Name, int64(r.SecondLevelBps), 0, maxSecondBps),
			within("rateBps and secondLevelBps together of rank "+r.Name, int64(r.RateBps)+int64(r.SecondLevelBps), 0, wholeBps))
		out = append(out, Rank{Name: r.Name, RateBps: int64(r.RateBps), SecondLevelBps: int64(r.SecondLevelBps)})
	}
	if err := errors.Join(faults...); err != nil {
		return nil, fmt.Errorf("programme %s: %w", p.Name, err)
	}
	return out, nil
}

// unpaid names a reward that no rule of law forbids and that admission refuses all the same. To leave it
// out would make a programme look cheaper than it was meant.
func unpaid(field string, r v1alpha1.Reward) error {
	switch r.For {
	case v1alpha1.ForRecruit, v1alpha1.ForFee, v1alpha1.ForTeamSales: // a breach
		return nil
	case v1alpha1.ForSale:
		return fmt.Errorf("%s is for own sales, which ranks[].rateBps pays: take it out and set the rate there", field)
	default:
		return fmt.Errorf("%s.for is %q, not Sale, Recruit, Fee or TeamSales", field, r.For)
	}
}

func within(what string, value, least, most int64) error {
	if value < least || value > most {
		return fmt.Errorf("%s is %d, not %d to %d", what, value, least, most)
	}
	return nil
}
