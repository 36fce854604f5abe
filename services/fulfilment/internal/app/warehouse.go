package app

import (
	"context"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/qingcang/qingcang/services/fulfilment/internal/shipping"
)

// ShippingOrders returns a page of a brand's shipping orders in a state, by id, behind after, and
// whether there are more. It looks for what other replicas wrote: an order that the warehouse does
// not see is never sent.
func (a *App) ShippingOrders(ctx context.Context, brand string, state shipping.State, after string, limit int) (page []shipping.Order, more bool, err error) {
	if err := a.journal.Look(ctx); err != nil {
		return nil, false, err
	}
	a.journal.Each(func(_ int, s *shipping.Orders) { page = append(page, s.Page(brand, state, after, limit+1)...) })
	slices.SortFunc(page, func(x, y shipping.Order) int { return strings.Compare(x.ShippingOrderID, y.ShippingOrderID) })
	return page[:min(limit, len(page))], len(page) > limit, nil
}

// StartPicking shows the brand's warehouse where the goods go. The order is in picking even if its
// address cannot be shown: only then can all of it be reported as short and refunded.
func (a *App) StartPicking(ctx context.Context, brand, shippingOrderID string) (shipping.Order, Address, error) {
	o, err := a.forWarehouse(ctx, brand, shippingOrderID, func(o *shipping.Order, _ time.Time) ([]proto.Message, error) {
		return shipping.Pick(o)
	})
	if err != nil {
		return shipping.Order{}, Address{}, err
	}
	address, err := a.address(ctx, o.BuyerID, o.AddressID)
	return o, address, err
}

// ReportShipment takes what the warehouse sent and what was short.
func (a *App) ReportShipment(ctx context.Context, brand, shippingOrderID string, s shipping.Shipment) (shipping.Order, error) {
	hash, err := bodyHash(s)
	if err != nil {
		return shipping.Order{}, err
	}
	s.BodyHash = hash
	return a.forWarehouse(ctx, brand, shippingOrderID, func(o *shipping.Order, _ time.Time) ([]proto.Message, error) {
		return shipping.Ship(o, s)
	})
}

// ReportReceipt takes the carrier's word that the parcel was signed for.
func (a *App) ReportReceipt(ctx context.Context, shippingOrderID string) (shipping.Order, error) {
	orderID, err := a.locate(ctx, func(s *shipping.Orders) (string, bool) { return s.ByShippingOrder(shippingOrderID) })
	if err != nil {
		return shipping.Order{}, err
	}
	return a.decide(ctx, orderID, shipping.Sign)
}

// ReceiveReturn takes the warehouse's word that returned goods are there.
func (a *App) ReceiveReturn(ctx context.Context, brand, returnID string) (shipping.Return, error) {
	orderID, err := a.locate(ctx, func(s *shipping.Orders) (string, bool) { return s.ByReturn(returnID) })
	if err != nil {
		return shipping.Return{}, err
	}
	o, err := a.decide(ctx, orderID, func(o *shipping.Order, _ time.Time) ([]proto.Message, error) {
		if o.BrandID != brand {
			return nil, shipping.ErrUnknown
		}
		return shipping.ReceiveReturn(o, returnID)
	})
	if err != nil {
		return shipping.Return{}, err
	}
	r, ok := o.Return(returnID)
	if !ok {
		return shipping.Return{}, shipping.ErrUnknown
	}
	return *r, nil
}

// forWarehouse decides about a shipping order that is the brand's own; another's is not found.
func (a *App) forWarehouse(ctx context.Context, brand, shippingOrderID string,
	decide func(*shipping.Order, time.Time) ([]proto.Message, error),
) (shipping.Order, error) {
	orderID, err := a.locate(ctx, func(s *shipping.Orders) (string, bool) { return s.ByShippingOrder(shippingOrderID) })
	if err != nil {
		return shipping.Order{}, err
	}
	return a.decide(ctx, orderID, func(o *shipping.Order, now time.Time) ([]proto.Message, error) {
		if o.BrandID != brand {
			return nil, shipping.ErrUnknown
		}
		return decide(o, now)
	})
}
