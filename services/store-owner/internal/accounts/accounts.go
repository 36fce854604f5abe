// Package accounts is the service's chart of accounts and the rule that the law puts on it.
//
// 禁止传销条例 (Regulations on the Prohibition of Pyramid Selling), article 7, names three things as
// pyramid selling: (1) to pay somebody by the number of people that they, or those below them,
// recruit; (2) to take a fee, open or hidden in a purchase, for the right to join or to recruit
// others; (3) to pay an upline by the sales of the people below.
//
// What the code makes of it:
//   - The membership fee and the commission are two books without a connection: no posting, and no
//     chain of postings, leads from one to the other in either direction. Check proves it when the
//     service starts, and a test over each pair of classes proves that Check sees a connection.
//   - Ordering a membership, joining and sharing a link move no money to anybody. There is no
//     message that says who brought whom.
//   - Commission comes from the split of a paid order, and goes to the owner of the link alone.
//
// This is engineering reading, not legal advice.
package accounts

import (
	"maps"
	"slices"

	"github.com/qingcang/qingcang/services/internal/book"
	"github.com/qingcang/qingcang/services/internal/fault"
	"github.com/qingcang/qingcang/services/store-owner/internal/commission"
	"github.com/qingcang/qingcang/services/store-owner/internal/membership"
)

// ErrFeePaysCommission is what article 7 forbids. It is Internal: only a change of the code brings
// it about.
var ErrFeePaysCommission = fault.New(fault.Internal, "fee_pays_commission",
	"禁止传销条例 article 7: no money may move between the membership fee and a commission")

// Table returns the whole chart.
func Table() book.Table {
	t := membership.Accounts()
	maps.Copy(t, commission.Accounts())
	return t
}

// Check refuses a chart in which money can get from a class of the membership fee to a class of
// the commission, or back.
func Check(t book.Table) error {
	for _, fee := range FeeClasses() {
		for _, paid := range CommissionClasses() {
			if connected(t, fee, paid) {
				return ErrFeePaysCommission.With(fault.Field{Pointer: string(fee), Detail: "is connected with " + string(paid)})
			}
		}
	}
	return nil
}

// FeeClasses are the classes of the membership fee, sorted.
func FeeClasses() []book.Class { return slices.Sorted(maps.Keys(membership.Accounts())) }

// CommissionClasses are the classes of the commission, sorted.
func CommissionClasses() []book.Class { return slices.Sorted(maps.Keys(commission.Accounts())) }
