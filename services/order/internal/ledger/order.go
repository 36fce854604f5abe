package ledger

import (
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
	orderv1 "github.com/qingcang/qingcang/proto/gen/order/v1"
	"github.com/qingcang/qingcang/proto/lane/record"
	"github.com/qingcang/qingcang/services/internal/money"
)

// State is where an order stands in the lane.
type State string

// The states. Money that goes back after Confirmed is not the lane's affair.
const (
	Held      State = "held"
	Confirmed State = "confirmed"
	Expired   State = "expired"
	Cancelled State = "cancelled"
	Refused   State = "refused"
)

// Why an order, a line or a payment was not taken. The words are part of the
// events and of the HTTP contract.
const (
	NotOpen         = "not_open"
	Suspended       = "suspended"
	Closed          = "closed"
	SoldOut         = "sold_out"
	NotOffered      = "not_offered"
	OverLimit       = "over_limit"
	OverHold        = "over_hold"
	UnknownCampaign = "unknown_campaign"

	RetiredCampaign = "retired"
	UnknownOrder    = "unknown_order"
	AmountDiffers   = "amount_differs"
	AlreadyPaid     = "already_paid"
)

// The codes of states and, for refused orders, of their reasons. They stand in
// snapshots: they never change.
const (
	isHeld      code = 1
	isConfirmed code = 2
	isExpired   code = 3
	isCancelled code = 4
)

var refusedAs = [16]string{
	8: NotOpen, 9: Suspended, 10: Closed, 11: SoldOut, 12: NotOffered, 13: OverLimit, 14: OverHold,
}

var states = [16]State{isHeld: Held, isConfirmed: Confirmed, isExpired: Expired, isCancelled: Cancelled}

func (c code) state() State {
	if refusedAs[c] != "" {
		return Refused
	}
	return states[c]
}

func codeOfReason(reason string) code { return code(slices.Index(refusedAs[:], reason)) }

// Standing is where an order stands, as far as the ledger keeps it.
type Standing struct {
	// Offset is that of the order's entry.
	Offset int64
	State  State
	// Reason is why it was refused.
	Reason string
	// Deadline is that of the hold; zero unless it is held.
	Deadline time.Time
}

// Order is one order with its particulars.
type Order struct {
	ID          string
	CampaignUID string
	BrandID     string
	BuyerID     string
	OwnerID     string // empty when nobody earns on it
	AddressID   string
	BodyHash    uint64
	Standing
	Lines   []Line
	Dropped []Dropped
	Fen     money.Fen
}

// Line is one SKU of an order with the prices that count for it.
type Line struct {
	SKU   string
	Units int64
	Price money.Fen
	// SettlementPrice is what the brand gets for a unit; an order that Decided returns has none.
	SettlementPrice money.Fen
}

// Dropped is a line that was not taken.
type Dropped struct {
	SKU    string
	Units  int64
	Reason string
	// Left is what was free of the SKU at that place in the log.
	Left int64
}

// line is one SKU of a cart.
type line struct {
	item  item
	units int64
}

// drop is a line that was not taken; its SKU is one that the campaign may not know.
type drop struct {
	sku    string
	units  int64
	reason string
	left   int64
}

// cart is what does not fit into an order's hold: several lines, an id that is
// not a TypeID, or less than was asked for. The latter is kept until the campaign
// leaves, for nothing else remembers it.
type cart struct {
	id      string // empty if the key tells it
	lines   []line
	dropped []drop
}

// Find returns where an order of a campaign stands.
func (l *Ledger) Find(campaignUID, orderID string) (Standing, bool) {
	c, ok := l.campaigns[campaignUID]
	if !ok {
		return Standing{}, false
	}
	return c.find(orderID)
}

// Search is Find for somebody who does not know the campaign.
func (l *Ledger) Search(orderID string) (campaignUID string, s Standing, ok bool) {
	for _, uid := range l.uids {
		if s, ok := l.campaigns[uid].find(orderID); ok {
			return uid, s, true
		}
	}
	return "", Standing{}, false
}

func (c *campaign) find(orderID string) (Standing, bool) {
	k, _ := keyOf(orderID)
	state, w, ok := c.orders.get(k.print())
	if !ok {
		return Standing{}, false
	}
	s := Standing{Offset: int64(w), State: state.state(), Reason: refusedAs[state]}
	if state == isHeld {
		h := c.holds.get(w)
		s.Offset, s.Deadline = h.offset, timeOf(h.deadline)
	}
	return s, true
}

// Order returns an order as it stands, with its particulars. Asked must be the
// entry at the order's offset: whoever wants an order reads it there.
func (l *Ledger) Order(asked *record.Place) (Order, bool) {
	c, ok := l.campaigns[asked.CampaignUID]
	if !ok {
		return Order{}, false
	}
	s, ok := c.find(asked.OrderID)
	if !ok {
		return Order{}, false
	}
	o := particulars(asked)
	o.BrandID, o.Standing = c.brandID, s
	if s.State == Refused {
		return o, true
	}
	k, _ := keyOf(asked.OrderID)
	lines := c.summed(asked.Lines)
	if kept, ok := c.carts[k.print()]; ok {
		lines = kept.lines
		for _, d := range kept.dropped {
			o.Dropped = append(o.Dropped, Dropped{SKU: d.sku, Units: d.units, Reason: d.reason, Left: d.left})
		}
	}
	o.Lines, o.Fen, _ = c.priced(lines, s.Offset) // it added up when it was placed
	return o, true
}

