package ledger

import (
	"maps"
	"slices"
)

// RetiredCampaigns returns the uids of the campaigns that have left the ledger,
// sorted.
func (l *Ledger) RetiredCampaigns() []string { return slices.Sorted(maps.Keys(l.retired)) }
