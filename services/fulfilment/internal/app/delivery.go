package app

import (
	"context"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/qingcang/qingcang/services/fulfilment/internal/shipping"
	"github.com/qingcang/qingcang/services/internal/ids"
)

// Delivery shows a buyer where the goods of an order are.
func (a *App) Delivery(ctx context.Context, buyer, orderID string) (shipping.Order, error) {
	o, err := a.order(ctx, orderID)
	if err == nil && o.BuyerID != buyer {
		err = shipping.ErrUnknown
	}
	return o, err
}

// RequestReturn takes a buyer's wish to send units back.
func (a *App) RequestReturn(ctx context.Context, scope, buyer, orderID, key string, lines []shipping.ReturnLine) (shipping.Return, error) {
	hash, err := bodyHash(lines)
	if err != nil {
		return shipping.Return{}, err
	}
	returnID := ids.Derive("ret", scope, "POST /v1/orders/{orderId}/returns", orderID, key)
	o, err := a.decide(ctx, orderID, func(o *shipping.Order, now time.Time) ([]proto.Message, error) {
		if o.BuyerID != buyer {
			return nil, shipping.ErrUnknown
		}
		return shipping.RequestReturn(o, returnID, lines, hash, now)
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
