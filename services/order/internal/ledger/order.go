package ledger

import (
	"slices"
	"time"

	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
	orderv1 "github.com/qingcang/qingcang/proto/gen/order/v1"
	"github.com/qingcang/qingcang/services/internal/money"
)

// State is where an order stands in the lane.
type State string

// The states. Money that goes back after Confirmed is not the lane's affair.
const (
	Held      State = "held"
	Confirmed State = "confirmed"
	Expired   State = "expired"
	Cancelled State = "cancelled"
	Refused   State = "refused"
)

// Why an order, a line or a payment was not taken. The words are part of the
// events and of the HTTP contract.
const (
	NotOpen         = "not_open"
	Suspended       = "suspended"
	Closed          = "closed"
	SoldOut         = "sold_out"
	NotOffered      = "not_offered"
	OverLimit       = "over_limit"
	UnknownCampaign = "unknown_campaign"

	RetiredCampaign = "retired"
	UnknownOrder    = "unknown_order"
	AmountDiffers   = "amount_differs"
	AlreadyPaid     = "already_paid"
)

// Order is one order. Lines and Dropped never change once it is placed, so a
// copy of the struct may be kept.
type Order struct {
	ID          string                       `json:"id"`
	CampaignUID string                       `json:"campaign"`
	BrandID     string                       `json:"brand,omitempty"`
	BuyerID     string                       `json:"buyer"`
	OwnerID     string                       `json:"owner,omitempty"` // empty when nobody earns on it
	AddressID   string                       `json:"address,omitempty"`
	BodyHash    uint64                       `json:"hash"`
	State       State                        `json:"state"`
	Reason      string                       `json:"reason,omitempty"` // why it was refused
	Lines       []Line                       `json:"lines,omitempty"`
	Dropped     []Dropped                    `json:"dropped,omitempty"`
	Fen         money.Fen                    `json:"fen"`
	Deadline    time.Time                    `json:"deadline,omitzero"` // of the hold
	Commission  money.Bps                    `json:"bps,omitempty"`
	WindowSecs  int64                        `json:"windowSecs,omitempty"` // of the return window
	WindowFrom  campaignv1.ReturnWindow_From `json:"windowFrom,omitempty"`
	Payments    []Payment                    `json:"payments,omitempty"` // that the lane has answered, in the order of the log
}

// Line is one SKU of an order with the prices that count for it.
type Line struct {
	SKU             string    `json:"sku"`
	Units           int64     `json:"units"`
	Price           money.Fen `json:"price"`
	SettlementPrice money.Fen `json:"settlement"`
}

// Dropped is a line that was not taken.
type Dropped struct {
	SKU    string `json:"sku"`
	Units  int64  `json:"units"`
	Reason string `json:"reason"`
	// Left is what was free of the SKU at that place in the log.
	Left int64 `json:"left,omitempty"`
}

// Payment is an answered payment: wanted, or unwanted for a reason.
type Payment struct {
	ID     string `json:"id"`
	Reason string `json:"reason,omitempty"` // empty: it confirmed the order
}

func (o *Order) units() int64 {
	var n int64
	for _, line := range o.Lines {
		n += line.Units
	}
	return n
}

// skus returns the SKUs of the order, sorted.
func (o *Order) skus() []string {
	skus := make([]string, 0, len(o.Lines))
	for _, line := range o.Lines {
		skus = append(skus, line.SKU)
	}
	slices.Sort(skus)
	return skus
}

func (o *Order) returnWindow() *campaignv1.ReturnWindow {
	return &campaignv1.ReturnWindow{Seconds: o.WindowSecs, From: o.WindowFrom}
}

// hold takes the order's stock out of what is free.
func (l *Ledger) hold(c *campaign, o *Order) {
	for _, line := range o.Lines {
		c.stock[line.SKU].held += line.Units
	}
	c.buyers[o.BuyerID] += o.units()
	c.held++
	o.State = Held
	l.holds.add(o.Deadline, o.ID)
}

// release gives a hold up. The reason and the state say why.
func (l *Ledger) release(c *campaign, o *Order, to State, reason orderv1.OrderReleased_Reason) {
	for _, line := range o.Lines {
		c.stock[line.SKU].held -= line.Units
	}
	c.forget(o)
	c.held--
	o.State = to
	l.emit(&orderv1.OrderReleased{OrderId: o.ID, CampaignUid: c.uid, Reason: reason})
	l.lower(c, o.skus()) // a lowered generation may have waited for just these units
	l.drain(c)
}

// sell turns a hold into a sale.
func (l *Ledger) sell(c *campaign, o *Order) {
	for _, line := range o.Lines {
		s := c.stock[line.SKU]
		s.held -= line.Units
		s.sold += line.Units
	}
	c.held--
	o.State = Confirmed
}

// forget takes an order out of what its buyer has.
func (c *campaign) forget(o *Order) {
	c.buyers[o.BuyerID] -= o.units()
	if c.buyers[o.BuyerID] == 0 {
		delete(c.buyers, o.BuyerID)
	}
}
