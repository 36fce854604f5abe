package app

import (
	"context"
	"errors"

	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
	"github.com/qingcang/qingcang/proto/lane/record"
	"github.com/qingcang/qingcang/services/internal/auth"
	"github.com/qingcang/qingcang/services/internal/money"
	"github.com/qingcang/qingcang/services/order/internal/lane"
	"github.com/qingcang/qingcang/services/order/internal/ledger"
)

// Lanes decide about stock.
type Lanes interface {
	// LaneOf names a campaign's lane, or is lane.ErrUnknownCampaign.
	LaneOf(campaignUID string) (*campaignv1.Lane, error)
	// Refusal says why the lane refuses an order whatever it asks for, by all that its log held at the
	// time of the call, up to the offset at; reason is empty if the order has to go into the lane.
	Refusal(ctx context.Context, lane *campaignv1.Lane, ask lane.Ask) (reason string, at int64, err error)
	// Place asks for an order and returns it as decided; one that was asked for before under the same
	// id, with the body of then.
	Place(ctx context.Context, lane *campaignv1.Lane, p *record.Place) (ledger.Order, error)
	// Do returns when a command is decided.
	Do(ctx context.Context, lane *campaignv1.Lane, c record.Command) error
	// Order returns an order as it stands now, or lane.ErrUnknownOrder.
	Order(ctx context.Context, id string) (ledger.Order, *campaignv1.Lane, error)
}

// OrderMoney knows what became of the money of an order.
type OrderMoney interface {
	// Money says what became of an order's money; it is empty while none came.
	Money(ctx context.Context, orderID string) (Money, error)
}

// Orders places, shows and cancels orders.
type Orders struct {
	lanes  Lanes
	money  OrderMoney
	shares *auth.Keys
}

// NewOrders returns the use cases of orders. The keys verify share links.
func NewOrders(lanes Lanes, money OrderMoney, shares *auth.Keys) *Orders {
	return &Orders{lanes: lanes, money: money, shares: shares}
}

// OrderState is where an order stands for its buyer.
type OrderState string

// The states. The first five are the lane's, Paid being its confirmed.
const (
	OrderHeld      OrderState = "held"
	OrderPaid      OrderState = "paid"
	OrderExpired   OrderState = "expired"
	OrderCancelled OrderState = "cancelled"
	OrderRefused   OrderState = "refused"
	// OrderRefunded means that all money that ever came for it went back.
	OrderRefunded OrderState = "refunded"
)

var orderStates = map[ledger.State]OrderState{
	ledger.Held: OrderHeld, ledger.Confirmed: OrderPaid, ledger.Expired: OrderExpired,
	ledger.Cancelled: OrderCancelled, ledger.Refused: OrderRefused,
}

// OrderView is an order as its buyer sees it.
type OrderView struct {
	ledger.Order
	State    OrderState
	Refunded money.Fen
}

// Get shows a buyer's order with what became of its money.
func (a *Orders) Get(ctx context.Context, orderID, buyerID string) (OrderView, error) {
	o, _, err := a.lanes.Order(ctx, orderID)
	if err != nil && !errors.Is(err, lane.ErrUnknownOrder) {
		return OrderView{}, err
	}
	paid, moneyErr := a.money.Money(ctx, orderID)
	if moneyErr != nil {
		return OrderView{}, moneyErr
	}
	if err != nil {
		// Its campaign is settled and gone from the lanes; what was paid is kept.
		o = paid.Sale
	}
	if o.BuyerID != buyerID {
		return OrderView{}, lane.ErrUnknownOrder // not visible is not there
	}
	view := OrderView{Order: o, State: orderStates[o.State], Refunded: paid.Refunded}
	if paid.AllRefunded {
		view.State = OrderRefunded
	}
	return view, nil
}
