package app

import (
	"context"

	"github.com/qingcang/qingcang/services/internal/fault"
	"github.com/qingcang/qingcang/services/order/internal/lane"
	"github.com/qingcang/qingcang/services/order/internal/ledger"
)

// Refusal is the answer to an order that its campaign, its buyer and its key suffice to refuse. It costs
// the lane no entry.
type Refusal struct {
	// Reason is a key of EarlyRefusals, or empty: then the order goes into the lane.
	Reason string
	// Offset is the end of what the lane had decided by then.
	Offset int64
}

// EarlyRefusals returns what is told for each reason. They name no lines, which nobody has read.
func EarlyRefusals() map[string]*fault.Error {
	early := map[string]*fault.Error{
		ledger.SoldOut:   fault.New(fault.Conflict, ledger.SoldOut, "nothing is left"),
		ledger.OverLimit: fault.New(fault.Conflict, ledger.OverLimit, "one buyer may not have more"),
	}
	for _, reason := range []string{ledger.NotOpen, ledger.Suspended, ledger.Closed, ledger.OverHold, ledger.UnknownCampaign} {
		early[reason] = refusals[reason]
	}
	return early
}

// Refusal says whether an order is refused before its body is read, which c does not have yet. One that
// was decided before is not: Place repeats that answer.
func (a *Orders) Refusal(ctx context.Context, c PlaceOrder) (Refusal, error) {
	name, err := a.lanes.LaneOf(c.CampaignUID)
	if err != nil {
		return Refusal{}, err
	}
	reason, offset, err := a.lanes.Refusal(ctx, name, lane.Ask{CampaignUID: c.CampaignUID, OrderID: orderID(c), BuyerID: c.Buyer.ID})
	return Refusal{reason, offset}, err
}
