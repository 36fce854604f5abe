//go:build !mutant_accrue_twice

package commission

// accrued reports whether the order's commission is in the wallet already. It
// stands apart so that a build with the tag mutant_accrue_twice can get it wrong.
func accrued(o *Order) bool { return o.Paid }
