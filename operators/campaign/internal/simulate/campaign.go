package simulate

// CampaignOutcome is what a programme can cost over one campaign.
type CampaignOutcome struct {
	Name  string        `json:"name"`
	Items []ItemOutcome `json:"items"`
	// At is the sum of all items at each rank and depth.
	At []Outcome `json:"at"`
	// Worst has each item sold by the owners who get most for it; it names no rank, because these may
	// differ by a fen of rounding.
	Worst Split `json:"worst"`
	// WorstPayoutFen is what owners get then.
	WorstPayoutFen int64 `json:"worstPayoutFen"`
	// CommissionFen is the whole commission. Owners get it until store-owner obeys ranks.
	CommissionFen int64 `json:"commissionFen"`
	// Losing are the SKUs with which the platform's part can be under 0.
	Losing []string `json:"losing"`
}

// over reckons a programme over a campaign.
func over(c Campaign, ranks []Rank, depth int) CampaignOutcome {
	out := CampaignOutcome{Name: c.Name, Losing: []string{}}
	for _, item := range c.Items {
		at := outcomes(item, c.CommissionBps, ranks, depth)
		most := worst(at)
		out.Items = append(out.Items, ItemOutcome{SKU: item.SKU, Units: item.Units, At: at, Worst: most})
		out.At = sum(out.At, at)
		out.Worst = out.Worst.plus(most.Split)
		out.CommissionFen += commission(item, item.Units, c.CommissionBps)
		if losing(item, c.CommissionBps, ranks, depth) {
			out.Losing = append(out.Losing, item.SKU)
		}
	}
	out.WorstPayoutFen = out.Worst.PayoutFen()
	return out
}

// losing tells whether the platform's part of an item can be under 0. Units may be added while a campaign
// runs, and a loss that rounding hides in few of them shows in as many as there can be.
func losing(item Item, commissionBps int64, ranks []Rank, depth int) bool {
	item.Units = maxUnits
	return worst(outcomes(item, commissionBps, ranks, depth)).PlatformFen < 0
}

// sum adds an item's outcomes to those of the items before, rank by rank.
func sum(before, item []Outcome) []Outcome {
	if before == nil {
		return append([]Outcome(nil), item...)
	}
	for i := range before {
		before[i].Split = before[i].plus(item[i].Split)
		before[i].TotalPayoutFen = before[i].PayoutFen()
	}
	return before
}