// Decided returns the order that an entry asked for, as the entry's own events say;
// false if they do not speak of it: the id was known.
func Decided(asked *record.Place, events []Event) (Order, bool) {
	if len(events) == 0 {
		return Order{}, false
	}
	o := particulars(asked)
	var dropped []*orderv1.RefusedLine
	switch e := events[0].Message.(type) {
	case *orderv1.OrderHeld:
		o.BrandID, o.Fen = e.GetBrandId(), money.Fen(e.GetFen())
		o.Standing = Standing{Offset: events[0].At.Offset, State: Held, Deadline: e.GetDeadline().AsTime()}
		for _, one := range e.GetLines() {
			o.Lines = append(o.Lines, Line{SKU: one.GetSku(), Units: one.GetUnits(), Price: money.Fen(one.GetPriceFen())})
		}
		dropped = e.GetDropped()
	case *orderv1.OrderRefused:
		o.Standing = Standing{Offset: events[0].At.Offset, State: Refused, Reason: e.GetReason()}
		dropped = e.GetLines()
	default:
		return Order{}, false
	}
	for _, d := range dropped {
		o.Dropped = append(o.Dropped, Dropped{SKU: d.GetSku(), Units: d.GetUnits(), Reason: d.GetReason(), Left: d.GetLeftUnits()})
	}
	return o, true
}

// Gone is an order of a campaign that has left the ledger.
func Gone(asked *record.Place) Order {
	o := particulars(asked)
	o.Standing = Standing{State: Refused, Reason: Closed}
	return o
}

// particulars are what an order's entry says of it.
func particulars(p *record.Place) Order {
	return Order{
		ID: p.OrderID, CampaignUID: p.CampaignUID, BuyerID: p.BuyerID, OwnerID: earner(p.OwnerID, p.BuyerID),
		AddressID: p.AddressID, BodyHash: p.BodyHash,
	}
}

// earner is who earns on an order: nobody earns on what he buys himself.
func earner(ownerID, buyerID string) string {
	if ownerID == buyerID {
		return ""
	}
	return ownerID
}

// priced returns lines with the prices that counted at an offset, and their sum.
func (c *campaign) priced(lines []line, offset int64) ([]Line, money.Fen, error) {
	t := c.termsAt(offset)
	priced := make([]Line, 0, len(lines))
	var sum money.Fen
	for _, one := range lines {
		o := t.offer(one.item)
		fen, err := o.price.Mul(one.units)
		if err == nil {
			sum, err = sum.Add(fen)
		}
		if err != nil {
			return nil, 0, err
		}
		priced = append(priced, Line{SKU: c.shelf.sku(one.item), Units: one.units, Price: o.price, SettlementPrice: o.settlement})
	}
	return priced, sum, nil
}

// linesOf returns what a hold holds.
func (c *campaign) linesOf(h hold) []line {
	if h.item == manyItems {
		return c.carts[h.order.print()].lines
	}
	return []line{{item: item(h.item), units: int64(h.units)}}
}

// idOf returns the id of a held order.
func (c *campaign) idOf(h hold) string {
	if kept, ok := c.carts[h.order.print()]; ok && kept.id != "" {
		return kept.id
	}
	return h.order.id()
}

func unitsOf(lines []line) int64 {
	var n int64
	for _, one := range lines {
		n += one.units
	}
	return n
}

// release gives a hold up.
func (l *Ledger) release(c *campaign, h hold, to code, reason orderv1.OrderReleased_Reason) {
	id := c.idOf(h)
	c.touched = l.offset
	lines := c.endHold(h, to)
	for _, one := range lines {
		c.shelf.stock[one.item].held -= one.units
	}
	a := c.accounts[h.account]
	a.units -= uint32(unitsOf(lines))
	a.held -= uint32(unitsOf(lines))
	a.spoilt = min(a.spoilt+1, mostSpoilt)
	c.keep(h.account, a)
	l.emit(h.order.print(), int64(to), func() proto.Message {
		return &orderv1.OrderReleased{OrderId: id, CampaignUid: c.uid, Reason: reason}
	})
	l.lower(c, itemsOf(lines)) // a lowered generation may have waited for just these units
	l.drain(c)
}

// sell turns a hold into a sale.
func (c *campaign) sell(h hold) {
	lines := c.endHold(h, isConfirmed)
	for _, one := range lines {
		s := &c.shelf.stock[one.item]
		s.held -= one.units
		s.sold += one.units
	}
	a := c.accounts[h.account]
	a.held -= uint32(unitsOf(lines))
	a.spoilt = 0
	c.keep(h.account, a)
}

// endHold takes a hold away and notes what became of its order.
func (c *campaign) endHold(h hold, to code) []line {
	lines, p := c.linesOf(h), h.order.print()
	_, w, _ := c.orders.get(p)
	c.holds.remove(w)
	c.orders.set(p, to, where(h.offset))
	if kept, ok := c.carts[p]; ok && len(kept.dropped) == 0 {
		delete(c.carts, p)
	}
	return lines
}

func itemsOf(lines []line) []item {
	items := make([]item, 0, len(lines))
	for _, one := range lines {
		items = append(items, one.item)
	}
	return items
}

func returnWindowOf(d *campaignv1.Desired) *campaignv1.ReturnWindow {
	return &campaignv1.ReturnWindow{Seconds: d.GetReturnWindow().GetSeconds(), From: d.GetReturnWindow().GetFrom()}
}
