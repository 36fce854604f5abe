package lane_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"google.golang.org/protobuf/types/known/timestamppb"

	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
	"github.com/qingcang/qingcang/proto/lane/record"
	"github.com/qingcang/qingcang/services/internal/fault"
	"github.com/qingcang/qingcang/services/internal/journal"
	"github.com/qingcang/qingcang/services/internal/proof"
	"github.com/qingcang/qingcang/services/order/internal/lane"
	"github.com/qingcang/qingcang/services/order/internal/ledger"
)

const (
	clients       = 16
	callsOfEach   = 7
	skus          = 3
	ordersOfEach  = 8 // order ids of a SKU, shared by all clients
	checkDeadline = 30 * time.Second
)

// kind is what a client does to an order of a SKU, or looks at.
type kind byte

const (
	places kind = iota
	pays
	cancels
	asks    // for the order
	browses // the SKU's stock, as a page shows it
	sees    // the order, in the answer to what he did to it
)

// call is what a client asks. Order n always wants the same units of the same SKU.
type call struct {
	kind   kind
	sku    byte
	order  byte
	client byte
	// unknown: no answer came, so it may count at any later time or never.
	unknown bool
}

func (c call) units() int8 { return int8(1 + c.order%2) }

// shelf is the sequential specification: one SKU in a campaign.
type shelf struct {
	free, held, sold int8
	orders           [ordersOfEach]status
	// did has a bit for each client whose deed counts and who has not seen it yet:
	// an answer shows a state behind the deed.
	did uint16
}

// status is an order, and whether its payment has been answered.
type status struct {
	state    ledger.State
	answered bool
}

// seen is what a client saw.
type seen struct {
	state      ledger.State
	held, sold int8
}

// step is what may happen; false if it cannot have.
func (s shelf) step(c call, saw seen) (shelf, bool) {
	o := &s.orders[c.order]
	switch c.kind {
	case places:
		s.place(o, c.units())
	case pays:
		s.pay(o, c.units())
	case cancels:
		if o.state == ledger.Held {
			o.state = ledger.Cancelled
			s.free, s.held = s.free+c.units(), s.held-c.units()
		}
	case asks:
		return s, o.state == saw.state
	case browses:
		return s, s.held == saw.held && s.sold == saw.sold
	case sees:
		done := s.did&(1<<c.client) != 0
		s.did &^= 1 << c.client
		return s, done && o.state == saw.state
	}
	if !c.unknown {
		s.did |= 1 << c.client
	}
	return s, true
}

func (s *shelf) place(o *status, units int8) {
	switch {
	case o.state != "":
	case units > s.free:
		o.state = ledger.Refused
	default:
		o.state = ledger.Held
		s.free, s.held = s.free-units, s.held+units
	}
}

// pay confirms a held order, revives a cancelled one if there is stock, and else
// the money goes back; it is asked once.
func (s *shelf) pay(o *status, units int8) {
	if o.answered {
		return
	}
	o.answered = true
	switch {
	case o.state == ledger.Held:
		o.state = ledger.Confirmed
		s.held, s.sold = s.held-units, s.sold+units
	case o.state == ledger.Cancelled && units <= s.free:
		o.state = ledger.Confirmed
		s.free, s.sold = s.free-units, s.sold+units
	}
}

// specification is of one SKU: a history is linearizable if that of each SKU is.
func specification(stock int8) porcupine.Model {
	return porcupine.Model{
		Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
			parts := make([][]porcupine.Operation, skus)
			for _, o := range history {
				sku := o.Input.(call).sku //nolint:forcetypeassert // the only input here
				parts[sku] = append(parts[sku], o)
			}
			return slices.DeleteFunc(parts, func(part []porcupine.Operation) bool { return len(part) == 0 })
		},
		Init: func() any { return shelf{free: stock} },
		Step: func(state, input, output any) (bool, any) {
			next, can := state.(shelf).step(input.(call), output.(seen)) //nolint:forcetypeassert // the only types here
			return can, next
		},
	}
}

// TestProofSalesAreLinearizable is row 5: 16 clients place, pay, cancel and look
// at orders of few units over two replicas of a real lane on a real broker. Some
// give up early, and what they did stays unknown.
func TestProofSalesAreLinearizable(t *testing.T) {
	w := newWorld(t)
	w.snapshots, w.snapshotEvery = journal.NewMemoryStore(), 20_000
	a, _ := w.replica(t, "order")
	b, _ := w.replica(t, "")
	proof.Random(t, "5", proof.Trials{CI: 200, Full: 5_000}, func(t *proof.Trial) {
		partition, stock := t.IntN(len(a.All())), int8(2+t.IntN(6))
		h := &history{t: t, uid: fmt.Sprintf("sale-%d", t.Int64()), replicas: []*lane.Lane{a.All()[partition], b.All()[partition]}, begun: time.Now()}
		h.open(stock)
		var buyers sync.WaitGroup
		for client := range clients {
			plan := drawPlan(t, byte(client))
			buyers.Go(func() {
				for n, p := range plan {
					h.make(p, (client+n)%len(h.replicas))
				}
			})
		}
		buyers.Wait()
		if verdict := porcupine.CheckOperationsTimeout(specification(stock), h.operations, checkDeadline); verdict != porcupine.Ok {
			t.Fatalf("the history of %d operations is %s", len(h.operations), verdict)
		}
	})
}

