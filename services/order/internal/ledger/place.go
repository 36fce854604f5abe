package ledger

import (
	"fmt"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	lanev1 "github.com/qingcang/qingcang/proto/gen/lane/v1"
	orderv1 "github.com/qingcang/qingcang/proto/gen/order/v1"
	"github.com/qingcang/qingcang/services/internal/money"
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
func (l *Ledger) place(p *lanev1.Place) error {
	if err := checkPlace(p); err != nil {
		return err
	}
	if _, known := l.orders[p.GetOrderId()]; known {
		return nil
	}
	o := newOrder(p)
	c, ok := l.campaigns[o.CampaignUID]
	if !ok {
		// Not remembered: nothing would ever free it.
		l.refuse(o, l.whyUnknown(o.CampaignUID))
		return nil
	}
	o.BrandID = c.brandID
	if reason := c.refusesAll(); reason != "" {
		l.orders[o.ID] = o
		l.refuse(o, reason)
		return nil
	}
	if err := c.fit(o, p.GetLines()); err != nil {
		return err
	}
	l.orders[o.ID] = o
	if len(o.Dropped) > 0 && (!p.GetTakeWhatFits() || len(o.Lines) == 0) {
		o.Lines, o.Fen = nil, 0
		l.refuse(o, o.Dropped[0].Reason)
		return nil
	}
	o.Commission = money.Bps(c.good.GetCommissionBps())
	o.WindowSecs, o.WindowFrom = c.good.GetReturnWindow().GetSeconds(), c.good.GetReturnWindow().GetFrom()
	o.Deadline = l.now.Add(time.Duration(c.good.GetHoldSeconds()) * time.Second)
	l.hold(c, o)
	l.emit(heldEvent(o))
	return nil
}

func checkPlace(p *lanev1.Place) error {
	if p.GetOrderId() == "" || p.GetCampaignUid() == "" || p.GetBuyerId() == "" {
		return fmt.Errorf("%w: an order without id, campaign or buyer", ErrMalformed)
	}
	if len(p.GetLines()) == 0 || len(p.GetLines()) > MaxLines {
		return fmt.Errorf("%w: an order has 1 to %d lines, not %d", ErrMalformed, MaxLines, len(p.GetLines()))
	}
	for _, line := range p.GetLines() {
		if line.GetSku() == "" || line.GetUnits() <= 0 || line.GetUnits() > MaxUnits {
			return fmt.Errorf("%w: a line has a SKU and 1 to %d units", ErrMalformed, MaxUnits)
		}
	}
	return nil
}

func newOrder(p *lanev1.Place) *Order {
	o := &Order{
		ID: p.GetOrderId(), CampaignUID: p.GetCampaignUid(), BuyerID: p.GetBuyerId(),
		OwnerID: p.GetOwnerId(), AddressID: p.GetAddressId(), BodyHash: p.GetBodyHash(),
	}
	if o.OwnerID == o.BuyerID {
		o.OwnerID = "" // nobody earns on what he buys himself
	}
	return o
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

// fit shares the lines out into those that the campaign can hold and those that
// are dropped, in the order given, each whole. Lines that name one SKU twice
// are one line.
func (c *campaign) fit(o *Order, lines []*lanev1.Units) error {
	limit, mine := c.good.GetBuyerLimitUnits(), c.buyers[o.BuyerID]
	for _, want := range summed(lines) {
		s, item := c.stock[want.SKU], c.items[want.SKU]
		drop := func(reason string) {
			o.Dropped = append(o.Dropped, Dropped{SKU: want.SKU, Units: want.Units, Reason: reason, Left: s.free()})
		}
		switch {
		case item == nil:
			drop(NotOffered)
			continue
		case !fits(want.Units, s.free()):
			drop(SoldOut)
			continue
		case limit > 0 && mine+want.Units > limit:
			drop(OverLimit)
			continue
		}
		want.Price, want.SettlementPrice = money.Fen(item.GetPriceFen()), money.Fen(item.GetSettlementFen())
		fen, err := want.Price.Mul(want.Units)
		if err == nil {
			o.Fen, err = o.Fen.Add(fen)
		}
		if err != nil {
			return fmt.Errorf("%w: %w", ErrMalformed, err)
		}
		mine += want.Units
		o.Lines = append(o.Lines, want)
	}
	return nil
}

// summed adds the units of equal SKUs up; the first line of each keeps its place.
func summed(lines []*lanev1.Units) []Line {
	sums := make([]Line, 0, len(lines))
	place := make(map[string]int, len(lines))
	for _, line := range lines {
		i, seen := place[line.GetSku()]
		if !seen {
			i = len(sums)
			place[line.GetSku()] = i
			sums = append(sums, Line{SKU: line.GetSku()})
		}
		sums[i].Units += line.GetUnits()
	}
	return sums
}

func (l *Ledger) refuse(o *Order, reason string) {
	o.State, o.Reason = Refused, reason
	l.emit(&orderv1.OrderRefused{OrderId: o.ID, CampaignUid: o.CampaignUID, Reason: reason, Lines: droppedEvents(o)})
}

func heldEvent(o *Order) *orderv1.OrderHeld {
	e := &orderv1.OrderHeld{
		OrderId: o.ID, CampaignUid: o.CampaignUID, BrandId: o.BrandID, BuyerId: o.BuyerID, OwnerId: o.OwnerID,
		Dropped: droppedEvents(o), Fen: int64(o.Fen), Deadline: timestamppb.New(o.Deadline),
	}
	for _, line := range o.Lines {
		e.Lines = append(e.Lines, &orderv1.HeldLine{Sku: line.SKU, Units: line.Units, PriceFen: int64(line.Price)})
	}
	return e
}

func droppedEvents(o *Order) []*orderv1.RefusedLine {
	var lines []*orderv1.RefusedLine
	for _, d := range o.Dropped {
		lines = append(lines, &orderv1.RefusedLine{Sku: d.SKU, Units: d.Units, Reason: d.Reason, LeftUnits: d.Left})
	}
	return lines
}
