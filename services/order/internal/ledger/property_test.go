package ledger_test

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
	orderv1 "github.com/qingcang/qingcang/proto/gen/order/v1"
	"github.com/qingcang/qingcang/proto/lane/record"
	"github.com/qingcang/qingcang/services/order/internal/ledger"
	"github.com/qingcang/qingcang/services/order/internal/ledger/ledgertest"
)

// judge is told what is wrong: a property test or a proof.
type judge interface {
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// account is what an auditor knows who sees only what goes in and comes out.
type account struct {
	allocated, letGo, held, sold map[string]int64
	buyers                       map[string]int64
	orders                       map[string]*orderv1.OrderHeld
	resolved                     map[string]int // how often a hold ended
	holds                        map[string]int // how often an order held
	payments                     map[string]int // answers by payment id
	last                         ledger.Position
	drained                      bool
}

func newAccount() *account {
	return &account{
		allocated: map[string]int64{}, letGo: map[string]int64{}, held: map[string]int64{}, sold: map[string]int64{},
		buyers: map[string]int64{}, orders: map[string]*orderv1.OrderHeld{},
		resolved: map[string]int{}, holds: map[string]int{}, payments: map[string]int{}, last: ledger.None,
	}
}

// book takes the events of one entry and checks that each may follow what was before.
func (a *account) book(t judge, events []ledger.Event) {
	for i, event := range events {
		if event.Prev != a.last || event.At.Index != i {
			t.Fatalf("event %v follows %v, not %v", event.At, event.Prev, a.last)
		}
		a.last = event.At
		switch e := event.Message.(type) {
		case *orderv1.OrderHeld:
			a.orders[e.GetOrderId()] = e
			a.holds[e.GetOrderId()]++
			a.move(a.held, e, 1)
			a.buyers[e.GetBuyerId()] += size(e)
		case *orderv1.OrderReleased:
			held := a.orders[e.GetOrderId()]
			a.resolved[e.GetOrderId()]++
			a.move(a.held, held, -1)
			a.buyers[held.GetBuyerId()] -= size(held)
		case *orderv1.OrderConfirmed:
			a.confirm(e)
		case *orderv1.PaymentUnwanted:
			a.payments[e.GetPaymentId()]++
		case *orderv1.StockLetGo:
			if e.GetDrained() && len(slices.Collect(maps.Keys(a.open()))) > 0 {
				t.Fatalf("drained with open holds")
			}
			a.drained = a.drained || e.GetDrained()
			for _, u := range e.GetUnits() {
				a.letGo[u.GetSku()] += u.GetUnits()
			}
		}
	}
}

func (a *account) confirm(e *orderv1.OrderConfirmed) {
	held := a.orders[e.GetOrderId()]
	a.payments[e.GetPaymentId()]++
	if e.GetRevived() {
		a.holds[e.GetOrderId()]++
		a.buyers[held.GetBuyerId()] += size(held)
	} else {
		a.move(a.held, held, -1)
	}
	a.resolved[e.GetOrderId()]++
	a.move(a.sold, held, 1)
}

func (a *account) open() map[string]bool {
	open := map[string]bool{}
	for id, n := range a.holds {
		if a.resolved[id] < n {
			open[id] = true
		}
	}
	return open
}

func (a *account) move(to map[string]int64, held *orderv1.OrderHeld, sign int64) {
	for _, line := range held.GetLines() {
		to[line.GetSku()] += sign * line.GetUnits()
	}
}

func size(held *orderv1.OrderHeld) int64 {
	var n int64
	for _, line := range held.GetLines() {
		n += line.GetUnits()
	}
	return n
}

// check compares the auditor's account with what the ledger says of itself.
func (a *account) check(t judge, l *ledgertest.Lane, limit int64) {
	s, ok := l.Status("sale")
	if !ok {
		return
	}
	if l.Retired("sale") {
		for sku, allocated := range a.allocated {
			if allocated-a.letGo[sku] != a.sold[sku] {
				t.Fatalf("%s of a retired campaign: allocated %d, let go %d, sold %d", sku, allocated, a.letGo[sku], a.sold[sku])
			}
		}
		return
	}
	for _, item := range s.GetItems() {
		sku := item.GetSku()
		if item.GetUnits() != a.allocated[sku]-a.letGo[sku] {
			t.Fatalf("%s: %d units, allocated %d, let go %d", sku, item.GetUnits(), a.allocated[sku], a.letGo[sku])
		}
		if item.GetHeldUnits() != a.held[sku] || item.GetSoldUnits() != a.sold[sku] {
			t.Fatalf("%s: held %d and sold %d, the events say %d and %d", sku, item.GetHeldUnits(), item.GetSoldUnits(), a.held[sku], a.sold[sku])
		}
		if free := item.GetUnits() - item.GetHeldUnits() - item.GetSoldUnits(); free < 0 || item.GetHeldUnits() < 0 || item.GetSoldUnits() < 0 {
			t.Fatalf("%s is oversold: %v", sku, item)
		}
	}
	for buyer, units := range a.buyers {
		if units > limit {
			t.Fatalf("%s has %d units, the limit is %d", buyer, units, limit)
		}
	}
	for id, n := range a.resolved {
		if n > a.holds[id] {
			t.Fatalf("%s: %d holds, resolved %d times", id, a.holds[id], n)
		}
	}
	for id, n := range a.payments {
		if n > 1 {
			t.Fatalf("payment %s was answered %d times", id, n)
		}
	}
}

// entries draws a log of one campaign that is wanted, allocated, lowered,
// suspended and ended in any order, with buyers who come, pay late, pay twice
// and cancel.
func entries(t *rapid.T, limitUnits int64) []record.Entry {
	skus := rapid.SampledFrom([]string{"a", "b", "c"})
	lines := rapid.Custom(func(t *rapid.T) string {
		text := ""
		for range rapid.IntRange(1, 3).Draw(t, "lines") {
			text += fmt.Sprintf("%s%d ", skus.Draw(t, "sku"), rapid.IntRange(1, 4).Draw(t, "units"))
		}
		return text
	})
	order := rapid.Custom(func(t *rapid.T) string { return fmt.Sprintf("o%d", rapid.IntRange(1, 12).Draw(t, "order")) })
	buyer := rapid.SampledFrom([]string{"ann", "bob", "eve"})
	generation := rapid.Int64Range(1, 5)
	now := 90
	one := rapid.Custom(func(t *rapid.T) record.Entry {
		switch rapid.IntRange(0, 19).Draw(t, "kind") {
		case 0, 1:
			changes := []change{limit(limitUnits)}
			if rapid.IntRange(0, 5).Draw(t, "suspended") == 0 {
				changes = append(changes, suspended())
			}
			if rapid.IntRange(0, 9).Draw(t, "closed") == 0 {
				changes = append(changes, closedNow())
			}
			return want(generation.Draw(t, "generation"), distinct(lines.Draw(t, "items")), changes...)
		case 2:
			return allocate(generation.Draw(t, "generation"), lines.Draw(t, "add"))
		case 3:
			return topUp(rapid.Int64Range(0, 3).Draw(t, "top-up"), generation.Draw(t, "generation"), lines.Draw(t, "add"))
		case 4:
			return poolRefuses(generation.Draw(t, "generation"))
		case 5, 6, 7:
			now += rapid.IntRange(0, 60).Draw(t, "seconds")
			return tick(now)
		case 8, 9, 10, 11:
			id := order.Draw(t, "order")
			return pay(id, fmt.Sprintf("p%s%d", id, rapid.IntRange(1, 2).Draw(t, "payment")), 100*rapid.Int64Range(1, 6).Draw(t, "hundreds"))
		case 12:
			return cancel(order.Draw(t, "order"))
		case 13:
			return settle()
		default:
			changes := []placing{}
			if rapid.Bool().Draw(t, "take what fits") {
				changes = append(changes, takeWhatFits)
			}
			return place(order.Draw(t, "order"), buyer.Draw(t, "buyer"), lines.Draw(t, "lines"), changes...)
		}
	})
	begin := []record.Entry{want(1, "a6 b6", limit(limitUnits)), allocate(1, "a6 b6")}
	return append(begin, rapid.SliceOfN(one, 1, 80).Draw(t, "log")...)
}

// distinct keeps the last of equal SKUs: the items of a campaign are a map-list.
func distinct(items string) string {
	last := map[string]int64{}
	for _, u := range units(items) {
		last[u.SKU] = u.Units
	}
	text := ""
	for _, sku := range slices.Sorted(maps.Keys(last)) {
		text += fmt.Sprintf("%s%d ", sku, last[sku])
	}
	return text
}

// TestStockAddsUp: whatever happens in whatever order, units = allocated − let
// go = held + sold + free, nothing is negative, each hold ends at most once, each
// payment is answered at most once, and no buyer is over his limit.
func TestStockAddsUp(t *testing.T) {
	const limitUnits = 7
	rapid.Check(t, func(t *rapid.T) {
		l, a, h := ledgertest.New(), newAccount(), hearing{answered: map[int64]bool{}}
		for offset, e := range entries(t, limitUnits) {
			retiredBefore := l.Retired("sale")
			events, err := l.Apply(int64(offset), e)
			if err != nil && !errors.Is(err, ledger.ErrMalformed) {
				t.Fatal(err)
			}
			if g, ok := e.Command.(*record.Allocate); ok && h.first(g, retiredBefore) {
				for _, u := range g.Add {
					a.allocated[u.SKU] += u.Units
				}
			}
			a.book(t, events)
			a.check(t, l, limitUnits)
		}
	})
}

// hearing knows what the ledger has heard of the pool.
type hearing struct {
	answered       map[int64]bool
	newest, topUps int64
}

// first reports whether the ledger hears it for the first time. Of a campaign
// that retired it remembers the newest only, as the pool counts up.
func (h *hearing) first(g *record.Allocate, retired bool) bool {
	generation := g.Generation
	switch {
	case g.TopUp > 0:
		first := g.TopUp > h.topUps
		h.topUps = max(h.topUps, g.TopUp)
		return first
	case h.answered[generation], retired && generation < h.newest:
		return false
	}
	h.answered[generation], h.newest = true, max(h.newest, generation)
	return true
}

// TestAStatusIsAsOldAsItsVersion: as long as the version is the same, the status is.
func TestAStatusIsAsOldAsItsVersion(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := ledgertest.New()
		var before *campaignv1.Status
		version := l.Version("sale")
		for offset, e := range entries(t, 7) {
			take(t, l, offset, e)
			now, _ := l.Status("sale")
			if l.Version("sale") == version && !proto.Equal(before, now) {
				t.Fatalf("at %d the status is no longer\n%v but\n%v, and its version is still %d", offset, before, now, version)
			}
			before, version = now, l.Version("sale")
		}
	})
}

