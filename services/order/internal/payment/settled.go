//go:build !mutant_settle_twice

package payment

// settled reports whether a refund's money is with the buyer already. It stands
// apart so that a build with the tag mutant_settle_twice can get it wrong.
func settled(r Refund) bool { return r.Stage == RefundSettled }
