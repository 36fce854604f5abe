package payment

import (
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	orderv1 "github.com/qingcang/qingcang/proto/gen/order/v1"
	"github.com/qingcang/qingcang/services/internal/fault"
	"github.com/qingcang/qingcang/services/internal/money"
)

// The faults of asking to pay.
var (
	ErrHoldOver    = fault.New(fault.Conflict, "hold_over", "the order's hold is over; order again")
	ErrPaid        = fault.New(fault.Conflict, "order_paid", "the order is paid")
	ErrNothingOwed = fault.New(fault.Conflict, "nothing_owed", "the order costs nothing")
)

// PrepayValid is how long a prepay of the provider can be used: two hours, less
// a margin for the buyer's hesitation.
const PrepayValid = 110 * time.Minute

// Held is what the lane says of an order that waits for its money.
type Held struct {
	CampaignUID, BuyerID string
	Fen                  money.Fen
	Deadline             time.Time
	Lane                 Lane
}

// RequestPrepay decides that the provider may be asked for a prepay. Asked
// again, it decides nothing and refuses nothing while money may still come.
func RequestPrepay(o *Order, h Held, now time.Time) ([]Fact, error) {
	switch {
	case o.Prepay.Stage == PrepayUsed:
		return nil, ErrPaid
	case o.Prepay.Stage == PrepayClosed, o.Released, !now.Before(h.Deadline):
		return nil, ErrHoldOver
	case o.Prepay.Open():
		return nil, nil
	case h.Fen <= 0:
		return nil, ErrNothingOwed
	}
	return []Fact{&orderv1.PrepayRequested{
		OrderId: o.ID, PaymentId: PaymentID(o.ID), CampaignUid: h.CampaignUID, BuyerId: h.BuyerID,
		Fen: int64(h.Fen), ExpiresAt: timestamppb.New(h.Deadline), Lane: h.Lane.Proto(),
	}}, nil
}

// RecordPrepay decides that the provider gave a prepay. A newer one replaces
// the older: both lead to the same trade at the provider. One that nobody waits
// for any more is of no use: money came, or the order was given up meanwhile.
func RecordPrepay(o *Order, prepayID string, _ time.Time) ([]Fact, error) {
	switch {
	case o.Prepay.Stage == PrepayUsed:
		return nil, ErrPaid
	case !o.Prepay.Open():
		return nil, ErrHoldOver
	case o.Prepay.ID == prepayID:
		return nil, nil
	}
	return []Fact{&orderv1.PrepayCreated{OrderId: o.ID, PaymentId: PaymentID(o.ID), PrepayId: prepayID}}, nil
}

// ClosePrepay decides that no money came and, as the provider says, none can.
func ClosePrepay(o *Order, _ time.Time) ([]Fact, error) {
	if !o.Prepay.Open() {
		return nil, nil
	}
	return []Fact{&orderv1.PrepayClosed{OrderId: o.ID, PaymentId: PaymentID(o.ID)}}, nil
}

// release notes that an order lost its stock while money might come.
func (d *decision) release(f *orderv1.OrderReleased) {
	if d.order.Prepay.Open() && !d.order.Released {
		d.emit(f)
	}
}
