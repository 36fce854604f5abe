package lane_test

import (
	"cmp"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/qingcang/qingcang/services/order/internal/ledger"
)

const (
	clients      = 16
	skus         = 3
	ordersOfEach = 8 // order ids of a SKU, shared by all clients
	// checkDeadline is far above what a drawn history takes: half a second, the hardest of 5,000.
	checkDeadline = time.Minute
)

// kind is what a client does to an order of a SKU, or looks at.
type kind byte

const (
	places kind = iota
	pays
	cancels
	asks    // for the order
	browses // the SKU's stock, as a page shows it
	hears   // the answer to what he did or asked last
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
	// owed has what each client will hear and no state since his deed, or since he
	// asked, has shown yet. A look changes nothing, so it may count at the first
	// state that shows what it saw: the checker need not try all the later ones.
	owed [clients]seen
}

// status is an order, and whether its payment has been answered.
type status struct {
	state    state
	answered bool
}

// state is a ledger.State as one byte: the checker keeps and compares very many shelves.
type state byte

const (
	none state = iota
	held
	confirmed
	cancelled
	refused
	other
)

func stateOf(s ledger.State) state {
	switch s {
	case "":
		return none
	case ledger.Held:
		return held
	case ledger.Confirmed:
		return confirmed
	case ledger.Cancelled:
		return cancelled
	case ledger.Refused:
		return refused
	default:
		return other // none that this history can lead to
	}
}

// seen is what a client saw: an order, or its SKU's stock. Its zero value is nothing.
type seen struct {
	look       kind // asks or browses; places, the zero value, is none
	order      byte
	state      state
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
		if o.state == held {
			o.state = cancelled
			s.free, s.held = s.free+c.units(), s.held-c.units()
		}
	case hears:
		return s, s.owed[c.client] == seen{}
	}
	if !c.unknown {
		s.owed[c.client] = saw
	}
	for client, due := range s.owed {
		if s.shows(due) {
			s.owed[client] = seen{}
		}
	}
	return s, true
}

func (s *shelf) shows(saw seen) bool {
	switch saw.look {
	case asks:
		return s.orders[saw.order].state == saw.state
	case browses:
		return s.held == saw.held && s.sold == saw.sold
	default:
		return true
	}
}

