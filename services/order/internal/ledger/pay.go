package ledger

import (
	"fmt"

	lanev1 "github.com/qingcang/qingcang/proto/gen/lane/v1"
	orderv1 "github.com/qingcang/qingcang/proto/gen/order/v1"
	"github.com/qingcang/qingcang/services/internal/money"
)

// pay gives money its one defined result: it confirms the order, in time or by
// reviving it, or nobody wants it and it goes back.
func (l *Ledger) pay(p *lanev1.Pay) error {
	if p.GetOrderId() == "" || p.GetPaymentId() == "" {
		return fmt.Errorf("%w: a payment without id or order", ErrMalformed)
	}
	if l.answered(p) {
		return nil // and the answer stands
	}
	o, ok := l.orders[p.GetOrderId()]
	if !ok || o.State == Refused {
		l.stray(p)
		return nil
	}
	c := l.campaigns[o.CampaignUID] // is there as long as its orders are
	reason, revived := c.whyUnwanted(o, money.Fen(p.GetFen())), o.State != Held
	o.Payments = append(o.Payments, Payment{ID: p.GetPaymentId(), Reason: reason})
	if reason != "" {
		l.unwanted(p, o.CampaignUID, reason)
		return nil
	}
	if revived {
		l.hold(c, o)
	}
	l.sell(c, o)
	l.emit(confirmedEvent(o, p.GetPaymentId(), revived))
	l.drain(c)
	return nil
}

// whyUnwanted says why the order cannot take the money, or nothing.
func (c *campaign) whyUnwanted(o *Order, fen money.Fen) string {
	switch {
	case o.State == Confirmed:
		return AlreadyPaid
	case fen != o.Fen:
		return AmountDiffers
	case o.State == Held:
		return ""
	case c.phase == drained:
		return Closed
	}
	for _, line := range o.Lines {
		if !fits(line.Units, c.stock[line.SKU].free()) {
			return SoldOut
		}
	}
	// The buyer may have taken others in place of what he lost.
	if limit := c.good.GetBuyerLimitUnits(); limit > 0 && c.buyers[o.BuyerID]+o.units() > limit {
		return OverLimit
	}
	return ""
}

// stray refuses money for an order that holds nothing here, and remembers that
// while the campaign is here.
func (l *Ledger) stray(p *lanev1.Pay) {
	uid, reason := p.GetCampaignUid(), UnknownOrder
	if l.Retired(uid) {
		reason = RetiredCampaign
	}
	if c, ok := l.campaigns[uid]; ok {
		c.strays[p.GetPaymentId()] = struct{}{}
	}
	l.unwanted(p, uid, reason)
}

func (l *Ledger) unwanted(p *lanev1.Pay, uid, reason string) {
	l.emit(&orderv1.PaymentUnwanted{OrderId: p.GetOrderId(), CampaignUid: uid, PaymentId: p.GetPaymentId(), Reason: reason})
}

// cancel gives a hold up. Whatever else the order is, it stays.
func (l *Ledger) cancel(m *lanev1.Cancel) {
	o, ok := l.orders[m.GetOrderId()]
	if !ok || o.State != Held {
		return
	}
	l.release(l.campaigns[o.CampaignUID], o, Cancelled, orderv1.OrderReleased_REASON_CANCELLED)
}

func confirmedEvent(o *Order, paymentID string, revived bool) *orderv1.OrderConfirmed {
	e := &orderv1.OrderConfirmed{
		OrderId: o.ID, CampaignUid: o.CampaignUID, BrandId: o.BrandID, BuyerId: o.BuyerID, OwnerId: o.OwnerID,
		AddressId: o.AddressID, PaymentId: paymentID, CommissionBps: int32(o.Commission),
		ReturnWindow: o.returnWindow(), Revived: revived,
	}
	for _, line := range o.Lines {
		e.Lines = append(e.Lines, &orderv1.ConfirmedLine{
			Sku: line.SKU, Units: line.Units, PriceFen: int64(line.Price), SettlementFen: int64(line.SettlementPrice),
		})
	}
	return e
}
