//go:build mutant_second_counts

package payment

// counts takes a second payment for the first, on purpose: nobody gives either back.
func (o *Order) counts(r Receipt) bool { return o.Prepay.Fen > 0 && o.Prepay.Fen == r.Fen }
