package simulate

// Outcome is the split of goods when all units are sold over links of owners of one rank.
type Outcome struct {
	Rank string `json:"rank"`
	// Depth is how many owners share the commission: 1, or 2 with the owner who brought the seller.
	Depth int `json:"depth"`
	Split
	// TotalPayoutFen is what owners get together.
	TotalPayoutFen int64 `json:"payoutFen"`
}

// ItemOutcome is an item's split at each rank and depth.
type ItemOutcome struct {
	SKU   string `json:"sku"`
	Units int64  `json:"units"`
	// At is in the order of the ranks, and of depths within a rank.
	At []Outcome `json:"at"`
	// Worst pays owners most.
	Worst Outcome `json:"worst"`
}

// outcomes are the splits of an item at every rank and depth up to the programme's.
func outcomes(item Item, commissionBps int64, ranks []Rank, depth int) []Outcome {
	var out []Outcome
	for _, rank := range ranks {
		for level := 1; level <= depth; level++ {
			at := rates{own: rank.RateBps}
			if level > 1 {
				at.second = rank.SecondLevelBps
			}
			split := line(item, item.Units, commissionBps, at)
			out = append(out, Outcome{Rank: rank.Name, Depth: level, Split: split, TotalPayoutFen: split.PayoutFen()})
		}
	}
	return out
}

// worst is the outcome that pays most; of equals the first, because an owner reaches the first rank soonest.
func worst(all []Outcome) Outcome {
	most := all[0]
	for _, o := range all[1:] {
		if o.TotalPayoutFen > most.TotalPayoutFen {
			most = o
		}
	}
	return most
}
