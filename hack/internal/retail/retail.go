// Package retail reads the order lines of a shop and turns them into demand: which goods at which
// price, which brand's campaign in which week, who orders and who sends back. It is pure but for
// Read, and knows nothing of the suite.
package retail

import (
	"hash/fnv"
	"time"
)

// The bounds of what a row may say. They are those of the public interfaces that the demand goes
// through, so that no row can make a whole order or campaign unacceptable.
const (
	maxRowUnits = 1_000_000
	// maxPricePounds is ¥1,000,000, the highest price of a campaign's item.
	maxPricePounds = 100_000
)

// Row is an accepted row: a sale, or a return when its invoice begins with C.
type Row struct {
	// Number counts from 1 and includes the header.
	Number   int
	Invoice  string
	SKU      string
	Units    int64 // always positive
	At       time.Time
	Price    nanopounds
	Customer string // empty for a guest
	Return   bool
}

// Refusal is why a row is no goods or no sale.
type Refusal struct {
	Row    int
	Reason string
}

// File is what was read.
type File struct {
	// Rows is how many there are without the header: accepted and refused.
	Rows     int
	Accepted []Row
	Refused  []Refusal
}

// Sales is how many rows are sales.
func (f *File) Sales() int { return len(f.Accepted) - f.Returns() }

// Returns is how many rows send something back.
func (f *File) Returns() int {
	n := 0
	for _, r := range f.Accepted {
		if r.Return {
			n++
		}
	}
	return n
}

// Brands is how many brands share the goods.
const Brands = 10

// BrandOf is the number of the brand that a SKU belongs to, 0 to Brands−1.
func BrandOf(sku string) int { return bucket(sku, Brands) }

// OwnerOf is the number, from 0, of the one of n owners to whom a customer is bound.
func OwnerOf(customer string, n int) int { return bucket(customer, n) }

func bucket(s string, n int) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(s)) // never fails
	return int(h.Sum32() % uint32(n))
}
