package app

import (
	"context"
	"fmt"

	"github.com/qingcang/qingcang/proto/lane/record"
	"github.com/qingcang/qingcang/services/internal/auth"
	"github.com/qingcang/qingcang/services/internal/fault"
	"github.com/qingcang/qingcang/services/order/internal/ledger"
)

// placeRoute is part of every order id, so it stays what the route was when the first id was derived
// from it; the route itself has since taken the campaign into its path.
const placeRoute = "POST /v1/orders"

var (
	errKeyReused = fault.New(fault.Unprocessable, "idempotency_key_reused", "the Idempotency-Key came with another body before; use a new one")
	errShare     = fault.New(fault.Unprocessable, "share_of_other_campaign", "the share link belongs to another campaign; leave it out or use its own").
			With(fault.Field{Pointer: "/shareToken", Code: "share_of_other_campaign", Detail: "belongs to another campaign"})
)

// refusals are the faults of an order that the lane refused, by reason.
var refusals = map[string]*fault.Error{
	ledger.NotOpen:    fault.New(fault.Conflict, ledger.NotOpen, "the campaign has not begun"),
	ledger.Suspended:  fault.New(fault.Conflict, ledger.Suspended, "the campaign is suspended; come again later"),
	ledger.Closed:     fault.New(fault.Conflict, ledger.Closed, "the campaign is over"),
	ledger.SoldOut:    fault.New(fault.Conflict, ledger.SoldOut, "not enough is left; errors says how much of what"),
	ledger.NotOffered: fault.New(fault.Conflict, ledger.NotOffered, "the campaign does not offer this; errors says which lines"),
	ledger.OverLimit:  fault.New(fault.Conflict, ledger.OverLimit, "that is more than one buyer may have; errors says which lines"),
	ledger.OverHold:   fault.New(fault.Conflict, ledger.OverHold, "you hold as much unpaid as you may; pay or cancel an open order first"),
	// It has a lane, which has not heard of it yet.
	ledger.UnknownCampaign: fault.New(fault.Conflict, ledger.NotOpen, "the campaign has not begun"),
}

// PlaceOrder asks for an order.
type PlaceOrder struct {
	Buyer          auth.Principal
	IdempotencyKey string
	BodyHash       uint64
	CampaignUID    string
	// ShareToken is the link through which the buyer came; it may be empty.
	ShareToken   string
	AddressID    string
	Lines        []OrderLine
	TakeWhatFits bool
}

// OrderLine is one line as it was asked for.
type OrderLine struct {
	SKU   string
	Units int64
}

// Place holds stock, or says why not. The same key and body give the same order
// again, as it stands by then.
func (a *Orders) Place(ctx context.Context, c PlaceOrder) (OrderView, error) {
	entry, err := a.entry(c)
	if err != nil {
		return OrderView{}, err
	}
	name, err := a.lanes.LaneOf(c.CampaignUID)
	if err != nil {
		return OrderView{}, err
	}
	o, err := a.decided(ctx, name, entry)
	switch {
	case err != nil:
		return OrderView{}, err
	case o.BodyHash != entry.BodyHash:
		return OrderView{}, errKeyReused
	case o.State == ledger.Refused:
		return OrderView{}, refusal(o, c.Lines)
	}
	return OrderView{Order: o, State: orderStates[o.State]}, nil
}

// entry is the lane's command for an order.
func (a *Orders) entry(c PlaceOrder) (*record.Place, error) {
	p := &record.Place{
		OrderID:     orderID(c),
		CampaignUID: c.CampaignUID, BuyerID: c.Buyer.ID, AddressID: c.AddressID,
		TakeWhatFits: c.TakeWhatFits, BodyHash: c.BodyHash,
	}
	for _, line := range c.Lines {
		p.Lines = append(p.Lines, record.Units{SKU: line.SKU, Units: line.Units})
	}
	if c.ShareToken == "" {
		return p, nil
	}
	share, err := auth.DecodeShare(a.shares, c.ShareToken)
	if err != nil {
		return nil, err
	}
	if share.Campaign != c.CampaignUID {
		return nil, errShare
	}
	if share.Owner != c.Buyer.ID { // nobody earns on what he buys himself
		p.OwnerID = share.Owner
	}
	return p, nil
}

// refusal is the fault of a refused order; it points at the lines as they were asked for.
func refusal(o ledger.Order, asked []OrderLine) error {
	f, ok := refusals[o.Reason]
	if !ok {
		return fmt.Errorf("order %s was refused for an unknown reason %q", o.ID, o.Reason)
	}
	dropped := make(map[string]ledger.Dropped, len(o.Dropped))
	for _, d := range o.Dropped {
		dropped[d.SKU] = d
	}
	var fields []fault.Field
	for i, line := range asked {
		if d, ok := dropped[line.SKU]; ok {
			fields = append(fields, fault.Field{
				Pointer: fmt.Sprintf("/lines/%d", i), Code: d.Reason, Detail: fmt.Sprintf("%d units are left", d.Left),
			})
		}
	}
	return f.With(fields...)
}
