package ledger

import (
	"fmt"
	"math"
	"slices"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	orderv1 "github.com/qingcang/qingcang/proto/gen/order/v1"
	"github.com/qingcang/qingcang/proto/lane/record"
)

const (
	// MaxLines bounds the lines of one order.
	MaxLines = 500
	// MaxUnits bounds the units of one line as written, so that sums of lines
	// cannot overflow.
	MaxUnits = 1_000_000
)

// place decides an order: check and hold are one step. An id that is known
// changes nothing, whatever the body: who asks compares the body's hash.
func (l *Ledger) place(p *record.Place) error {
	if err := checkPlace(p); err != nil {
		return err
	}
	k, whole := keyOf(p.OrderID)
	c, ok := l.campaigns[p.CampaignUID]
	if !ok {
		// Not remembered: nothing would ever free it.
		l.refuse(k, p, l.whyUnknown(p.CampaignUID), nil)
		return nil
	}
	if _, _, known := c.orders.get(k.print()); known {
		return nil
	}
	if reason := c.refusesAll(); reason != "" {
		c.orders.set(k.print(), codeOfReason(reason), where(l.offset))
		l.refuse(k, p, reason, nil)
		return nil
	}
	account := accountOf(p.BuyerID)
	b, err := c.fit(c.accounts[account], p.Lines)
	if err != nil {
		return err
	}
	if len(b.dropped) > 0 && (!p.TakeWhatFits || len(b.lines) == 0) {
		c.orders.set(k.print(), codeOfReason(b.dropped[0].reason), where(l.offset))
		l.refuse(k, p, b.dropped[0].reason, b.dropped)
		return nil
	}
	if !whole {
		b.id = p.OrderID
	}
	l.hold(c, k, account, p, b)
	return nil
}

func checkPlace(p *record.Place) error {
	if p.OrderID == "" || p.CampaignUID == "" || p.BuyerID == "" {
		return fmt.Errorf("%w: an order without id, campaign or buyer", ErrMalformed)
	}
	if len(p.Lines) == 0 || len(p.Lines) > MaxLines {
		return fmt.Errorf("%w: an order has 1 to %d lines, not %d", ErrMalformed, MaxLines, len(p.Lines))
	}
	for _, one := range p.Lines {
		if one.SKU == "" || one.Units <= 0 || one.Units > MaxUnits {
			return fmt.Errorf("%w: a line has a SKU and 1 to %d units", ErrMalformed, MaxUnits)
		}
	}
	return nil
}

func (l *Ledger) whyUnknown(uid string) string {
	if l.Retired(uid) {
		return Closed
	}
	return UnknownCampaign
}

// refusesAll says why the campaign takes no order now, or nothing.
func (c *campaign) refusesAll() string {
	switch {
	case c.phase == closed || c.phase == drained:
		return Closed
	case c.phase != open:
		return NotOpen
	case c.suspended():
		return Suspended
	}
	return ""
}

// Refuses says why the campaign would refuse any order of the buyer, whatever is
// in it; nothing if it might take one.
func (l *Ledger) Refuses(campaignUID, buyerID string) string {
	c, ok := l.campaigns[campaignUID]
	if !ok {
		if l.Retired(campaignUID) {
			return Closed
		}
		return NotOpen // it has a lane, which has not heard of it yet
	}
	if reason := c.refusesAll(); reason != "" {
		return reason
	}
	if c.soldOut() {
		return SoldOut
	}
	a := c.accounts[accountOf(buyerID)]
	switch {
	case int64(a.units) >= a.mayHave(c.goodHead().GetBuyerLimitUnits()):
		return OverLimit
	case int64(a.held) >= a.mayHold(c.goodHead().GetHoldLimitUnits()):
		return OverHold
	}
	return ""
}

// soldOut reports whether nothing of the campaign can be held.
func (c *campaign) soldOut() bool {
	return !slices.ContainsFunc(c.shelf.stock, func(s stock) bool { return s.free() > 0 })
}

