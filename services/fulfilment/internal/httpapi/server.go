// Package httpapi is fulfilment's door: generated types on one side, the use cases on the other.
package httpapi

import (
	"context"

	"github.com/qingcang/qingcang/services/fulfilment/internal/app"
	"github.com/qingcang/qingcang/services/fulfilment/internal/shipping"
	"github.com/qingcang/qingcang/services/internal/auth"
)

// Server implements the contract.
type Server struct{ app *app.App }

// NewServer returns the handlers of the use cases.
func NewServer(a *app.App) *Server { return &Server{app: a} }

var _ StrictServerInterface = (*Server)(nil)

// principal is who asks; the door lets nobody in without.
func principal(ctx context.Context) auth.Principal {
	p, _ := auth.PrincipalFrom(ctx)
	return p
}

// AddAddress implements POST /v1/addresses.
func (s *Server) AddAddress(ctx context.Context, r AddAddressRequestObject) (AddAddressResponseObject, error) {
	p := principal(ctx)
	id, err := s.app.AddAddress(ctx, p.Scope(), p.ID, r.Params.IdempotencyKey, app.Address(*r.Body))
	if err != nil {
		return nil, err
	}
	return AddAddress201JSONResponse{AddressId: id}, nil
}

// ListShippingOrders implements GET /v1/brands/{brandId}/shipping-orders.
func (s *Server) ListShippingOrders(ctx context.Context, r ListShippingOrdersRequestObject) (ListShippingOrdersResponseObject, error) {
	if principal(ctx).ID != r.BrandId {
		return nil, shipping.ErrUnknown
	}
	state, after, limit := shipping.Waiting, "", 100
	if r.Params.State != nil {
		state = shipping.State(*r.Params.State)
	}
	if r.Params.After != nil {
		after = *r.Params.After
	}
	if r.Params.Limit != nil {
		limit = *r.Params.Limit
	}
	orders, more, err := s.app.ShippingOrders(ctx, r.BrandId, state, after, limit)
	if err != nil {
		return nil, err
	}
	page := ShippingOrderPage{Items: make([]ShippingOrder, 0, len(orders))}
	for _, o := range orders {
		page.Items = append(page.Items, ShippingOrder{
			ShippingOrderId: o.ShippingOrderID, OrderId: o.ID, CampaignUid: o.CampaignUID, State: StateName(o.State), Lines: lines(o),
		})
	}
	if more {
		page.Next = &orders[limit-1].ShippingOrderID
	}
	return ListShippingOrders200JSONResponse(page), nil
}

// StartPicking implements POST /v1/shipping-orders/{shippingOrderId}/picking.
func (s *Server) StartPicking(ctx context.Context, r StartPickingRequestObject) (StartPickingResponseObject, error) {
	o, address, err := s.app.StartPicking(ctx, principal(ctx).ID, r.ShippingOrderId)
	if err != nil {
		return nil, err
	}
	return StartPicking200JSONResponse{
		ShippingOrderId: o.ShippingOrderID, State: StateName(o.State), Address: Address(address), Lines: lines(o),
	}, nil
}

// ReportShipment implements POST /v1/shipping-orders/{shippingOrderId}/shipment.
func (s *Server) ReportShipment(ctx context.Context, r ReportShipmentRequestObject) (ReportShipmentResponseObject, error) {
	var shipment shipping.Shipment
	if r.Body.Carrier != nil {
		shipment.Carrier = *r.Body.Carrier
	}
	if r.Body.WaybillNo != nil {
		shipment.WaybillNo = *r.Body.WaybillNo
	}
	for _, l := range r.Body.Lines {
		shipment.Lines = append(shipment.Lines, shipping.ShipmentLine{SKU: l.Sku, Num: l.Num, Real: l.Realnum, Lacking: l.Lacknum})
	}
	o, err := s.app.ReportShipment(ctx, principal(ctx).ID, r.ShippingOrderId, shipment)
	if err != nil {
		return nil, err
	}
	return ReportShipment200JSONResponse{ShippingOrderId: o.ShippingOrderID, State: StateName(o.State)}, nil
}

// ReportReceipt implements POST /v1/shipping-orders/{shippingOrderId}/receipt.
func (s *Server) ReportReceipt(ctx context.Context, r ReportReceiptRequestObject) (ReportReceiptResponseObject, error) {
	o, err := s.app.ReportReceipt(ctx, r.ShippingOrderId)
	if err != nil {
		return nil, err
	}
	return ReportReceipt200JSONResponse{ShippingOrderId: o.ShippingOrderID, State: StateName(o.State)}, nil
}

// GetDelivery implements GET /v1/orders/{orderId}/delivery.
func (s *Server) GetDelivery(ctx context.Context, r GetDeliveryRequestObject) (GetDeliveryResponseObject, error) {
	o, err := s.app.Delivery(ctx, principal(ctx).ID, r.OrderId)
	if err != nil {
		return nil, err
	}
	return GetDelivery200JSONResponse(delivery(o)), nil
}

// RequestReturn implements POST /v1/orders/{orderId}/returns.
func (s *Server) RequestReturn(ctx context.Context, r RequestReturnRequestObject) (RequestReturnResponseObject, error) {
	p := principal(ctx)
	wanted := make([]shipping.ReturnLine, 0, len(r.Body.Lines))
	for _, l := range r.Body.Lines {
		wanted = append(wanted, shipping.ReturnLine{SKU: l.Sku, Units: l.Units})
	}
	made, err := s.app.RequestReturn(ctx, p.Scope(), p.ID, r.OrderId, r.Params.IdempotencyKey, wanted)
	if err != nil {
		return nil, err
	}
	return RequestReturn201JSONResponse(returnState(made)), nil
}

// ReceiveReturn implements POST /v1/returns/{returnId}/receipt.
func (s *Server) ReceiveReturn(ctx context.Context, r ReceiveReturnRequestObject) (ReceiveReturnResponseObject, error) {
	made, err := s.app.ReceiveReturn(ctx, principal(ctx).ID, r.ReturnId)
	if err != nil {
		return nil, err
	}
	return ReceiveReturn200JSONResponse(returnState(made)), nil
}
