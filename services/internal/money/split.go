package money

import (
	"math/bits"

	"github.com/qingcang/qingcang/services/internal/fault"
)

// MaxUnits bounds the units of one split.
const MaxUnits = 1_000_000_000

var (
	errUnits = fault.New(fault.Invalid, "bad_units", "units are 0 to 1000000000")
	errTerms = fault.New(fault.Unprocessable, "price_too_low", "the price must cover the settlement price and the commission")
)

// Terms are what one line was sold under. They are frozen with the order: a
// later change of the campaign does not reach back.
type Terms struct {
	// Price is what the buyer pays per unit, Settlement what the brand gets.
	Price, Settlement Fen
	// Commission is the owner's share of Price.
	Commission Bps
	// Attributed says that an owner's share link led to the sale.
	Attributed bool
}

// Shares is how the money of some units of one line is split.
type Shares struct {
	Brand, Owner, Platform Fen
}

// Split shares out the money of units sold under t: brand = settlement × units,
// owner = price × units × commission / 10,000 rounded down (nothing if the sale
// is not attributed), platform = the rest. It refuses terms under which the
// platform would pay.
//
// To reverse some units, subtract cumulative splits: what n units gave, less
// what the n-k units that stay give. Then nothing is lost to rounding, in
// whatever steps the units come back.
func Split(t Terms, units int64) (Shares, error) {
	if units < 0 || units > MaxUnits {
		return Shares{}, errUnits
	}
	if err := t.Commission.Check(); err != nil {
		return Shares{}, err
	}
	if t.Price < 0 || t.Settlement < 0 {
		return Shares{}, errTerms
	}
	total, err := t.Price.Mul(units)
	if err != nil {
		return Shares{}, err
	}
	brand, err := t.Settlement.Mul(units)
	if err != nil {
		return Shares{}, err
	}
	s := Shares{Brand: brand}
	if t.Attributed {
		s.Owner = t.Commission.of(total)
	}
	s.Platform = total - s.Brand - s.Owner // all three are 0..2^63-1, so no overflow
	if s.Platform < 0 {
		return Shares{}, errTerms
	}
	return s, nil
}

// of returns amount × b / 10,000 rounded down, for a valid rate and an amount
// that is not negative; the product takes 128 bits.
func (b Bps) of(amount Fen) Fen {
	hi, lo := bits.Mul64(uint64(amount), uint64(b))
	quotient, _ := bits.Div64(hi, lo, uint64(MaxBps)) // hi < 10,000, because b <= 10,000
	return Fen(quotient)
}

// Sum returns what the buyer paid for these shares.
func (s Shares) Sum() Fen { return s.Brand + s.Owner + s.Platform }

// Sub returns s - r, part by part.
func (s Shares) Sub(r Shares) Shares {
	return Shares{Brand: s.Brand - r.Brand, Owner: s.Owner - r.Owner, Platform: s.Platform - r.Platform}
}

// Add returns s + r, part by part.
func (s Shares) Add(r Shares) Shares {
	return Shares{Brand: s.Brand + r.Brand, Owner: s.Owner + r.Owner, Platform: s.Platform + r.Platform}
}
