package story

import (
	"context"
	"fmt"

	"github.com/qingcang/qingcang/hack/internal/actor"
	"github.com/qingcang/qingcang/hack/internal/client/fulfilment"
	"github.com/qingcang/qingcang/hack/internal/client/order"
)

// awaits returns the shipping order of a paid order, once fulfilment has heard of it.
func (t *story) awaits(ctx context.Context, p *actor.Person, orderID string) (id string, err error) {
	err = soon(ctx, func(ctx context.Context) error {
		d, err := p.Delivery(ctx, orderID)
		if err == nil {
			id = d.ShippingOrderId
		}
		return err
	})
	return id, err
}

// shipWhole picks, ships and signs an order of which nothing is short.
func (t *story) shipWhole(ctx context.Context, p *actor.Person, o *order.Order) error {
	id, err := t.awaits(ctx, p, o.OrderId)
	if err != nil {
		return err
	}
	if _, err := t.brand.Pick(ctx, id); err != nil {
		return err
	}
	shipment := parcel("SF2000000002")
	for _, l := range o.Lines {
		shipment.Lines = append(shipment.Lines, fulfilment.ShipmentLine{Sku: l.Sku, Num: l.Units, Realnum: l.Units})
	}
	if err := t.brand.Ship(ctx, "story-ship-2", id, shipment); err != nil {
		return err
	}
	_, err = t.carrier.SignFor(ctx, id)
	return err
}

func parcel(waybill string) fulfilment.Shipment {
	carrier := "SF"
	return fulfilment.Shipment{Carrier: &carrier, WaybillNo: &waybill}
}

func (t *story) warehouseShips(ctx context.Context) error {
	t.Tells("The brand's warehouse picks the first order, ships one line and reports the other short; the buyer gets that money back")
	id, err := t.awaits(ctx, t.buyer, t.paidOrder.OrderId)
	if err != nil {
		return err
	}
	picking, err := t.brand.Pick(ctx, id)
	if err != nil {
		return err
	}
	if err := t.Expect(picking.Address.City == "杭州市", "the warehouse sees the address at picking"); err != nil {
		return err
	}
	shipment := parcel("SF1000000001")
	shipment.Lines = []fulfilment.ShipmentLine{
		{Sku: t.goods[0].sku, Num: 2, Realnum: 2, Lacknum: 0},
		{Sku: t.goods[1].sku, Num: 1, Realnum: 0, Lacknum: 1},
	}
	if err := t.brand.Ship(ctx, "story-ship-1", id, shipment); err != nil {
		return err
	}
	return soon(ctx, func(ctx context.Context) error {
		o, err := t.buyer.Order(ctx, t.paidOrder.OrderId)
		if err == nil && o.RefundedFen != t.goods[1].priceFen {
			err = fmt.Errorf("%d fen came back", o.RefundedFen)
		}
		if err != nil {
			return err
		}
		return t.Expect(true, "num 1, realnum 0, lacknum 1: %d fen went back", o.RefundedFen)
	})
}

func (t *story) parcelSigned(ctx context.Context) error {
	t.Tells("The parcel is signed for; after the return window the commission is the owner's, net of what was short")
	wallet, err := t.owner.Wallet(ctx)
	if err != nil {
		return err
	}
	t.Sees("before: accrued %d, reversed %d, pending %d, available %d fen", wallet.AccruedFen, wallet.ReversedFen, wallet.PendingFen, wallet.AvailableFen)
	id, err := t.awaits(ctx, t.buyer, t.paidOrder.OrderId)
	if err != nil {
		return err
	}
	if _, err := t.carrier.SignFor(ctx, id); err != nil {
		return err
	}
	want := 2*t.goods[0].priceFen*commissionBps/10_000 + t.goods[2].priceFen*commissionBps/10_000
	return soon(ctx, func(ctx context.Context) error {
		wallet, err := t.owner.Wallet(ctx)
		if err == nil && (wallet.AvailableFen != want || wallet.PendingFen != 0) {
			err = fmt.Errorf("available %d, pending %d fen; %d are due", wallet.AvailableFen, wallet.PendingFen, want)
		}
		if err != nil {
			return err
		}
		return t.Expect(true, "after: accrued %d, reversed %d, pending %d, available %d fen", wallet.AccruedFen, wallet.ReversedFen, wallet.PendingFen, wallet.AvailableFen)
	})
}

func (t *story) moneyAddsUp(ctx context.Context) error {
	t.Tells("The brand's statement adds up to the fen")
	s, err := t.brand.Statement(ctx, t.uid)
	if err != nil {
		return err
	}
	t.Sees("sold %d units %d fen, short %d units %d fen, returned %d units", s.SoldUnits, s.SoldFen, s.ShortUnits, s.ShortFen, s.ReturnedUnits)
	t.Sees("brand %d + commission %d + platform %d fen, of which the brand's final part is %d", s.PayableFen, s.CommissionFen, s.PlatformFen, s.MaturedFen)
	if err := t.Expect(s.Balanced && s.SoldFen-s.ShortFen-s.ReturnedFen == s.PayableFen+s.CommissionFen+s.PlatformFen, "sold − short − returned = payable + commission + platform"); err != nil {
		return err
	}
	payable := 2*t.goods[0].settlementFen + t.goods[2].settlementFen
	return t.Expect(s.PayableFen == payable && s.MaturedFen == payable, "the brand is owed %d fen, three units at the settlement price", payable)
}
