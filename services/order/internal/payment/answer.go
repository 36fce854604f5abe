package payment

import (
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	orderv1 "github.com/qingcang/qingcang/proto/gen/order/v1"
	"github.com/qingcang/qingcang/services/internal/fault"
	"github.com/qingcang/qingcang/services/internal/money"
)

// RefundState is what the provider says of a refund.
type RefundState string

// The states of a refund at the provider.
const (
	RefundProcessing RefundState = "processing"
	RefundMade       RefundState = "made"
	RefundClosed     RefundState = "closed"
	RefundAbnormal   RefundState = "abnormal"
	// RefundRefused means that the provider did not take the request.
	RefundRefused RefundState = "refused"
	// RefundShort means that our balance does not cover it, so that it was not taken.
	RefundShort RefundState = "short"
)

// RefundAnswer is what the provider says of one of a refund's numbers.
type RefundAnswer struct {
	Number string
	State  RefundState
	// Fen is what goes back; it is not known of a refund that was not taken.
	Fen money.Fen
	// AcceptedAt is when the provider took the refund, by its own clock. Notices
	// do not tell it. SettledAt is when the money was back.
	AcceptedAt time.Time
	SettledAt  time.Time
}

// The faults of a refund's answer. They are not decisions: somebody has to look.
var (
	errRefundDiffers = fault.New(fault.Internal, "refund_differs", "the provider refunded another amount than it was asked to")
	errClosedMade    = fault.New(fault.Internal, "closed_refund_made", "the provider made a refund that it had closed, and a newer one was asked for")
)

// RecordRefund decides what the provider's answer does to a refund. One that
// nobody asked for, or that is settled, changes nothing.
func RecordRefund(o *Order, a RefundAnswer, now time.Time) ([]Fact, error) {
	r, gone, known := o.numbered(a.Number)
	switch {
	case !known:
		return nil, nil
	case gone && a.State == RefundMade:
		return nil, errClosedMade
	case gone, settled(r):
		return nil, nil
	case a.State != RefundRefused && a.State != RefundShort && a.Fen != r.Fen:
		return nil, errRefundDiffers
	}
	d := decide(o, now)
	if err := d.answered(r, a); err != nil {
		return nil, err
	}
	return d.facts, nil
}

func (d *decision) answered(r Refund, a RefundAnswer) error {
	if made(a.State) {
		return d.settle(r, a)
	}
	if r.Stage == RefundPaidOtherwise {
		return nil // the buyer has it; only that the provider gave it back, too, is news
	}
	switch a.State {
	case RefundProcessing:
		d.accept(r, a)
	case RefundClosed:
		d.accept(r, a)
		d.close(r, a.Number)
	case RefundAbnormal:
		d.accept(r, a)
		d.toFinance(r, TroubleAbnormal)
	case RefundRefused:
		if r.Stage == RefundAsked {
			d.toFinance(r, TroubleRefused)
		}
	case RefundShort:
		if r.Stage == RefundAsked && d.now.Sub(r.AskedSince) >= shortFor {
			d.toFinance(r, TroubleShort)
		}
	}
	return nil
}

// accept notes when the provider took the refund: its bill lists it on that day.
func (d *decision) accept(r Refund, a RefundAnswer) {
	again := r.Stage == RefundWithFinance && a.State == RefundProcessing
	if r.Stage != RefundAsked && !again {
		return
	}
	d.emit(&orderv1.RefundAccepted{
		OrderId: d.order.ID, PaymentId: PaymentID(d.order.ID), RefundId: r.ID, OutRefundNo: a.Number,
		AcceptedAt: stamp(a.AcceptedAt),
	})
}

// close notes that a number is dead. The refund goes on under the next, unless too
// many are dead, or it is finance's already: somebody may be paying the buyer at
// this moment, and asking again by ourselves would pay him twice.
func (d *decision) close(r Refund, number string) {
	d.emit(&orderv1.RefundClosed{
		OrderId: d.order.ID, PaymentId: PaymentID(d.order.ID), RefundId: r.ID, OutRefundNo: number,
	})
	if r.Stage == RefundWithFinance || (len(r.Closed)+1)%refundNumbers == 0 {
		d.toFinance(r, TroubleClosed)
	}
}

func (d *decision) toFinance(r Refund, why Trouble) {
	if r.Stage == RefundWithFinance && r.Trouble == why {
		return
	}
	now, _ := d.order.refund(r.ID) // under a new number, if the last was closed
	d.emit(&orderv1.RefundNeedsFinance{
		OrderId: d.order.ID, PaymentId: PaymentID(d.order.ID), RefundId: r.ID, OutRefundNo: now.Number(),
		Fen: int64(r.Fen), Reason: string(why),
	})
}

// settle books that the provider gave the money back: to the buyer, or to us if
// the buyer was paid otherwise.
func (d *decision) settle(r Refund, a RefundAnswer) error {
	from := RefundInTransit
	if r.Stage == RefundPaidOtherwise {
		from = PaidOtherwise
	}
	posting, err := move(r.ID+"/settled", r.Fen, from, Cash)
	if err != nil {
		return err
	}
	d.emit(&orderv1.RefundSettled{
		OrderId: d.order.ID, PaymentId: PaymentID(d.order.ID), RefundId: r.ID, Fen: int64(r.Fen), Posting: posting,
		OutRefundNo: a.Number, AcceptedAt: stamp(a.AcceptedAt), SettledAt: stamp(a.SettledAt),
	})
	return nil
}

// stamp is a time as messages carry it; one that is not known is absent.
func stamp(at time.Time) *timestamppb.Timestamp {
	if at.IsZero() {
		return nil
	}
	return timestamppb.New(at)
}

// instant reads what stamp wrote.
func instant(at *timestamppb.Timestamp) time.Time {
	if at == nil {
		return time.Time{}
	}
	return at.AsTime()
}
