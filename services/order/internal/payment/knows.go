//go:build !mutant_notice_twice

package payment

import "slices"

// knows reports whether the transaction was recorded before.
func (o *Order) knows(transactionID string) bool {
	return o.Receipt.TransactionID == transactionID ||
		slices.ContainsFunc(o.Strays, func(r Receipt) bool { return r.TransactionID == transactionID })
}
