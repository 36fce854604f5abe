package payment

import (
	"slices"
	"strconv"
	"time"

	"github.com/qingcang/qingcang/services/internal/ids"
	"github.com/qingcang/qingcang/services/internal/money"
)

// refundNumbers is how many numbers of a refund the provider may close before a
// person has to see to it. It closes one when our balance did not cover the
// refund for seven days, so three are three weeks.
const refundNumbers = 3

// shortFor is how long the provider may answer that our balance does not cover a
// refund, before a person has to see to it. It is as long as the provider itself
// waits for a balance before it closes a refund.
const shortFor = 7 * 24 * time.Hour

// RefundStage is how far a refund has come.
type RefundStage string

// The stages of a refund.
const (
	// RefundAsked means that the provider is to be asked, or was and did not answer.
	RefundAsked RefundStage = "asked"
	// RefundAccepted means that the provider is on it; a bank may take days.
	RefundAccepted RefundStage = "accepted"
	// RefundWithFinance means that a person has to see to it.
	RefundWithFinance RefundStage = "needs_finance"
	// RefundPaidOtherwise means that the buyer has the money from another account
	// of ours. The provider may still give it back, to us.
	RefundPaidOtherwise RefundStage = "paid_otherwise"
	RefundSettled       RefundStage = "settled"
)

// Trouble is why a refund is with finance.
type Trouble string

// The troubles.
const (
	// TroubleAbnormal means that the buyer's card is gone or frozen: the money is in
	// between, and finance tells the provider where it is to go.
	TroubleAbnormal Trouble = "abnormal"
	// TroubleClosed means that the provider took it and closed it, again and again:
	// our balance was short for weeks.
	TroubleClosed Trouble = "closed"
	// TroubleShort means that our balance was short for a week, and the provider did
	// not take it.
	TroubleShort Trouble = "short"
	// TroubleRefused means that the provider does not take the request: the payment
	// is too old, or the buyer's account is gone.
	TroubleRefused Trouble = "refused"
)

// Refund is money on its way back.
type Refund struct {
	ID     string    `json:"id"`
	Fen    money.Fen `json:"fen"`
	Reason string    `json:"reason"`
	// Of is the payment from which the provider takes it.
	Of    Receipt     `json:"of"`
	Stage RefundStage `json:"stage"`
	// AskedSince is when it was decided, or asked for anew by finance.
	AskedSince time.Time `json:"askedSince,omitzero"`
	// AcceptedAt is when the provider took it, by its own clock.
	AcceptedAt time.Time `json:"acceptedAt,omitzero"`
	// SettledAt is when the money was back, by the provider's clock too.
	SettledAt time.Time `json:"settledAt,omitzero"`
	// Closed are the numbers that the provider gave up.
	Closed []ClosedNumber `json:"closed,omitempty"`
	// Trouble and Since say why and since when finance has, or had, it.
	Trouble Trouble   `json:"trouble,omitempty"`
	Since   time.Time `json:"since,omitzero"`
	// Resolution is what finance did last.
	Resolution Resolution `json:"resolution,omitzero"`
}

// ClosedNumber is a number of a refund that the provider gave up.
type ClosedNumber struct {
	Number     string    `json:"number"`
	AcceptedAt time.Time `json:"acceptedAt,omitzero"`
}

// Number is the out_refund_no under which the provider is asked. It is the
// refund's id, so that one cause cannot be refunded twice; a number that was
// closed is dead, and the next follows from the id, too.
func (r Refund) Number() string {
	if len(r.Closed) == 0 {
		return r.ID
	}
	return ids.Derive("ref", r.ID, "number", strconv.Itoa(len(r.Closed)))
}

// Open reports whether the provider is to be asked. One that is with finance
// holds nobody up: it is on finance's list, and its money stays in transit.
func (r Refund) Open() bool { return r.Stage == RefundAsked || r.Stage == RefundAccepted }

// Back reports whether the buyer has the money.
func (r Refund) Back() bool { return r.Stage == RefundSettled || r.Stage == RefundPaidOtherwise }

// Financed reports whether finance has, or had, to see to it.
func (r Refund) Financed() bool { return r.Trouble != "" }

// watched reports whether the provider may change its mind about a refund that
// it called abnormal: finance handles those in the provider's own pages.
func (r Refund) watched() bool {
	return r.Stage == RefundWithFinance && r.Trouble == TroubleAbnormal
}

func (r Refund) clone() Refund {
	r.Closed = slices.Clone(r.Closed)
	return r
}

func (o *Order) refund(id string) (Refund, bool) {
	i := slices.IndexFunc(o.Refunds, func(r Refund) bool { return r.ID == id })
	if i < 0 {
		return Refund{}, false
	}
	return o.Refunds[i], true
}

// numbered finds the refund of an out_refund_no; gone says that this number was
// closed.
func (o *Order) numbered(number string) (r Refund, gone, ok bool) {
	for _, r := range o.Refunds {
		if slices.ContainsFunc(r.Closed, func(c ClosedNumber) bool { return c.Number == number }) {
			return r, true, true
		}
		if r.Number() == number {
			return r, false, true
		}
	}
	return Refund{}, false, false
}
