//go:build mutant_settle_twice

package payment

// settled never knows, on purpose: a refund's notice that comes twice is booked twice.
func settled(Refund) bool { return false }
