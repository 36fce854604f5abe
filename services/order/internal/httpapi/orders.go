package httpapi

import (
	"context"
	"errors"

	"github.com/qingcang/qingcang/services/internal/auth"
	"github.com/qingcang/qingcang/services/internal/fault"
	"github.com/qingcang/qingcang/services/internal/httpkit"
	"github.com/qingcang/qingcang/services/order/internal/app"
)

// PlaceOrder is here for the generated interface only: the counter serves it.
func (s *Server) PlaceOrder(context.Context, PlaceOrderRequestObject) (PlaceOrderResponseObject, error) {
	return nil, errors.New("an order came to the generated handler")
}

// GetOrder shows one of the buyer's orders.
func (s *Server) GetOrder(ctx context.Context, r GetOrderRequestObject) (GetOrderResponseObject, error) {
	buyer, ok := auth.PrincipalFrom(ctx)
	if !ok {
		return nil, auth.ErrNoCredentials
	}
	o, err := s.orders.Get(ctx, r.OrderID, buyer.ID)
	if err != nil {
		return nil, err
	}
	return GetOrder200JSONResponse(shown(o)), nil
}

// CancelOrder gives one of the buyer's orders up.
func (s *Server) CancelOrder(ctx context.Context, r CancelOrderRequestObject) (CancelOrderResponseObject, error) {
	buyer, ok := auth.PrincipalFrom(ctx)
	if !ok {
		return nil, auth.ErrNoCredentials
	}
	o, err := within(s.limit, func() (app.OrderView, error) { return s.orders.Cancel(ctx, r.OrderID, buyer.ID) })
	if err != nil {
		return nil, err
	}
	return CancelOrder200JSONResponse(shown(o)), nil
}

// within does what a lane writes in a place of the limiter. What the lane decided in any way tells how
// fast it is; what broke off does not.
func within(limit *httpkit.Limiter, do func() (app.OrderView, error)) (app.OrderView, error) {
	leave, err := enter(limit)
	if err != nil {
		return app.OrderView{}, err
	}
	decided := false
	defer func() { leave(decided) }()
	o, err := do()
	decided = err == nil || fault.KindOf(err) == fault.Conflict
	return o, err
}

// shown is an order as the contract writes it.
func shown(o app.OrderView) Order {
	out := Order{
		OrderID: o.ID, CampaignUID: o.CampaignUID, State: OrderState(o.State),
		Lines: make([]OrderLine, 0, len(o.Lines)), Dropped: make([]DroppedLine, 0, len(o.Dropped)),
		Fen: int64(o.Fen), RefundedFen: int64(o.Refunded),
	}
	if !o.Deadline.IsZero() {
		deadline := o.Deadline.UTC()
		out.Deadline = &deadline
	}
	for _, line := range o.Lines {
		out.Lines = append(out.Lines, OrderLine{Sku: line.SKU, Units: line.Units, PriceFen: int64(line.Price)})
	}
	for _, d := range o.Dropped {
		out.Dropped = append(out.Dropped, DroppedLine{
			Sku: d.SKU, Units: d.Units, Reason: DroppedLineReason(d.Reason), LeftUnits: d.Left,
		})
	}
	return out
}