func (s *shelf) place(o *status, units int8) {
	switch {
	case o.state != none:
	case units > s.free:
		o.state = refused
	default:
		o.state = held
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
	case o.state == held:
		o.state = confirmed
		s.held, s.sold = s.held-units, s.sold+units
	case o.state == cancelled && units <= s.free:
		o.state = confirmed
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

// never is when a call was answered that nobody heard of.
const never = 0

// told is a call as its client tells of it: when it was sent, and when and what he
// heard. All times of a history differ.
type told struct {
	call
	sent, heard int64
	saw         seen
}

// operations are a deed between its two times, or a look at the first of them, and
// that its client had heard the answer before anything else was sent.
func (t told) operations() []porcupine.Operation {
	looks := t.kind == asks || t.kind == browses
	sent, heard := 2*t.sent, 2*t.heard // which leaves a time between any two
	until := heard
	switch {
	case t.heard == never && looks:
		return nil
	case t.heard == never:
		t.unknown = true
		return []porcupine.Operation{{ClientId: int(t.client), Input: t.call, Output: seen{}, Call: sent, Return: math.MaxInt64}}
	case looks:
		until = sent
	}
	hearing := t.call
	hearing.kind = hears
	return []porcupine.Operation{
		{ClientId: int(t.client), Input: t.call, Output: t.saw, Call: sent, Return: until},
		{ClientId: int(t.client), Input: hearing, Output: seen{}, Call: heard + 1, Return: heard + 1},
	}
}

// verdict is whether some order of the calls explains all answers; Unknown if that
// was not found out in time.
func verdict(stock int8, history []told) porcupine.CheckResult {
	var operations []porcupine.Operation
	for _, t := range withoutRepeated(history) {
		operations = append(operations, t.operations()...)
	}
	return porcupine.CheckOperationsTimeout(specification(stock), operations, checkDeadline)
}

// withoutRepeated leaves, of the deeds of one kind to one order that nobody heard
// of, only the first: one at most changes anything, and it may do so at any time
// after the first was sent. Each other one would double the checker's work.
func withoutRepeated(history []told) []told {
	inTime := slices.SortedFunc(slices.Values(history), func(a, b told) int { return cmp.Compare(a.sent, b.sent) })
	type deed struct {
		kind       kind
		sku, order byte
	}
	sent := map[deed]bool{}
	return slices.DeleteFunc(inTime, func(t told) bool {
		if t.heard != never {
			return false
		}
		d := deed{t.kind, t.sku, t.order}
		repeated := sent[d]
		sent[d] = true
		return repeated
	})
}

func TestAHistoryIsExplainedOrNot(t *testing.T) {
	t.Parallel()
	is := func(s state) seen { return seen{look: asks, state: s} }
	second := func(s state) seen { return seen{look: asks, order: 2, state: s} }
	stock := func(held, sold int8) seen { return seen{look: browses, held: held, sold: sold} }
	for name, tc := range map[string]struct {
		history []told
		want    porcupine.CheckResult
	}{
		"what was placed is seen": {[]told{
			{call{kind: places}, 1, 2, is(held)},
			{call{kind: asks, client: 1}, 3, 4, is(held)},
			{call{kind: browses, client: 1}, 5, 6, stock(1, 0)},
		}, porcupine.Ok},
		"what was paid is sold": {[]told{
			{call{kind: places}, 1, 2, is(held)},
			{call{kind: pays}, 3, 4, is(confirmed)},
			{call{kind: browses, client: 1}, 5, 6, stock(0, 1)},
		}, porcupine.Ok},
		"and held no longer": {[]told{
			{call{kind: places}, 1, 2, is(held)},
			{call{kind: pays}, 3, 4, is(confirmed)},
			{call{kind: browses, client: 1}, 5, 6, stock(1, 1)},
		}, porcupine.Illegal},
		"and not gone": {[]told{
			{call{kind: places}, 1, 2, is(held)},
			{call{kind: pays}, 3, 4, is(confirmed)},
			{call{kind: browses, client: 1}, 5, 6, stock(0, 0)},
		}, porcupine.Illegal},
		"a payment revives what was cancelled": {[]told{
			{call{kind: places}, 1, 2, is(held)},
			{call{kind: cancels}, 3, 4, is(cancelled)},
			{call{kind: pays}, 5, 6, is(confirmed)},
			{call{kind: browses, client: 1}, 7, 8, stock(0, 1)},
		}, porcupine.Ok},
		"but not if the unit is held again": {[]told{
			{call{kind: places}, 1, 2, is(held)},
			{call{kind: cancels}, 3, 4, is(cancelled)},
			{call{kind: places, order: 2, client: 1}, 5, 6, second(held)},
			{call{kind: pays}, 7, 8, is(confirmed)},
		}, porcupine.Illegal},
		"a payment counts once, though it came too early": {[]told{
			{call{kind: pays}, 1, 2, is(none)},
			{call{kind: places}, 3, 4, is(held)},
			{call{kind: pays}, 5, 6, is(confirmed)},
		}, porcupine.Illegal},
		"what was confirmed is not cancelled": {[]told{
			{call{kind: places}, 1, 2, is(held)},
			{call{kind: pays}, 3, 4, is(confirmed)},
			{call{kind: cancels}, 5, 6, is(cancelled)},
		}, porcupine.Illegal},
		"an order is placed once": {[]told{
			{call{kind: places}, 1, 2, is(held)},
			{call{kind: cancels}, 3, 4, is(cancelled)},
			{call{kind: places}, 5, 6, is(held)},
		}, porcupine.Illegal},
		"two units are more than one": {[]told{
			{call{kind: places, order: 1}, 1, 2, seen{look: asks, order: 1, state: held}},
		}, porcupine.Illegal},
		"a SKU has its own stock": {[]told{
			{call{kind: places}, 1, 2, is(held)},
			{call{kind: places, sku: 1, order: 2, client: 1}, 3, 4, second(held)},
		}, porcupine.Ok},
		"one unit is not sold twice": {[]told{
			{call{kind: places}, 1, 3, is(held)},
			{call{kind: places, order: 2, client: 1}, 2, 4, second(held)},
		}, porcupine.Illegal},
		"a look may see what came and went while it lasted": {[]told{
			{call{kind: asks, client: 1}, 1, 6, is(held)},
			{call{kind: places}, 2, 3, is(held)},
			{call{kind: cancels}, 4, 5, is(cancelled)},
		}, porcupine.Ok},
		"a look does not see what was over before it": {[]told{
			{call{kind: places}, 1, 2, is(held)},
			{call{kind: cancels}, 3, 4, is(cancelled)},
			{call{kind: asks, client: 1}, 5, 6, is(held)},
		}, porcupine.Illegal},
		"nor what came after it": {[]told{
			{call{kind: asks, client: 1}, 1, 2, is(held)},
			{call{kind: places}, 3, 4, is(held)},
		}, porcupine.Illegal},
		"two looks do not go back": {[]told{
			{call{kind: places}, 1, 6, is(held)},
			{call{kind: asks, client: 1}, 2, 3, is(held)},
			{call{kind: asks, client: 2}, 4, 5, is(none)},
		}, porcupine.Illegal},
		"an answer is no older than the deed": {[]told{
			{call{kind: places}, 1, 2, is(none)},
		}, porcupine.Illegal},
		"an answer may show what others did since": {[]told{
			{call{kind: places}, 1, 4, is(cancelled)},
			{call{kind: cancels, client: 1}, 2, 3, is(cancelled)},
		}, porcupine.Ok},
		"a deed without an answer may count late": {[]told{
			{call{kind: places}, 1, never, seen{}},
			{call{kind: asks, client: 1}, 2, 3, is(none)},
			{call{kind: asks, client: 1}, 4, 5, is(held)},
		}, porcupine.Ok},
		"it may never count": {[]told{
			{call{kind: places}, 1, never, seen{}},
			{call{kind: asks, client: 1}, 2, 3, is(none)},
		}, porcupine.Ok},
		"it does not count before it was sent": {[]told{
			{call{kind: asks, client: 1}, 1, 2, is(held)},
			{call{kind: places}, 3, never, seen{}},
		}, porcupine.Illegal},
		"what counts late is no answer to its client's next call": {[]told{
			{call{kind: places, client: 1}, 1, never, seen{}},
			{call{kind: asks, client: 1}, 2, 3, is(confirmed)},
		}, porcupine.Illegal},
		"repeated without an answer, it counts at any time after the first": {[]told{
			{call{kind: places}, 1, 2, is(held)},
			{call{kind: cancels, client: 2}, 6, never, seen{}},
			{call{kind: cancels, client: 1}, 3, never, seen{}},
			{call{kind: asks}, 4, 5, is(cancelled)},
		}, porcupine.Ok},
		"another one without an answer counts too": {[]told{
			{call{kind: places}, 1, never, seen{}},
			{call{kind: asks, client: 3}, 2, 3, is(held)},
			{call{kind: cancels, client: 1}, 4, never, seen{}},
			{call{kind: asks, client: 3}, 5, 6, is(cancelled)},
			{call{kind: places, order: 2, client: 2}, 7, never, seen{}},
			{call{kind: asks, client: 3}, 8, 9, second(held)},
			{call{kind: places, sku: 1, client: 4}, 10, never, seen{}},
			{call{kind: asks, sku: 1, client: 3}, 11, 12, is(held)},
		}, porcupine.Ok},
		"one that was answered does not stand for it": {[]told{
			{call{kind: cancels}, 1, 2, is(none)},
			{call{kind: places}, 3, 4, is(held)},
			{call{kind: cancels, client: 1}, 5, never, seen{}},
			{call{kind: asks}, 6, 7, is(cancelled)},
		}, porcupine.Ok},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := verdict(1, tc.history); got != tc.want {
				t.Errorf("the history is %s, want %s", got, tc.want)
			}
		})
	}
}

