//go:build mutant_accrue_twice

package commission

// accrued never knows, on purpose: an order that is told twice earns twice.
func accrued(*Order) bool { return false }
