//go:build !mutant_abnormal_is_made

package payment

// made reports whether the provider says that the money is back.
func made(s RefundState) bool { return s == RefundMade }
