package lane_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
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

const callsOfEach = 7

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
		if v := verdict(stock, h.told); v != porcupine.Ok {
			t.Fatalf("the history of %d calls is %s", len(h.told), v)
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
			call:     call{kind: kind(t.IntN(int(hears))), sku: byte(t.IntN(skus)), order: byte(t.IntN(ordersOfEach)), client: client},
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
	// clock numbers what clients send and hear.
	clock atomic.Int64

	mu   sync.Mutex
	told []told
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
	sent := h.clock.Add(1)
	var err error
	switch c := command.(type) {
	case nil:
		err = l.View(ctx, show)
	case *record.Place:
		var o ledger.Order
		o, err = l.Place(ctx, c)
		saw = seen{look: asks, order: p.order, state: stateOf(o.State)}
	default:
		if err = l.Do(ctx, c); err == nil {
			l.Peek(show)
		}
	}
	heard := h.clock.Add(1)
	switch fault.KindOf(err) {
	case fault.Timeout, fault.Unavailable, fault.TooMany:
	default:
		if err != nil && ctx.Err() == nil {
			h.t.Error(err)
		}
	}
	if err != nil {
		heard = never
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.told = append(h.told, told{p.call, sent, heard, saw})
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
		return seen{look: asks, order: c.order, state: stateOf(at.State)}
	}
	s, _ := l.Status(h.uid)
	for _, item := range s.GetItems() {
		if item.GetSku() == nameOf(c.sku) {
			return seen{look: browses, held: int8(item.GetHeldUnits()), sold: int8(item.GetSoldUnits())}
		}
	}
	return seen{look: browses}
}
