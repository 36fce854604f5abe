package commission

import (
	orderv1 "github.com/qingcang/qingcang/proto/gen/order/v1"
	ownerv1 "github.com/qingcang/qingcang/proto/gen/owner/v1"
	"github.com/qingcang/qingcang/services/internal/fault"
	"github.com/qingcang/qingcang/services/internal/money"
)

// ErrMoreThanAccrued stops the consumer: the order service took back more than it gave, and no
// later event can make that right.
var ErrMoreThanAccrued = fault.New(fault.Internal, "reversal_over_accrual", "more commission would be taken back than was accrued on the order")

// Paid is an order that was paid through an owner's link.
type Paid struct {
	OrderID, OwnerID, CampaignUID string
	// Fen is the owner's part of all lines.
	Fen money.Fen
}

// PaidOf reads the event; its owner may be empty, and then nobody earns.
func PaidOf(e *orderv1.OrderPaid) Paid {
	p := Paid{OrderID: e.GetOrderId(), OwnerID: e.GetOwnerId(), CampaignUID: e.GetCampaignUid()}
	for _, line := range e.GetLines() {
		p.Fen += money.Fen(line.GetOwnerFen())
	}
	return p
}

// Decide accrues the commission once, and then all that came too early for it.
func (p Paid) Decide(w *Wallet) ([]Fact, error) {
	before := w.order(p.OrderID)
	if accrued(before) {
		return nil, nil
	}
	posting, err := accrue("commission_accrued/"+p.OrderID, p.OwnerID, p.Fen)
	if err != nil {
		return nil, err
	}
	facts := []Fact{&ownerv1.CommissionAccrued{
		OrderId: p.OrderID, OwnerId: p.OwnerID, CampaignUid: p.CampaignUID, Fen: int64(p.Fen), Posting: posting,
	}}
	now := Order{Paid: true, Accrued: p.Fen}
	for _, r := range before.EarlyReversals {
		fact, err := r.fact(&now)
		if err != nil {
			return nil, err
		}
		facts = append(facts, fact)
		now.Reversed += r.Fen
	}
	if before.EarlyMaturity {
		fact, err := maturity(p.OrderID, p.OwnerID, &now)
		if err != nil {
			return nil, err
		}
		facts = append(facts, fact)
	}
	return facts, nil
}

// Reversal takes commission of one line back.
type Reversal struct {
	OrderID  string    `json:"orderId"`
	OwnerID  string    `json:"ownerId"`
	RefundID string    `json:"refundId"`
	SKU      string    `json:"sku"`
	Fen      money.Fen `json:"fen"`
	// event is what to keep if the order is not known to be paid.
	event Fact
}

// Short reads a short shipment.
func Short(e *orderv1.LineShort) Reversal {
	return Reversal{
		OrderID: e.GetOrderId(), OwnerID: e.GetOwnerId(), RefundID: e.GetRefundId(),
		SKU: e.GetLine().GetSku(), Fen: money.Fen(e.GetLine().GetOwnerFen()), event: e,
	}
}

// Returned reads goods that came back.
func Returned(e *orderv1.LineReturned) Reversal {
	return Reversal{
		OrderID: e.GetOrderId(), OwnerID: e.GetOwnerId(), RefundID: e.GetRefundId(),
		SKU: e.GetLine().GetSku(), Fen: money.Fen(e.GetLine().GetOwnerFen()), event: e,
	}
}

// Decide takes the commission back once. Before the order is known to be paid it keeps the event.
func (r Reversal) Decide(w *Wallet) ([]Fact, error) {
	o := w.order(r.OrderID)
	if r.Fen == 0 || o.Booked[r.postingID()] {
		return nil, nil
	}
	if o.Paid {
		fact, err := r.fact(o)
		if err != nil {
			return nil, err
		}
		return []Fact{fact}, nil
	}
	for _, early := range o.EarlyReversals {
		if early.postingID() == r.postingID() {
			return nil, nil
		}
	}
	return []Fact{r.event}, nil
}

func (r Reversal) fact(o *Order) (Fact, error) {
	if r.Fen < 0 || r.Fen > most(o) {
		return nil, ErrMoreThanAccrued
	}
	posting, err := takeBack(r.postingID(), r.OwnerID, r.Fen, o.Matured)
	if err != nil {
		return nil, err
	}
	return &ownerv1.CommissionReversed{
		OrderId: r.OrderID, OwnerId: r.OwnerID, Cause: r.RefundID, Fen: int64(r.Fen), Posting: posting,
	}, nil
}

// postingID names line and refund: one refund may take back several lines.
func (r Reversal) postingID() string {
	return "commission_reversed/" + r.OrderID + "/" + r.RefundID + "/" + r.SKU
}

// Maturity is the end of an order's return window.
type Maturity struct {
	OrderID, OwnerID string
	event            Fact
}

// MaturityOf reads the event.
func MaturityOf(e *orderv1.OrderMatured) Maturity {
	return Maturity{OrderID: e.GetOrderId(), OwnerID: e.GetOwnerId(), event: e}
}

// Decide makes what is left of the order's commission available, once. Before the order is known
// to be paid it keeps the event.
func (m Maturity) Decide(w *Wallet) ([]Fact, error) {
	o := w.order(m.OrderID)
	switch {
	case o.Matured || o.EarlyMaturity:
		return nil, nil
	case !o.Paid:
		return []Fact{m.event}, nil
	}
	fact, err := maturity(m.OrderID, m.OwnerID, o)
	if err != nil {
		return nil, err
	}
	return []Fact{fact}, nil
}

func maturity(orderID, ownerID string, o *Order) (Fact, error) {
	posting, err := release("commission_matured/"+orderID, ownerID, o.left())
	if err != nil {
		return nil, err
	}
	return &ownerv1.CommissionMatured{OrderId: orderID, OwnerId: ownerID, Fen: int64(o.left()), Posting: posting}, nil
}
