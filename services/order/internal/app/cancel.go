package app

import (
	"context"

	lanev1 "github.com/qingcang/qingcang/proto/gen/lane/v1"
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
		entry := &lanev1.Entry{Command: &lanev1.Entry_Cancel{Cancel: &lanev1.Cancel{OrderId: o.ID, CampaignUid: o.CampaignUID}}}
		err := a.lanes.Do(ctx, name, entry, func(l *ledger.Ledger) { o, _ = l.Order(o.ID) })
		if err != nil {
			return OrderView{}, err
		}
	}
	if o.State == ledger.Confirmed { // it was paid before the lane came to the cancellation
		return OrderView{}, payment.ErrPaid
	}
	return a.Get(ctx, orderID, buyerID)
}
