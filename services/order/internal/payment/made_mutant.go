//go:build mutant_abnormal_is_made

package payment

// made takes an abnormal refund for one that was made, on purpose: the books
// close over money that nobody has.
func made(s RefundState) bool { return s == RefundMade || s == RefundAbnormal }