// TestReplayFromAnySnapshot: state and events after a snapshot are those of the
// whole log, byte for byte.
func TestReplayFromAnySnapshot(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		log := entries(t, 7)
		cut := rapid.IntRange(0, len(log)).Draw(t, "cut")
		whole, part := ledgertest.New(), ledgertest.New()
		for offset, e := range log {
			if offset == cut {
				part = reread(t, part)
			}
			a, errA := whole.Apply(int64(offset), e)
			b, errB := part.Apply(int64(offset), e)
			if !errors.Is(errB, errA) && (errA == nil || errB == nil) {
				t.Fatalf("at %d: %v and %v", offset, errA, errB)
			}
			sameEvents(t, a, b)
		}
		wantBytes, gotBytes := encode(t, whole), encode(t, part)
		if !bytes.Equal(wantBytes, gotBytes) {
			t.Fatalf("the states differ:\n%s\n%s", wantBytes, gotBytes)
		}
	})
}

func sameEvents(t judge, a, b []ledger.Event) {
	same := slices.EqualFunc(a, b, func(x, y ledger.Event) bool {
		return x.At == y.At && x.Prev == y.Prev && proto.Equal(x.Message, y.Message)
	})
	if !same {
		t.Fatalf("the events differ: %v and %v", a, b)
	}
}

func reread(t judge, l *ledgertest.Lane) *ledgertest.Lane {
	again, err := ledger.Decode(encode(t, l))
	if err != nil {
		t.Fatal(err)
	}
	return ledgertest.Over(again, l)
}

func encode(t judge, l *ledgertest.Lane) []byte {
	raw, err := l.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}
