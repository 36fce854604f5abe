package retail

import (
	"slices"
	"strings"
)

// nanopounds are exact for prices with up to nine decimals: a median must not depend on how a
// binary fraction rounds.
type nanopounds int64

const (
	poundNanos = 1_000_000_000
	// nanosPerFen: £1.00 = ¥10.00 = 1,000 fen.
	nanosPerFen = poundNanos / 1_000
)

// parsePounds reads a plain decimal number; false for anything else, also for an exponent, a
// decimal comma, or more than twelve digits before the point. Decimals behind the ninth are cut.
func parsePounds(cell string) (nanopounds, bool) {
	negative := strings.HasPrefix(cell, "-")
	whole, fraction, _ := strings.Cut(strings.TrimPrefix(cell, "-"), ".")
	if whole == "" && fraction == "" || len(whole) > 9 || !isDigits(whole) || !isDigits(fraction) {
		return 0, false
	}
	n := nanopounds(0)
	for _, d := range whole + (fraction + "000000000")[:9] {
		n = n*10 + nanopounds(d-'0')
	}
	if negative {
		n = -n
	}
	return n, true
}

func isDigits(s string) bool {
	return strings.Trim(s, "0123456789") == ""
}

// Price is what a SKU costs. Its settlement price is 70% of the price, rounded down.
type Price struct{ Fen, SettlementFen int64 }

// settlementPercent of the price is the brand's.
const settlementPercent = 70

// prices returns the price of each SKU: the median unit price of its sale rows, the mean of the
// middle two when they are even in number, rounded half up to the fen.
func prices(rows []Row) map[string]Price {
	asked := map[string][]nanopounds{}
	for _, r := range rows {
		if !r.Return {
			asked[r.SKU] = append(asked[r.SKU], r.Price)
		}
	}
	out := make(map[string]Price, len(asked))
	for sku, all := range asked {
		slices.Sort(all)
		// Twice the median is a whole number of nanopounds.
		twice := int64(all[(len(all)-1)/2] + all[len(all)/2])
		fen := (twice + nanosPerFen) / (2 * nanosPerFen)
		out[sku] = Price{Fen: fen, SettlementFen: fen * settlementPercent / 100}
	}
	return out
}
