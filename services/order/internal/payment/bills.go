package payment

import (
	"maps"
	"slices"

	"google.golang.org/protobuf/proto"

	orderv1 "github.com/qingcang/qingcang/proto/gen/order/v1"
)

// BillKey leads to the shard that keeps what came of the provider's bills.
const BillKey = "bills"

// maxBills is how many days' bills are kept: a year, and a month to look back.
// The journal keeps all.
const maxBills = 400

// Bill returns what came of the bill of a day ("2026-11-22"); nil if it was not
// compared yet. The caller must not change it.
func (s *Orders) Bill(date string) *orderv1.BillReconciled { return s.bills[date] }

// RecordBill decides that a day's bill was compared. A day is compared once.
func RecordBill(s *Orders, b *orderv1.BillReconciled) []Fact {
	if s.Bill(b.GetDate()) != nil {
		return nil
	}
	return []Fact{b}
}

func (s *Orders) applyBill(f Fact) {
	b, ok := f.(*orderv1.BillReconciled)
	if !ok {
		return
	}
	s.bills[b.GetDate()] = proto.CloneOf(b)
	if len(s.bills) > maxBills {
		delete(s.bills, slices.Min(slices.Collect(maps.Keys(s.bills))))
	}
}

// Private reports whether a fact stays in the journal: what its source has
// published, and what only this service reads.
func Private(f Fact) bool {
	_, bill := f.(*orderv1.BillReconciled)
	return bill || Foreign(f)
}
