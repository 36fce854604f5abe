package ledger

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	orderv1 "github.com/qingcang/qingcang/proto/gen/order/v1"
	"github.com/qingcang/qingcang/proto/lane/record"
	"github.com/qingcang/qingcang/services/internal/ids"
	"github.com/qingcang/qingcang/services/internal/money"
)

// pay gives money its one defined result: it confirms the order, in time or by
// reviving it, or nobody wants it and it goes back.
func (l *Ledger) pay(p *record.Pay) error {
	if p.OrderID == "" || p.PaymentID == "" {
		return fmt.Errorf("%w: a payment without id or order", ErrMalformed)
	}
	if l.answered(p) {
		return nil // and the answer stands
	}
	c, ok := l.campaigns[p.CampaignUID]
	if !ok {
		l.unwanted(nil, p, l.whyStray(p.CampaignUID))
		return nil
	}
	k, _ := keyOf(p.OrderID)
	state, w, ok := c.orders.get(k.print())
	if !ok || state.state() == Refused || len(p.Lines) == 0 {
		l.unwanted(c, p, UnknownOrder)
		return nil
	}
	if state == isHeld {
		return l.payHeld(c, p, c.holds.get(w))
	}
	return l.payLate(c, p, k, state, int64(w))
}

func (l *Ledger) whyStray(uid string) string {
	if l.Retired(uid) {
		return RetiredCampaign
	}
	return UnknownOrder
}

// payHeld takes money for an order that holds its stock.
func (l *Ledger) payHeld(c *campaign, p *record.Pay, h hold) error {
	lines, fen, err := c.priced(c.linesOf(h), h.offset)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if fen != money.Fen(p.Fen) {
		l.unwanted(c, p, AmountDiffers)
		return nil
	}
	c.sell(h)
	c.touched = l.offset
	c.paid(h.order.print(), p)
	l.confirm(c, p, lines, h.offset, false)
	return nil
}

// payLate takes money for an order that holds nothing any more: it is revived if
// what it held is free, and its buyer may still have it.
func (l *Ledger) payLate(c *campaign, p *record.Pay, k key, state code, offset int64) error {
	held, err := c.heldBefore(k, p)
	if err != nil {
		return err
	}
	lines, fen, err := c.priced(held, offset)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	account := accountOf(p.BuyerID)
	if reason := c.whyUnwanted(state, c.accounts[account], held, fen, money.Fen(p.Fen)); reason != "" {
		l.unwanted(c, p, reason)
		return nil
	}
	c.touched = l.offset
	for _, one := range held {
		c.shelf.stock[one.item].sold += one.units
	}
	a := c.accounts[account]
	a.units += uint32(unitsOf(held))
	a.spoilt = 0
	c.keep(account, a)
	c.orders.set(k.print(), isConfirmed, where(offset))
	c.paid(k.print(), p)
	l.confirm(c, p, lines, offset, true)
	return nil
}

// heldBefore is what an order held: what is remembered of a part, else what the
// payment says, for the whole order was held.
func (c *campaign) heldBefore(k key, p *record.Pay) ([]line, error) {
	if kept, ok := c.carts[k.print()]; ok {
		return kept.lines, nil
	}
	for _, one := range p.Lines {
		if _, ok := c.shelf.find(one.SKU); !ok || one.Units <= 0 || one.Units > MaxUnits*MaxLines {
			return nil, fmt.Errorf("%w: a payment for %d units of %s, which were not held", ErrMalformed, one.Units, one.SKU)
		}
	}
	return c.summed(p.Lines), nil
}

// whyUnwanted says why an order that holds nothing cannot take the money, or nothing.
func (c *campaign) whyUnwanted(state code, a account, held []line, fen, paid money.Fen) string {
	switch {
	case state == isConfirmed:
		return AlreadyPaid
	case fen != paid:
		return AmountDiffers
	case c.phase == drained:
		return Closed
	}
	for _, one := range held {
		if !fits(one.units, c.shelf.stock[one.item].free()) {
			return SoldOut
		}
	}
	// The buyer may have taken others in place of what he lost.
	if int64(a.units)+unitsOf(held) > a.mayHave(c.goodHead().GetBuyerLimitUnits()) {
		return OverLimit
	}
	return ""
}

// paid remembers which payment confirmed an order. That it is the one whose id
// follows from the order's needs no memory.
func (c *campaign) paid(order fingerprint, p *record.Pay) {
	if p.PaymentID != PaymentOf(p.OrderID) {
		c.paidBy[order] = p.PaymentID
	}
}

// confirmedBy reports whether this very payment confirmed the order.
func (c *campaign) confirmedBy(order fingerprint, p *record.Pay) bool {
	if by, ok := c.paidBy[order]; ok {
		return by == p.PaymentID
	}
	return p.PaymentID == PaymentOf(p.OrderID)
}

// PaymentOf is the id of an order's payment: an order has one.
func PaymentOf(orderID string) string { return ids.Derive("pay", orderID) }

// unwanted sends money back and, while the campaign is here, remembers that.
func (l *Ledger) unwanted(c *campaign, p *record.Pay, reason string) {
	if c != nil {
		c.returned[p.PaymentID] = struct{}{}
	}
	l.emit(printOf(p.PaymentID), p.Fen, func() proto.Message {
		return &orderv1.PaymentUnwanted{OrderId: p.OrderID, CampaignUid: p.CampaignUID, PaymentId: p.PaymentID, Reason: reason}
	})
}

func (l *Ledger) confirm(c *campaign, p *record.Pay, lines []Line, offset int64, revived bool) {
	l.emit(printOf(p.PaymentID), p.Fen, func() proto.Message { return c.confirmed(p, lines, offset, revived) })
	l.drain(c)
}

func (c *campaign) confirmed(p *record.Pay, lines []Line, offset int64, revived bool) *orderv1.OrderConfirmed {
	head := c.termsAt(offset).head
	e := &orderv1.OrderConfirmed{
		OrderId: p.OrderID, CampaignUid: c.uid, BrandId: c.brandID, BuyerId: p.BuyerID, OwnerId: p.OwnerID,
		AddressId: p.AddressID, PaymentId: p.PaymentID, CommissionBps: head.GetCommissionBps(),
		ReturnWindow: returnWindowOf(head), Revived: revived,
	}
	for _, one := range lines {
		e.Lines = append(e.Lines, &orderv1.ConfirmedLine{
			Sku: one.SKU, Units: one.Units, PriceFen: int64(one.Price), SettlementFen: int64(one.SettlementPrice),
		})
	}
	return e
}

// cancel gives a hold up. Whatever else the order is, it stays.
func (l *Ledger) cancel(m *record.Cancel) {
	c, ok := l.campaigns[m.CampaignUID]
	if !ok {
		return
	}
	k, _ := keyOf(m.OrderID)
	if state, w, ok := c.orders.get(k.print()); ok && state == isHeld {
		l.release(c, c.holds.get(w), isCancelled, orderv1.OrderReleased_REASON_CANCELLED)
	}
}
