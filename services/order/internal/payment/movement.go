package payment

import "time"

// Movement is money that came or goes back, as the provider's bill lists it.
type Movement struct {
	OrderID string
	// Number is the out_trade_no of a payment and the out_refund_no of a refund.
	Number string
	// TransactionID is the payment's; a refund has that of the payment it is of.
	TransactionID string
	Refund        bool
	Fen           int64
	// At is by the provider's clock: when the buyer paid, or when it took the refund.
	At time.Time
	// State is empty for a payment.
	State MovementState
}

// MovementState is where a refund stands here.
type MovementState string

// The states of a refund that the provider took.
const (
	MovementMade     MovementState = "made"
	MovementUnderWay MovementState = "under_way"
	MovementClosed   MovementState = "closed"
	MovementTrouble  MovementState = "needs_finance"
)

// Movements returns what moved in [from, to), in no order. It goes through all
// orders of the shard, which takes about a tenth of a second for a million.
func (s *Orders) Movements(from, to time.Time) []Movement {
	var out []Movement
	add := func(m Movement) {
		if !m.At.Before(from) && m.At.Before(to) {
			out = append(out, m)
		}
	}
	for _, o := range s.byID {
		if o.received() {
			add(o.came(o.Receipt))
		}
		for _, stray := range o.Strays {
			add(o.came(stray))
		}
		for _, r := range o.Refunds {
			for _, c := range r.Closed {
				add(o.goes(r, c.Number, c.AcceptedAt, MovementClosed))
			}
			add(o.goes(r, r.Number(), r.AcceptedAt, r.movement()))
		}
	}
	return out
}

func (o *Order) came(r Receipt) Movement {
	return Movement{
		OrderID: o.ID, Number: PaymentID(o.ID), TransactionID: r.TransactionID, Fen: int64(r.Fen), At: r.PaidAt,
	}
}

// goes is one number of a refund; one that the provider did not take has no time.
func (o *Order) goes(r Refund, number string, at time.Time, state MovementState) Movement {
	return Movement{
		OrderID: o.ID, Number: number, TransactionID: r.Of.TransactionID, Refund: true, Fen: int64(r.Fen), At: at, State: state,
	}
}

func (r Refund) movement() MovementState {
	switch r.Stage {
	case RefundSettled:
		return MovementMade
	case RefundWithFinance, RefundPaidOtherwise:
		return MovementTrouble
	default:
		return MovementUnderWay
	}
}