// fit shares the lines out into those that the campaign can hold and those that
// are dropped, in the order given, each whole. Lines that name one SKU twice
// are one line.
func (c *campaign) fit(a account, asked []record.Units) (cart, error) {
	var b cart
	head, t := c.goodHead(), c.good()
	most, unpaid := a.mayHave(head.GetBuyerLimitUnits()), a.mayHold(head.GetHoldLimitUnits())
	had, held := int64(a.units), int64(a.held)
	for _, want := range sums(asked) {
		i, known := c.shelf.find(want.SKU)
		var free int64
		if known {
			free = c.shelf.stock[i].free()
		}
		reason := ""
		switch {
		case !known || t.offer(i).price < 0:
			reason = NotOffered
		case !fits(want.Units, free):
			reason = SoldOut
		case had+want.Units > most:
			reason = OverLimit
		case held+want.Units > unpaid:
			reason = OverHold
		}
		if reason != "" {
			b.dropped = append(b.dropped, drop{sku: want.SKU, units: want.Units, reason: reason, left: free})
			continue
		}
		had, held = had+want.Units, held+want.Units
		b.lines = append(b.lines, line{item: i, units: want.Units})
	}
	if _, _, err := c.priced(b.lines, math.MaxInt64); err != nil {
		return cart{}, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return b, nil
}

// sums adds the units of equal SKUs up; the first line of each keeps its place.
func sums(asked []record.Units) []record.Units {
	if len(asked) == 1 {
		return asked
	}
	out := make([]record.Units, 0, len(asked))
	place := make(map[string]int, len(asked))
	for _, one := range asked {
		i, seen := place[one.SKU]
		if !seen {
			place[one.SKU] = len(out)
			out = append(out, one)
			continue
		}
		out[i].Units += one.Units
	}
	return out
}

// summed are the lines of an order that was taken whole, one for each SKU.
func (c *campaign) summed(asked []record.Units) []line {
	lines := make([]line, 0, len(asked))
	for _, one := range sums(asked) {
		if i, ok := c.shelf.find(one.SKU); ok {
			lines = append(lines, line{item: i, units: one.Units})
		}
	}
	return lines
}

// hold takes a cart's stock out of what is free.
func (l *Ledger) hold(c *campaign, k key, buyer fingerprint, p *record.Place, b cart) {
	c.touched = l.offset
	for _, one := range b.lines {
		c.shelf.stock[one.item].held += one.units
	}
	units, a := unitsOf(b.lines), c.accounts[buyer]
	h := hold{order: k, account: buyer, offset: l.offset, item: manyItems, units: 1}
	if len(b.lines) == 1 && units < 1<<unitBits {
		h.item, h.units = uint32(b.lines[0].item), uint32(units)
	}
	if h.item == manyItems || b.id != "" || len(b.dropped) > 0 {
		c.carts[k.print()] = b
	}
	w, deadline := c.holds.add(l.now, a.holdSeconds(c.goodHead().GetHoldSeconds())*1_000, h)
	c.orders.set(k.print(), isHeld, w)
	a.units += uint32(units)
	a.held += uint32(units)
	c.keep(buyer, a)

	l.emit(k.print(), units, func() proto.Message { return c.heldEvent(p, b, deadline) })
}

func (c *campaign) heldEvent(p *record.Place, b cart, deadline int64) *orderv1.OrderHeld {
	lines, fen, _ := c.priced(b.lines, math.MaxInt64) // fit has seen that it adds up
	e := &orderv1.OrderHeld{
		OrderId: p.OrderID, CampaignUid: c.uid, BrandId: c.brandID, BuyerId: p.BuyerID, OwnerId: earner(p.OwnerID, p.BuyerID),
		Dropped: droppedEvents(b.dropped), Fen: int64(fen), Deadline: timestamppb.New(timeOf(deadline)),
	}
	for _, one := range lines {
		e.Lines = append(e.Lines, &orderv1.HeldLine{Sku: one.SKU, Units: one.Units, PriceFen: int64(one.Price)})
	}
	return e
}

func (l *Ledger) refuse(k key, p *record.Place, reason string, dropped []drop) {
	l.emit(k.print(), int64(len(dropped)), func() proto.Message {
		return &orderv1.OrderRefused{OrderId: p.OrderID, CampaignUid: p.CampaignUID, Reason: reason, Lines: droppedEvents(dropped)}
	})
}

func droppedEvents(dropped []drop) []*orderv1.RefusedLine {
	var lines []*orderv1.RefusedLine
	for _, d := range dropped {
		lines = append(lines, &orderv1.RefusedLine{Sku: d.sku, Units: d.units, Reason: d.reason, LeftUnits: d.left})
	}
	return lines
}
