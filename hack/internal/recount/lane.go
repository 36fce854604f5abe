package recount

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/qingcang/qingcang/hack/internal/lanelog"
	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
	orderv1 "github.com/qingcang/qingcang/proto/gen/order/v1"
)

// sku is one SKU of one campaign.
type sku struct{ campaign, sku string }

// allocation is the answer to one generation of a campaign, or a top-up after it.
type allocation struct {
	campaign          string
	generation, topUp int64
}

// offer is what a generation asks for a unit, and gives the brand.
type offer struct{ priceFen, settlementFen int64 }

// order is an accepted order.
type order struct {
	campaign    string
	parties     parties
	lines       map[string]int64 // units by SKU
	holds, sold bool
	confirmed   *orderv1.OrderConfirmed
}

// sales are what the lanes decided, and the stock that this needs.
type sales struct {
	r        *Result
	free     map[sku]int64
	offers   map[sku]map[offer]bool
	answered map[allocation]map[string]int64 // units by SKU that came for a generation
	letGo    map[sku]int64
	settled  map[string]bool // campaigns
	placed   map[string]bool // order ids
	decided  map[string]bool // order ids that have an answer for good
	accepted map[string]*order
}

func newSales(r *Result) *sales {
	return &sales{
		r: r, free: map[sku]int64{}, offers: map[sku]map[offer]bool{}, answered: map[allocation]map[string]int64{},
		letGo: map[sku]int64{}, settled: map[string]bool{}, placed: map[string]bool{}, decided: map[string]bool{}, accepted: map[string]*order{},
	}
}

// lane goes through a lane's log and, at each entry, through what was decided there.
func (s *sales) lane(source string, l Lane) {
	next := 0
	for _, e := range l.Entries {
		for next < len(l.Decisions) && l.Decisions[next].Offset < e.Offset {
			s.r.fault(nil, 0, "%s published a decision about offset %d, where no entry is", source, l.Decisions[next].Offset)
			next++
		}
		first := next
		for next < len(l.Decisions) && l.Decisions[next].Offset == e.Offset {
			next++
		}
		s.entry(fmt.Sprintf("%s/%d", source, e.Offset), e.Command, l.Decisions[first:next])
	}
	if next < len(l.Decisions) {
		s.r.fault(nil, 0, "%s published %d decisions behind its log", source, len(l.Decisions)-next)
	}
}

// entry takes what the command itself means, then what was decided.
func (s *sales) entry(at string, command any, decisions []Decision) {
	var placed lanelog.Place // empty unless the command is one
	switch c := command.(type) {
	case lanelog.Want:
		s.want(c.Desired)
	case lanelog.Allocate:
		s.allocate(c)
	case lanelog.Place:
		placed = c
		s.place(at, c, decisions)
	case lanelog.Pay:
		s.pay(at, c)
	case lanelog.Settle:
		s.settled[c.Campaign] = true
	}
	for _, d := range decisions {
		s.decision(at, placed, d.Fact)
	}
}

func (s *sales) want(d *campaignv1.Desired) {
	for _, i := range d.GetItems() {
		at := sku{d.GetUid(), i.GetSku()}
		if s.offers[at] == nil {
			s.offers[at] = map[offer]bool{}
		}
		s.offers[at][offer{i.GetPriceFen(), i.GetSettlementFen()}] = true
	}
}

// allocate brings stock, once for each generation and each top-up.
func (s *sales) allocate(a lanelog.Allocate) {
	at := allocation{a.Campaign, a.Generation, a.TopUp}
	if _, again := s.answered[at]; again {
		return
	}
	s.answered[at] = map[string]int64{}
	if a.Reason != "" {
		return
	}
	for _, add := range a.Add {
		s.answered[at][add.SKU] += add.Units
		s.free[sku{a.Campaign, add.SKU}] += add.Units
		s.r.UnitsOffered += add.Units
	}
}

