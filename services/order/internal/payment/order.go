// Package payment decides the money of orders, from the prepay to the last
// refund. It is the only place where money is split. Its decisions are pure:
// they return facts, and Orders is the fold of those facts.
//
// The life of one order's money:
//
//	PrepayRequested ─ PrepayCreated ─┬─ PrepayClosed
//	                                 └─ PaymentReceived ─┬─ OrderPaid ─ LineShort…, LineReturned… ─ OrderMatured
//	                                                     └─ RefundRequested (the lane did not want it)
//	every RefundRequested ─ RefundAccepted ─┬─ RefundSettled
//	                                        ├─ RefundClosed: asked for again, under a new number
//	                                        └─ RefundNeedsFinance ─ RefundResolved
//
// What other services say comes at least once and, across topics, in any order.
// Each decision therefore takes a fact heard twice as heard once, and keeps one
// that comes early: it is journaled as it came, and taken when the fact that it
// waits for is there.
package payment

import (
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
	"github.com/qingcang/qingcang/services/internal/ids"
	"github.com/qingcang/qingcang/services/internal/money"
)

// Fact is an event of the payment journal: a message of order.v1, or a foreign
// message that came early.
type Fact = proto.Message

// PaymentID is the id of an order's one payment and its number at the provider.
func PaymentID(orderID string) string { return ids.Derive("pay", orderID) }

// refundID is the id of the refund for a cause, and its number at the provider:
// one cause cannot be refunded twice.
func refundID(orderID, cause, causeID string) string {
	return ids.Derive("ref", orderID, cause, causeID)
}

// Order is the money of one order.
type Order struct {
	ID          string `json:"id"`
	CampaignUID string `json:"campaign,omitempty"`
	BuyerID     string `json:"buyer,omitempty"`
	Lane        Lane   `json:"lane,omitzero"`
	Prepay      Prepay `json:"prepay,omitzero"`
	// Released says that the lane gave the order's stock back: the prepay is to
	// be closed.
	Released bool `json:"released,omitempty"`
	// Receipt is the payment that counts; its amount is the order's.
	Receipt Receipt `json:"receipt,omitzero"`
	// Strays are payments that cannot count: of another amount, or besides the
	// one that counts. Each is refunded as it comes.
	Strays  []Receipt `json:"strays,omitempty"`
	Verdict Verdict   `json:"verdict,omitempty"`
	Sale    Sale      `json:"sale,omitzero"`
	Refunds []Refund  `json:"refunds,omitempty"`
	Matured bool      `json:"matured,omitempty"`
	// Pending are foreign facts that came early. Their number is bounded by what
	// the lane and fulfilment can say about one order.
	Pending []Pending `json:"pending,omitempty"`
}

// Lane is where the order's stock is decided.
type Lane struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
}

// Proto returns the lane as messages carry it.
func (l Lane) Proto() *campaignv1.Lane {
	return &campaignv1.Lane{Topic: l.Topic, Partition: l.Partition}
}

// LaneOf reads what Proto wrote.
func LaneOf(l *campaignv1.Lane) Lane { return Lane{Topic: l.GetTopic(), Partition: l.GetPartition()} }

// Stage is how far the prepay has come.
type Stage string

// The stages of a prepay. The zero value is one that nobody asked for.
const (
	PrepayRequested Stage = "requested"
	PrepayCreated   Stage = "created"
	PrepayClosed    Stage = "closed"
	// PrepayUsed means that money came; the provider takes none a second time.
	PrepayUsed Stage = "used"
)

// Prepay is the provider's readiness to take money.
type Prepay struct {
	Stage     Stage     `json:"stage,omitempty"`
	ID        string    `json:"id,omitempty"`
	Fen       money.Fen `json:"fen,omitempty"`
	ExpiresAt time.Time `json:"expiresAt,omitzero"`
	CreatedAt time.Time `json:"createdAt,omitzero"`
}

// Open reports whether money may still come through the prepay.
func (p Prepay) Open() bool { return p.Stage == PrepayRequested || p.Stage == PrepayCreated }

// Receipt is money that the provider says has come.
type Receipt struct {
	TransactionID string    `json:"transaction"`
	Fen           money.Fen `json:"fen"`
	// PaidAt is when the buyer paid, by the provider's clock: its bill lists the
	// payment on that day.
	PaidAt time.Time `json:"paidAt,omitzero"`
	// At is when it was journaled.
	At time.Time `json:"at,omitzero"`
}

// Verdict is what the lane made of the payment that counts.
type Verdict string

// The verdicts. The zero value is that the lane has not answered yet.
const (
	Paid     Verdict = "paid"
	Unwanted Verdict = "unwanted"
)

// Sale is what a paid order sold, under the terms frozen in it.
type Sale struct {
	BrandID    string    `json:"brand,omitempty"`
	OwnerID    string    `json:"owner,omitempty"`
	Commission money.Bps `json:"commissionBps,omitempty"`
	Lines      []Line    `json:"lines,omitempty"`
	// Reversals are the refund ids of the causes that took units back.
	Reversals []string `json:"reversals,omitempty"`
}

func (s *Sale) units() int64 {
	var n int64
	for _, l := range s.Lines {
		n += l.Units
	}
	return n
}

// Line is one SKU of a sale.
type Line struct {
	SKU        string    `json:"sku"`
	Units      int64     `json:"units"`
	Price      money.Fen `json:"priceFen"`
	Settlement money.Fen `json:"settlementFen"`
	Short      int64     `json:"short,omitempty"`
	Returned   int64     `json:"returned,omitempty"`
}

// Kept is how many units the buyer has paid for and keeps.
func (l Line) Kept() int64 { return l.Units - l.Short - l.Returned }

// Open reports whether the order's money waits for something: money to come,
// the lane's verdict, or the provider's refund. A refund that is with finance
// holds nothing up.
func (o *Order) Open() bool {
	return o.Prepay.Open() || o.undecided() || slices.ContainsFunc(o.Refunds, Refund.Open)
}

// Final reports whether nothing of a paid order's split can change any more.
func (o *Order) Final() bool {
	return o.Verdict == Paid && (o.Matured || !slices.ContainsFunc(o.Sale.Lines, func(l Line) bool { return l.Kept() > 0 }))
}

// RefundedFen is what has gone back to the buyer.
func (o *Order) RefundedFen() money.Fen {
	var sum money.Fen
	for _, r := range o.Refunds {
		if r.Back() {
			sum += r.Fen
		}
	}
	return sum
}

// Refunded reports whether all the money that came has gone back.
func (o *Order) Refunded() bool {
	received := o.Receipt.Fen
	for _, stray := range o.Strays {
		received += stray.Fen
	}
	return received > 0 && o.RefundedFen() == received
}

func (o *Order) received() bool { return o.Receipt.TransactionID != "" }

// undecided reports whether the lane has still to say what the payment is good for.
func (o *Order) undecided() bool { return o.received() && o.Verdict == "" }

// clone returns a copy that can be changed without changing o.
func (o *Order) clone() *Order {
	c := *o
	c.Strays = slices.Clone(o.Strays)
	c.Refunds = slices.Clone(o.Refunds)
	for i, r := range c.Refunds {
		c.Refunds[i] = r.clone()
	}
	c.Pending = slices.Clone(o.Pending)
	c.Sale.Lines = slices.Clone(o.Sale.Lines)
	c.Sale.Reversals = slices.Clone(o.Sale.Reversals)
	return &c
}
