package payment

import (
	"time"

	orderv1 "github.com/qingcang/qingcang/proto/gen/order/v1"
	"github.com/qingcang/qingcang/services/internal/fault"
)

// How is what finance did about a refund.
type How string

// What finance can do.
const (
	// Retried means that the provider was told how to go on, or the balance was
	// filled up: it is asked again.
	Retried How = "retried"
	// PaidElsewhere means that the buyer has the money from another account of ours.
	PaidElsewhere How = "paid_otherwise"
)

// Resolution is what finance did about a refund.
type Resolution struct {
	How How `json:"how"`
	// Reference finds it in finance's own books. It names no person.
	Reference string `json:"reference"`
	StaffID   string `json:"staff"`
}

// The faults of a resolution.
var (
	ErrRefundUnknown = fault.New(fault.NotFound, "refund_unknown", "there is no such refund")
	ErrNotWithFinance  = fault.New(fault.Conflict, "refund_not_with_finance", "the refund does not wait for finance; look it up again")
)

// ResolveRefund decides that finance has seen to a refund. The same said again
// changes nothing.
func ResolveRefund(o *Order, id string, s Resolution, now time.Time) ([]Fact, error) {
	r, known := o.refund(id)
	switch {
	case !known:
		return nil, ErrRefundUnknown
	case r.Stage != RefundWithFinance && r.Resolution.How == s.How && r.Resolution.Reference == s.Reference:
		return nil, nil
	case r.Stage != RefundWithFinance:
		return nil, ErrNotWithFinance
	}
	resolved := &orderv1.RefundResolved{
		OrderId: o.ID, PaymentId: PaymentID(o.ID), RefundId: id, How: orderv1.RefundResolved_HOW_RETRIED,
		Reference: s.Reference, StaffId: s.StaffID, Fen: int64(r.Fen),
	}
	if s.How == PaidElsewhere {
		posting, err := move(id+"/paid_otherwise", r.Fen, RefundInTransit, PaidOtherwise)
		if err != nil {
			return nil, err
		}
		resolved.How, resolved.Posting = orderv1.RefundResolved_HOW_PAID_OTHERWISE, posting
	}
	return []Fact{resolved}, nil
}

func howOf(h orderv1.RefundResolved_How) How {
	if h == orderv1.RefundResolved_HOW_PAID_OTHERWISE {
		return PaidElsewhere
	}
	return Retried
}
