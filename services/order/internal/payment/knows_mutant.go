//go:build mutant_notice_twice

package payment

// knows forgets every transaction, on purpose: each notice is money that came.
func (*Order) knows(string) bool { return false }
