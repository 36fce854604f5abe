package simulate

import (
	"maps"
	"slices"
	"time"

	_ "time/tzdata" // an admin's machine may have no time zones
)

// Month is the most that can fall on one calendar month.
type Month struct {
	// Month in Asia/Shanghai, for example 2026-11.
	Month string `json:"month"`
	// Campaigns may sell everything within this month: each is open in it.
	Campaigns []string `json:"campaigns"`
	// Worst is the sum of their worst splits.
	Worst Split `json:"worst"`
	// WorstPayoutFen is what owners have earned then.
	WorstPayoutFen int64 `json:"worstPayoutFen"`
}

// longest is over how many months a campaign is spread at the most; one that never ends would fill the page.
const longest = 36

// months gives every month each of whose campaigns could sell all its units in. A campaign that is open
// over the turn of a month stands in both: nobody knows in which it will sell.
func months(campaigns []Campaign, outcomes []CampaignOutcome) ([]Month, error) {
	zone, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		return nil, err
	}
	found := map[string]*Month{}
	for i, c := range campaigns {
		for _, name := range openIn(c.Start.In(zone), c.End.In(zone)) {
			m := found[name]
			if m == nil {
				m = &Month{Month: name}
				found[name] = m
			}
			m.Campaigns = append(m.Campaigns, c.Name)
			m.Worst = m.Worst.plus(outcomes[i].Worst)
			m.WorstPayoutFen = m.Worst.PayoutFen()
		}
	}
	out := []Month{}
	for _, name := range slices.Sorted(maps.Keys(found)) {
		out = append(out, *found[name])
	}
	return out, nil
}

// openIn are the months that have a moment from start up to, but not at, end.
func openIn(start, end time.Time) []string {
	var out []string
	first := time.Date(start.Year(), start.Month(), 1, 0, 0, 0, 0, start.Location())
	for n := range longest {
		month := first.AddDate(0, n, 0)
		if n > 0 && !month.Before(end) {
			break
		}
		out = append(out, month.Format("2006-01"))
	}
	return out
}