// place checks that an order has one answer: the first time that it is asked for, and never again
// unless nobody could have remembered it.
func (s *sales) place(at string, p lanelog.Place, decisions []Decision) {
	if !s.placed[p.Order] {
		s.placed[p.Order] = true
		s.r.OrdersPlaced++
	}
	answers := 0
	for _, d := range decisions {
		switch d.Fact.(type) {
		case *orderv1.OrderHeld, *orderv1.OrderRefused:
			answers++
		}
	}
	switch {
	case !s.decided[p.Order] && answers != 1:
		s.r.fault(nil, 0, "%s: order %s has %d answers", at, p.Order, answers)
	case s.decided[p.Order] && answers > 0:
		s.r.fault(&s.r.DuplicateOrders, int64(answers), "%s: order %s was decided again", at, p.Order)
	}
}

// decision takes the effect of what was published.
func (s *sales) decision(at string, placed lanelog.Place, fact proto.Message) {
	switch f := fact.(type) {
	case *orderv1.OrderHeld:
		s.held(at, placed, f)
	case *orderv1.OrderRefused:
		s.refused(at, placed, f)
	case *orderv1.OrderReleased:
		s.released(at, f)
	case *orderv1.OrderConfirmed:
		s.confirmed(at, f)
	case *orderv1.StockLetGo:
		for _, u := range f.GetUnits() {
			where := sku{f.GetCampaignUid(), u.GetSku()}
			s.letGo[where] += u.GetUnits()
			s.take(at, where, u.GetUnits())
		}
	}
}

// take takes units out of what is free; more than there are is oversold.
func (s *sales) take(at string, where sku, units int64) {
	if missing := units - max(s.free[where], 0); missing > 0 {
		s.r.fault(&s.r.OversoldUnits, missing, "%s: %d units of %s were taken from campaign %s, which had %d", at, units, where.sku, where.campaign, s.free[where])
	}
	s.free[where] -= units
}

func (s *sales) held(at string, p lanelog.Place, f *orderv1.OrderHeld) {
	if p.Order != f.GetOrderId() {
		s.r.fault(&s.r.DuplicateOrders, 1, "%s: order %s was accepted by an entry that did not ask for it", at, f.GetOrderId())
	}
	if _, again := s.accepted[f.GetOrderId()]; again {
		s.r.fault(&s.r.DuplicateOrders, 1, "%s: order %s was accepted twice", at, f.GetOrderId())
	}
	s.decided[f.GetOrderId()] = true
	s.judgeDropped(at, f.GetCampaignUid(), f.GetDropped())
	o := &order{
		campaign: f.GetCampaignUid(), lines: map[string]int64{}, holds: true,
		parties: parties{f.GetBuyerId(), f.GetOwnerId(), p.Address},
	}
	left, sum := units(p.Lines), int64(0)
	for _, l := range f.GetLines() {
		s.take(at, sku{f.GetCampaignUid(), l.GetSku()}, l.GetUnits())
		o.lines[l.GetSku()] += l.GetUnits()
		left[l.GetSku()] -= l.GetUnits()
		sum += l.GetUnits() * l.GetPriceFen()
	}
	for _, d := range f.GetDropped() {
		left[d.GetSku()] -= d.GetUnits()
	}
	s.answersAll(at, f.GetOrderId(), left)
	if sum != f.GetFen() {
		s.r.fault(&s.r.UnexplainedFen, abs(sum-f.GetFen()), "%s: order %s costs %d fen, its lines %d", at, f.GetOrderId(), f.GetFen(), sum)
	}
	s.accepted[f.GetOrderId()] = o
	s.r.OrdersAccepted++
	s.r.LinesAccepted += int64(len(f.GetLines()))
}

// answersAll checks that each line was taken or dropped as it was asked for.
func (s *sales) answersAll(at, orderID string, left map[string]int64) {
	for _, name := range sorted(left) {
		if left[name] != 0 {
			s.r.fault(nil, 0, "%s: order %s asked for %d more units of %s than were answered", at, orderID, left[name], name)
		}
	}
}

