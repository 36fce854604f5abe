package app

import (
	"context"

	"github.com/qingcang/qingcang/proto/lane/record"
	"github.com/qingcang/qingcang/services/order/internal/lane"
	"github.com/qingcang/qingcang/services/order/internal/ledger"
	"github.com/qingcang/qingcang/services/order/internal/payment"
)

// Cancel gives a buyer's held order up and shows it. One that holds nothing any
// more stays as it is; one that is paid cannot be cancelled.
func (a *Orders) Cancel(ctx context.Context, orderID, buyerID string) (OrderView, error) {
	o, name, err := a.lanes.Order(ctx, orderID)
	if err != nil {
		return OrderView{}, err
	}
	if o.BuyerID != buyerID {
		return OrderView{}, lane.ErrUnknownOrder
	}
	if o.State == ledger.Held {
		if err := a.lanes.Do(ctx, name, &record.Cancel{OrderID: o.ID, CampaignUID: o.CampaignUID}); err != nil {
			return OrderView{}, err
		}
		if o, _, err = a.lanes.Order(ctx, orderID); err != nil {
			return OrderView{}, err
		}
	}
	if o.State == ledger.Confirmed { // it was paid before the lane came to the cancellation
		return OrderView{}, payment.ErrPaid
	}
	return a.Get(ctx, orderID, buyerID)
}
