//go:build !mutant_second_counts

package payment

// counts reports whether a payment is the one that the order waits for.
func (o *Order) counts(r Receipt) bool {
	return !o.received() && o.Prepay.Fen > 0 && o.Prepay.Fen == r.Fen
}
