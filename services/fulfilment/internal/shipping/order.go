// Package shipping decides what happens to the goods of a paid order: picking, shipping with short
// lines, signing, returns, and the end of the return window.
//
// Every decision is a pure function of one order's state. Facts are fulfilment.v1 messages.
package shipping

import (
	"time"

	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
	"github.com/qingcang/qingcang/services/internal/fault"
	"github.com/qingcang/qingcang/services/internal/ids"
)

// State is how far an order's goods have come.
type State string

// The states, in their usual order. Short is the end of an order of which nothing could be sent.
const (
	Waiting State = "waiting"
	Picking State = "picking"
	Shipped State = "shipped"
	Signed  State = "signed"
	Closed  State = "closed"
	Short   State = "short"
)

// Limits of what people may send.
const (
	MaxReturns = 20
	// returnTransit is how long returned goods may be on their way before the return is dropped.
	returnTransit = 30 * 24 * time.Hour
)

// Order is one paid order's goods. Its zero value is an order that was never heard of.
type Order struct {
	ID              string `json:"id"`
	ShippingOrderID string `json:"shippingOrderId"`
	CampaignUID     string `json:"campaignUid"`
	BrandID         string `json:"brandId"`
	BuyerID         string `json:"buyerId"`
	AddressID       string `json:"addressId"`
	State           State  `json:"state"`
	// Lines are in the order's own order, one per SKU.
	Lines        []Line                       `json:"lines"`
	WindowFrom   campaignv1.ReturnWindow_From `json:"windowFrom"`
	Window       time.Duration                `json:"window"`
	Carrier      string                       `json:"carrier,omitempty"`
	WaybillNo    string                       `json:"waybillNo,omitempty"`
	ShipmentHash uint64                       `json:"shipmentHash,omitempty"`
	SignedAt     time.Time                    `json:"signedAt,omitzero"`
	WindowEndsAt time.Time                    `json:"windowEndsAt,omitzero"`
	Returns      []Return                     `json:"returns,omitempty"`
}

// Line is one SKU of the order.
type Line struct {
	SKU string `json:"sku"`
	// Units were ordered, Sent were in the parcel: the rest was short.
	Units int64 `json:"units"`
	Sent  int64 `json:"sent"`
	// Returning were asked for in returns that stand, Returned of them are back.
	Returning int64 `json:"returning,omitempty"`
	Returned  int64 `json:"returned,omitempty"`
}

// ReturnState is how far a return has come.
type ReturnState string

// The states of a return.
const (
	ReturnRequested ReturnState = "requested"
	ReturnReceived  ReturnState = "received"
	ReturnExpired   ReturnState = "expired"
)

// Return is goods on their way back.
type Return struct {
	ID          string       `json:"id"`
	State       ReturnState  `json:"state"`
	Lines       []ReturnLine `json:"lines"`
	RequestedAt time.Time    `json:"requestedAt"`
	BodyHash    uint64       `json:"bodyHash"`
}

// ReturnLine is a number of units of one SKU.
type ReturnLine struct {
	SKU   string `json:"sku"`
	Units int64  `json:"units"`
}

// ErrUnknown is the fault of an order, shipping order or return that is not there, or not the caller's.
var ErrUnknown = fault.New(fault.NotFound, "not_found", "there is no such order, shipping order or return")

var errKeyReused = fault.New(fault.Unprocessable, "idempotency_key_reused", "this Idempotency-Key came before with another body; use a new one")

// IDFor is the shipping order's id: an order has one.
func IDFor(orderID string) string { return ids.Derive("ship", orderID) }

// Known reports whether the order was paid.
func (o *Order) Known() bool { return o.State != "" }

func (o *Order) line(sku string) *Line {
	for i := range o.Lines {
		if o.Lines[i].SKU == sku {
			return &o.Lines[i]
		}
	}
	return nil
}

// Return finds a return of the order.
func (o *Order) Return(id string) (*Return, bool) {
	for i := range o.Returns {
		if o.Returns[i].ID == id {
			return &o.Returns[i], true
		}
	}
	return nil, false
}

// DueAt is the next moment at which time alone decides something, zero if there is none.
func (o *Order) DueAt() time.Time {
	if o.State != Signed {
		return time.Time{}
	}
	var due time.Time
	for _, r := range o.Returns {
		if at := r.RequestedAt.Add(returnTransit); r.State == ReturnRequested && (due.IsZero() || at.Before(due)) {
			due = at
		}
	}
	if due.IsZero() {
		return o.WindowEndsAt
	}
	return due
}
