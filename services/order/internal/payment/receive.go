package payment

import (
	"time"

	orderv1 "github.com/qingcang/qingcang/proto/gen/order/v1"
	"github.com/qingcang/qingcang/services/internal/money"
)

// Why a payment that never met a lane goes back. A lane has reasons of its own.
const (
	reasonAmount = "amount_differs"
	reasonTwice  = "already_paid"
)

func strayRefundID(orderID string, r Receipt) string {
	return refundID(orderID, "transaction", r.TransactionID)
}

// Receive decides what to do with money that the provider says has come. A
// transaction heard before changes nothing. Every other one is recorded, because
// the money is here; one that cannot count goes back at once.
func Receive(o *Order, r Receipt, now time.Time) ([]Fact, error) {
	if o.knows(r.TransactionID) {
		return nil, nil
	}
	d := decide(o, now)
	if err := d.receive(r); err != nil {
		return nil, err
	}
	return d.facts, nil
}

func (d *decision) receive(r Receipt) error {
	o := d.order
	stray := o.strayReason(r)
	received, err := move(PaymentID(o.ID)+"/"+r.TransactionID, r.Fen, Cash, PaymentInTransit)
	if err != nil {
		return err
	}
	waiting := o.Pending
	d.emit(&orderv1.PaymentReceived{
		OrderId: o.ID, PaymentId: PaymentID(o.ID), CampaignUid: o.CampaignUID, TransactionId: r.TransactionID,
		Fen: int64(r.Fen), Lane: o.Lane.Proto(), Posting: received, PaidAt: stamp(r.PaidAt),
	})
	if stray != "" {
		return d.giveBack(strayRefundID(o.ID, r), r.Fen, stray)
	}
	return d.take(waiting)
}

// strayReason says why a payment cannot be the order's; empty if it can.
func (o *Order) strayReason(r Receipt) string {
	switch {
	case o.counts(r):
		return ""
	case o.received():
		return reasonTwice
	default:
		return reasonAmount
	}
}

// giveBack asks for the refund of money that never became a sale.
func (d *decision) giveBack(id string, fen money.Fen, reason string) error {
	posting, err := move(id+"/requested", fen, PaymentInTransit, RefundInTransit)
	if err != nil {
		return err
	}
	d.emit(&orderv1.RefundRequested{
		OrderId: d.order.ID, PaymentId: PaymentID(d.order.ID), RefundId: id,
		Fen: int64(fen), Reason: reason, Posting: posting,
	})
	return nil
}