// planned is a call and how long its client waits for the answer.
type planned struct {
	call
	patience time.Duration
}

func drawPlan(t *proof.Trial, client byte) []planned {
	var plan []planned
	for range callsOfEach {
		p := planned{
			call:     call{kind: kind(t.IntN(int(sees))), sku: byte(t.IntN(skus)), order: byte(t.IntN(ordersOfEach)), client: client},
			patience: patience,
		}
		if t.Chance(3) { // most of a sale is buying
			p.kind = places
		}
		if t.Chance(12) {
			p.patience = time.Duration(t.IntN(5_000)) * time.Microsecond
		}
		plan = append(plan, p)
	}
	return plan
}

// history is one campaign's.
type history struct {
	t        *proof.Trial
	uid      string
	replicas []*lane.Lane
	begun    time.Time

	mu         sync.Mutex
	operations []porcupine.Operation
}

// open makes a campaign that sells now; its entries stand before all others.
func (h *history) open(stock int8) {
	desired := &campaignv1.Desired{
		Uid: h.uid, Generation: 1, BrandId: "brand", HoldSeconds: 3_600,
		StartAt: timestamppb.New(h.begun.Add(-time.Hour)), EndAt: timestamppb.New(h.begun.Add(24 * time.Hour)),
	}
	allocation := &record.Allocate{CampaignUID: h.uid, Generation: 1}
	for sku := range byte(skus) {
		desired.Items = append(desired.Items, &campaignv1.Item{Sku: nameOf(sku), PriceFen: 100, SettlementFen: 70, Units: int64(stock)})
		allocation.Add = append(allocation.Add, record.Units{SKU: nameOf(sku), Units: int64(stock)})
	}
	for _, c := range []record.Command{&record.Want{Desired: desired}, allocation, &record.Tick{At: h.begun.UnixMilli()}} {
		if err := h.replicas[0].Do(h.t.Context(), c); err != nil {
			h.t.Fatal(err)
		}
	}
}

func nameOf(sku byte) string { return string(rune('a' + sku)) }

func (h *history) orderID(c call) string {
	return fmt.Sprintf("%s-%s%d", h.uid, nameOf(c.sku), c.order)
}

// make makes one call of a client and notes what came of it.
func (h *history) make(p planned, replica int) {
	ctx, cancel := context.WithTimeout(h.t.Context(), p.patience)
	defer cancel()
	var saw seen
	show := func(l *ledger.Ledger) { saw = h.look(l, p.call) }
	l, command := h.replicas[replica], h.command(p.call)
	began := time.Since(h.begun)
	var err error
	switch c := command.(type) {
	case nil:
		err = l.View(ctx, show)
	case *record.Place:
		var o ledger.Order
		o, err = l.Place(ctx, c)
		saw = seen{state: o.State}
	default:
		if err = l.Do(ctx, c); err == nil {
			l.Peek(show)
		}
	}
	ended := time.Since(h.begun)
	switch fault.KindOf(err) {
	case fault.Timeout, fault.Unavailable, fault.TooMany:
	default:
		if err != nil && ctx.Err() == nil {
			h.t.Error(err)
		}
	}
	switch deed := p.call; {
	case err == nil && command == nil:
		h.note(deed, began, ended, saw)
	case err == nil:
		h.note(deed, began, ended, seen{})
		deed.kind = sees
		h.note(deed, began, ended, saw)
	case command != nil:
		deed.unknown = true
		h.note(deed, began, math.MaxInt64, seen{})
	}
}

func (h *history) note(c call, began, ended time.Duration, saw seen) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.operations = append(h.operations, porcupine.Operation{
		ClientId: int(c.client), Input: c, Output: saw, Call: int64(began), Return: int64(ended),
	})
}

// command is what the call appends, nil if it only looks.
func (h *history) command(c call) record.Command {
	id := h.orderID(c)
	switch c.kind {
	case places:
		return &record.Place{
			OrderID: id, CampaignUID: h.uid, BuyerID: "buyer-" + id, Lines: []record.Units{{SKU: nameOf(c.sku), Units: int64(c.units())}},
		}
	case pays:
		return &record.Pay{
			OrderID: id, CampaignUID: h.uid, PaymentID: "pay-" + id, Fen: 100 * int64(c.units()),
			BuyerID: "buyer-" + id, Lines: []record.Units{{SKU: nameOf(c.sku), Units: int64(c.units())}},
		}
	case cancels:
		return &record.Cancel{OrderID: id, CampaignUID: h.uid}
	default:
		return nil
	}
}

func (h *history) look(l *ledger.Ledger, c call) seen {
	if c.kind != browses {
		at, _ := l.Find(h.uid, h.orderID(c))
		return seen{state: at.State}
	}
	s, _ := l.Status(h.uid)
	for _, item := range s.GetItems() {
		if item.GetSku() == nameOf(c.sku) {
			return seen{held: int8(item.GetHeldUnits()), sold: int8(item.GetSoldUnits())}
		}
	}
	return seen{}
}