func (s *sales) refused(at string, p lanelog.Place, f *orderv1.OrderRefused) {
	if p.Order != f.GetOrderId() {
		s.r.fault(nil, 0, "%s: order %s was refused by an entry that did not ask for it", at, f.GetOrderId())
	}
	// A lane cannot remember orders of campaigns that it has not heard of.
	s.decided[f.GetOrderId()] = f.GetReason() != "unknown_campaign"
	s.judgeDropped(at, f.GetCampaignUid(), f.GetLines())
	left := units(p.Lines)
	for _, l := range f.GetLines() {
		delete(left, l.GetSku())
	}
	s.r.LinesRefused[f.GetReason()] += int64(len(left))
}

// judgeDropped counts refused lines, and those that would have fitted.
func (s *sales) judgeDropped(at, campaign string, dropped []*orderv1.RefusedLine) {
	for _, d := range dropped {
		s.r.LinesRefused[d.GetReason()]++
		where := sku{campaign, d.GetSku()}
		if d.GetReason() == "sold_out" && d.GetUnits() <= s.free[where] {
			s.r.fault(&s.r.WronglyRefusedLines, 1, "%s: %d units of %s were refused as sold out while %d were free", at, d.GetUnits(), d.GetSku(), s.free[where])
		}
		if d.GetReason() == "not_offered" && len(s.offers[where]) > 0 {
			s.r.fault(&s.r.WronglyRefusedLines, 1, "%s: %s was refused as not offered, and campaign %s offers it", at, d.GetSku(), campaign)
		}
	}
}

func (s *sales) released(at string, f *orderv1.OrderReleased) {
	o, ok := s.accepted[f.GetOrderId()]
	if !ok || !o.holds {
		s.r.fault(nil, 0, "%s: order %s was released and held nothing", at, f.GetOrderId())
		return
	}
	o.holds = false
	for name, units := range o.lines {
		s.free[sku{o.campaign, name}] += units
	}
}

func (s *sales) confirmed(at string, f *orderv1.OrderConfirmed) {
	o, ok := s.accepted[f.GetOrderId()]
	switch {
	case !ok:
		s.r.fault(&s.r.DuplicateOrders, 1, "%s: order %s was sold and never accepted", at, f.GetOrderId())
		return
	case o.sold:
		s.r.fault(&s.r.DuplicateOrders, 1, "%s: order %s was sold twice", at, f.GetOrderId())
		return
	}
	left := map[string]int64{}
	for name, units := range o.lines {
		left[name] = units
		if !o.holds {
			s.take(at, sku{o.campaign, name}, units)
		}
	}
	o.holds, o.sold, o.confirmed = false, true, f
	if sold := (parties{f.GetBuyerId(), f.GetOwnerId(), f.GetAddressId()}); sold != o.parties {
		s.r.fault(nil, 0, "%s: order %s was sold to %v and held for %v", at, f.GetOrderId(), sold, o.parties)
	}
	for _, l := range f.GetLines() {
		left[l.GetSku()] -= l.GetUnits()
		s.r.UnitsSold += l.GetUnits()
		s.r.SalesFen += l.GetUnits() * l.GetPriceFen()
		if !s.offers[sku{o.campaign, l.GetSku()}][offer{l.GetPriceFen(), l.GetSettlementFen()}] {
			s.r.fault(&s.r.UnexplainedFen, l.GetUnits()*l.GetPriceFen(), "%s: order %s was sold at a price that campaign %s never had", at, f.GetOrderId(), o.campaign)
		}
	}
	s.answersAll(at, f.GetOrderId(), left)
}

// meant compares the accepted orders with what the buyers meant.
func (s *sales) meant(intentions map[string]int) {
	if intentions == nil {
		return
	}
	first := map[int]string{}
	for _, id := range sorted(s.accepted) {
		intention, known := intentions[id]
		if before, twice := first[intention]; known && twice {
			s.r.fault(&s.r.DuplicateOrders, 1, "orders %s and %s are one intention", before, id)
		}
		if !known {
			s.r.fault(&s.r.DuplicateOrders, 1, "order %s was accepted and no buyer knows of it", id)
			continue
		}
		first[intention] = id
	}
	for _, id := range sorted(intentions) {
		if _, ok := s.accepted[id]; !ok {
			s.r.fault(nil, 0, "order %s was promised to its buyer and is lost", id)
		}
	}
}
