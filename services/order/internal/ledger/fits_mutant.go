//go:build mutant_oversell

package ledger

// fits oversells by one unit, on purpose: see fits.go.
func fits(units, free int64) bool { return units <= free+1 }
