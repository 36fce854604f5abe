package payment

import (
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	orderv1 "github.com/qingcang/qingcang/proto/gen/order/v1"
	"github.com/qingcang/qingcang/services/internal/money"
)

// apply folds one fact into the order. It decides nothing: what it is given
// has happened.
func (o *Order) apply(f Fact, at time.Time) {
	switch f := f.(type) {
	case *orderv1.PrepayRequested:
		o.CampaignUID, o.BuyerID, o.Lane = f.GetCampaignUid(), f.GetBuyerId(), LaneOf(f.GetLane())
		o.Prepay = Prepay{Stage: PrepayRequested, Fen: money.Fen(f.GetFen()), ExpiresAt: f.GetExpiresAt().AsTime()}
	case *orderv1.PrepayCreated:
		o.Prepay.Stage, o.Prepay.ID, o.Prepay.CreatedAt = PrepayCreated, f.GetPrepayId(), at
	case *orderv1.PrepayClosed:
		o.Prepay.Stage = PrepayClosed
	case *orderv1.OrderReleased:
		o.Released = true
	case *orderv1.PaymentReceived:
		o.applyReceived(f, at)
	case *orderv1.OrderPaid:
		o.applyPaid(f)
	case *orderv1.LineShort:
		o.reverse(f.GetRefundId(), f.GetLine(), func(l *Line) { l.Short += f.GetLine().GetUnits() })
	case *orderv1.LineReturned:
		o.reverse(f.GetRefundId(), f.GetLine(), func(l *Line) { l.Returned += f.GetLine().GetUnits() })
	case *orderv1.RefundRequested:
		o.applyRefund(f, at)
	case *orderv1.RefundAccepted:
		o.change(f.GetRefundId(), func(r *Refund) { r.Stage, r.AcceptedAt = RefundAccepted, instant(f.GetAcceptedAt()) })
	case *orderv1.RefundSettled:
		o.change(f.GetRefundId(), func(r *Refund) { r.applySettled(f, at) })
	case *orderv1.RefundClosed:
		o.change(f.GetRefundId(), func(r *Refund) { r.applyClosed(f, at) })
	case *orderv1.RefundNeedsFinance:
		o.change(f.GetRefundId(), func(r *Refund) { r.Stage, r.Trouble, r.Since = RefundWithFinance, Trouble(f.GetReason()), at })
	case *orderv1.RefundResolved:
		o.change(f.GetRefundId(), func(r *Refund) { r.applyResolved(f, at) })
	case *orderv1.OrderMatured:
		o.Matured = true
	default:
		if Foreign(f) {
			o.Pending = append(o.Pending, Pending{Fact: proto.Clone(f)})
		}
	}
}

func (o *Order) applyReceived(f *orderv1.PaymentReceived, at time.Time) {
	r := Receipt{TransactionID: f.GetTransactionId(), Fen: money.Fen(f.GetFen()), PaidAt: instant(f.GetPaidAt()), At: at}
	if r.PaidAt.IsZero() { // journaled before the provider's time was
		r.PaidAt = at
	}
	if o.counts(r) {
		o.Receipt = r
	} else {
		o.Strays = append(o.Strays, r)
	}
	o.Prepay.Stage = PrepayUsed
}

func (o *Order) applyPaid(f *orderv1.OrderPaid) {
	o.Verdict, o.Pending = Paid, nil
	o.Sale = Sale{BrandID: f.GetBrandId(), OwnerID: f.GetOwnerId(), Commission: money.Bps(f.GetCommissionBps())}
	for _, l := range f.GetLines() {
		o.Sale.Lines = append(o.Sale.Lines, Line{
			SKU: l.GetSku(), Units: l.GetUnits(), Price: money.Fen(l.GetPriceFen()), Settlement: money.Fen(l.GetSettlementFen()),
		})
	}
}

func (o *Order) reverse(refundID string, reversed *orderv1.ReversedLine, count func(*Line)) {
	if i := o.line(reversed.GetSku()); i >= 0 {
		count(&o.Sale.Lines[i])
	}
	if !slices.Contains(o.Sale.Reversals, refundID) {
		o.Sale.Reversals = append(o.Sale.Reversals, refundID)
	}
}

func (o *Order) line(sku string) int {
	return slices.IndexFunc(o.Sale.Lines, func(l Line) bool { return l.SKU == sku })
}

func (o *Order) applyRefund(f *orderv1.RefundRequested, at time.Time) {
	r := Refund{ID: f.GetRefundId(), Fen: money.Fen(f.GetFen()), Reason: f.GetReason(), Of: o.Receipt, Stage: RefundAsked, AskedSince: at}
	for _, stray := range o.Strays {
		if r.ID == strayRefundID(o.ID, stray) {
			r.Of = stray
		}
	}
	if r.ID == unwantedRefundID(o.ID) {
		o.Verdict, o.Pending = Unwanted, nil
	}
	o.Refunds = append(o.Refunds, r)
}

// change changes one of the order's refunds.
func (o *Order) change(id string, change func(*Refund)) {
	for i := range o.Refunds {
		if o.Refunds[i].ID == id {
			change(&o.Refunds[i])
		}
	}
}

func (r *Refund) applySettled(f *orderv1.RefundSettled, at time.Time) {
	r.Stage, r.SettledAt = RefundSettled, at
	if settled := instant(f.GetSettledAt()); !settled.IsZero() {
		r.SettledAt = settled
	}
	if accepted := instant(f.GetAcceptedAt()); !accepted.IsZero() {
		r.AcceptedAt = accepted
	}
	if r.AcceptedAt.IsZero() { // journaled before that was
		r.AcceptedAt = r.SettledAt
	}
}

func (r *Refund) applyClosed(f *orderv1.RefundClosed, at time.Time) {
	r.Closed = append(r.Closed, ClosedNumber{Number: f.GetOutRefundNo(), AcceptedAt: r.AcceptedAt})
	r.Stage, r.AskedSince, r.AcceptedAt = RefundAsked, at, time.Time{}
}

// applyResolved goes on where finance left off: an abnormal refund is the
// provider's again under its old number, any other is asked for.
func (r *Refund) applyResolved(f *orderv1.RefundResolved, at time.Time) {
	r.Resolution = Resolution{How: howOf(f.GetHow()), Reference: f.GetReference(), StaffID: f.GetStaffId()}
	switch {
	case r.Resolution.How == PaidElsewhere:
		r.Stage = RefundPaidOtherwise
	case r.Trouble == TroubleAbnormal:
		r.Stage = RefundAccepted
	default:
		r.Stage, r.AskedSince = RefundAsked, at
	}
}