// Twelve clients are at one SKU at once, and what was sent first counts last. Each
// has sent something before that he never heard of, and looks as soon as he can. The
// checker must come to an end though nearly each order of the calls is wrong.
func TestManyAtOnceAreDecided(t *testing.T) {
	t.Parallel()
	const orders, atOnce, stock = 6, 12, 8
	clock := int64(0)
	next := func() int64 { clock++; return clock }
	var history []told
	for client := range byte(atOnce) {
		deed := call{kind: pays, order: client % orders, client: client}
		if client >= orders {
			deed.kind = places
		}
		history = append(history,
			told{call: call{kind: cancels, order: orders, client: client}, sent: next(), heard: never},
			told{call: deed, sent: next()})
	}
	truth := shelf{free: stock}
	show := func(c call) seen { return seen{look: asks, order: c.order, state: truth.orders[c.order].state} }
	for n := 2*atOnce - 1; n > 0; n -= 2 {
		deed := &history[n]
		truth, _ = truth.step(deed.call, seen{})
		deed.heard, deed.saw = next(), show(deed.call)
		look := call{kind: asks, order: deed.order, client: deed.client}
		history = append(history, told{call: look, sent: next(), saw: show(look)})
	}
	for n := range history[2*atOnce:] {
		history[2*atOnce+n].heard = next()
	}
	if got := verdict(stock, history); got != porcupine.Ok {
		t.Errorf("the history is %s", got)
	}
}
