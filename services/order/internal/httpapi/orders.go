package httpapi

import (
	"context"

	"github.com/qingcang/qingcang/services/internal/auth"
	"github.com/qingcang/qingcang/services/internal/httpkit"
	"github.com/qingcang/qingcang/services/order/internal/app"
)

// PlaceOrder answers 201 also for an order that the same key placed before.
func (s *Server) PlaceOrder(ctx context.Context, r PlaceOrderRequestObject) (PlaceOrderResponseObject, error) {
	buyer, ok := auth.PrincipalFrom(ctx)
	if !ok {
		return nil, auth.ErrNoCredentials
	}
	c := app.PlaceOrder{
		Buyer: buyer, IdempotencyKey: r.Params.IdempotencyKey, BodyHash: httpkit.BodyHash(ctx),
		CampaignUID: r.CampaignUID, ShareToken: r.Body.ShareToken, AddressID: r.Body.AddressID,
		TakeWhatFits: r.Body.TakeWhatFits,
	}
	for _, line := range r.Body.Lines {
		c.Lines = append(c.Lines, app.OrderLine{SKU: line.Sku, Units: line.Units})
	}
	o, err := s.orders.Place(ctx, c)
	if err != nil {
		return nil, err
	}
	return PlaceOrder201JSONResponse(shown(o)), nil
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
	o, err := s.orders.Cancel(ctx, r.OrderID, buyer.ID)
	if err != nil {
		return nil, err
	}
	return CancelOrder200JSONResponse(shown(o)), nil
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
