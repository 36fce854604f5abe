package story

import (
	"context"
	"fmt"
	"time"

	"github.com/qingcang/qingcang/hack/internal/actor"
	"github.com/qingcang/qingcang/hack/internal/client/order"
)

// orders places an order for a new person with an address of its own.
func (t *story) orders(ctx context.Context, name string, lines ...order.Line) (*actor.Person, *order.Order, error) {
	p, err := t.cast.LogIn(ctx, name)
	if err != nil {
		return nil, nil, err
	}
	addressID, err := p.AddAddress(ctx, "story-address-1", address("收件人"+name))
	if err != nil {
		return nil, nil, err
	}
	o, err := p.Place(ctx, t.uid, "story-order-1", order.PlaceOrder{ShareToken: t.shareToken, AddressId: addressID, Lines: lines})
	return p, o, err
}

// pays opens the payment, confirms it on the phone, and waits until the order is paid.
func (t *story) pays(ctx context.Context, p *actor.Person, orderID string) error {
	payment, err := p.Pay(ctx, "story-payment-1", orderID)
	if err != nil {
		return err
	}
	if err := t.cast.Confirm(ctx, payment.Payment.PrepayId, false); err != nil {
		return err
	}
	return t.reaches(ctx, p, orderID, "paid")
}

func (t *story) reaches(ctx context.Context, p *actor.Person, orderID string, state order.OrderState) error {
	return soon(ctx, func(ctx context.Context) error {
		o, err := p.Order(ctx, orderID)
		if err == nil && o.State != state {
			err = fmt.Errorf("order %s is %s, not %s", orderID, o.State, state)
		}
		return err
	})
}

func (t *story) buyerBuys(ctx context.Context) error {
	t.Tells("A buyer orders two sizes through the link and pays within the hold")
	var err error
	t.buyer, t.paidOrder, err = t.orders(ctx, "li-na", order.Line{Sku: t.goods[0].sku, Units: 2}, order.Line{Sku: t.goods[1].sku, Units: 1})
	if err != nil {
		return err
	}
	want := 2*t.goods[0].priceFen + t.goods[1].priceFen
	if err := t.Expect(t.paidOrder.State == "held" && t.paidOrder.Fen == want, "held until %s, %d fen", t.paidOrder.Deadline.Format(time.TimeOnly), t.paidOrder.Fen); err != nil {
		return err
	}
	if err := t.pays(ctx, t.buyer, t.paidOrder.OrderId); err != nil {
		return err
	}
	again, err := t.buyer.Place(ctx, t.uid, "story-order-1", order.PlaceOrder{AddressId: "addr_01h455vb4pex5vsknk084sn02q", Lines: []order.Line{{Sku: t.goods[0].sku, Units: 1}}})
	if err := t.Expect(again == nil && refusedWith(err, "idempotency_key_reused"), "paid; the same key with another cart is refused"); err != nil {
		return err
	}
	_, err = t.buyer.Place(ctx, t.uid, "story-order-2", order.PlaceOrder{AddressId: "addr_01h455vb4pex5vsknk084sn02q", Lines: []order.Line{{Sku: t.goods[0].sku, Units: 2}}})
	if err := t.Expect(refusedWith(err, "over_limit"), "over the campaign's limit of 4 units: %v", err); err != nil {
		return err
	}
	_, err = t.buyer.Place(ctx, "00000000-0000-4000-8000-000000000000", "story-order-3", order.PlaceOrder{AddressId: "addr_01h455vb4pex5vsknk084sn02q", Lines: []order.Line{{Sku: t.goods[0].sku, Units: 1}}})
	return t.Expect(refusedWith(err, "unknown_campaign"), "an unknown campaign: %v", err)
}

func (t *story) holdRunsOut(ctx context.Context) error {
	t.Tells("A second buyer lets the hold of the last unit run out; a third buys it; a fourth is told sold out")
	last := order.Line{Sku: t.goods[2].sku, Units: 1}
	idle, held, err := t.orders(ctx, "zhang-wei", last)
	if err != nil {
		return err
	}
	_, _, err = t.orders(ctx, "too-early", last)
	if err := t.Expect(refusedWith(err, "sold_out"), "while it is held nobody else gets it"); err != nil {
		return err
	}
	if err := t.reaches(ctx, idle, held.OrderId, "expired"); err != nil {
		return err
	}
	third, bought, err := t.orders(ctx, "liu-yang", last)
	if err != nil {
		return err
	}
	if err := t.pays(ctx, third, bought.OrderId); err != nil {
		return err
	}
	if err := t.Expect(true, "the hold ran out and the unit was sold to the next"); err != nil {
		return err
	}
	_, _, err = t.orders(ctx, "chen-jie", last)
	if err := t.Expect(refusedWith(err, "sold_out"), "the fourth: %v", err); err != nil {
		return err
	}
	return t.shipWhole(ctx, third, bought)
}
