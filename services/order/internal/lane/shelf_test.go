package lane_test

import (
	"cmp"
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
	// the hardest of 5,000 histories takes under half a second on a busy machine.
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
	at         kind // asks or browses
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
	for client, saw := range s.owed {
		if s.shows(saw) {
			s.owed[client] = seen{}
		}
	}
	return s, true
}

func (s *shelf) shows(saw seen) bool {
	switch saw.at {
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

// verdict is whether some order of the calls explains all answers.
func verdict(stock int8, history []porcupine.Operation) porcupine.CheckResult {
	return porcupine.CheckOperationsTimeout(specification(stock), withoutRepeated(history), checkDeadline)
}

// withoutRepeated leaves, of the deeds of one kind to one order that nobody heard
// of, only the first: one at most changes anything, and it may do so at any time
// after the first was sent. Each other one would double the checker's work.
func withoutRepeated(history []porcupine.Operation) []porcupine.Operation {
	inTime := slices.SortedFunc(slices.Values(history), func(a, b porcupine.Operation) int { return cmp.Compare(a.Call, b.Call) })
	type deed struct {
		kind       kind
		sku, order byte
	}
	sent := map[deed]bool{}
	return slices.DeleteFunc(inTime, func(o porcupine.Operation) bool {
		c := o.Input.(call) //nolint:forcetypeassert // the only input here
		d := deed{c.kind, c.sku, c.order}
		repeated := c.unknown && sent[d]
		sent[d] = sent[d] || c.unknown
		return repeated
	})
}

func TestAHistoryIsExplainedOrNot(t *testing.T) {
	t.Parallel()
	type told struct {
		call
		sent, heard int64
		saw         seen
	}
	is := func(s state) seen { return seen{at: asks, state: s} }
	for name, tc := range map[string]struct {
		told []told
		want porcupine.CheckResult
	}{
		"what was placed is seen": {[]told{
			{call{kind: places}, 1, 2, is(held)},
			{call{kind: asks, client: 1}, 3, 4, is(held)},
			{call{kind: browses, client: 1}, 5, 6, seen{at: browses, held: 1}},
		}, porcupine.Ok},
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
			{call{kind: places}, 1, 8, is(held)},
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
		"one unit is not sold twice": {[]told{
			{call{kind: places, order: 0}, 1, 3, seen{at: asks, order: 0, state: held}},
			{call{kind: places, order: 2, client: 1}, 2, 4, seen{at: asks, order: 2, state: held}},
		}, porcupine.Illegal},
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
		"repeated without an answer, it may count once, at any time after the first": {[]told{
			{call{kind: places}, 1, 2, is(held)},
			{call{kind: cancels, client: 2}, 5, never, seen{}},
			{call{kind: cancels, client: 1}, 3, never, seen{}},
			{call{kind: asks}, 4, 6, is(cancelled)},
		}, porcupine.Ok},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := &history{}
			for _, c := range tc.told {
				h.note(c.call, 2*c.sent, 2*c.heard, 2*c.heard+1, c.saw)
			}
			if got := verdict(1, h.operations); got != tc.want {
				t.Errorf("the history is %s, want %s", got, tc.want)
			}
		})
	}
}

// Sixteen buyers of one SKU at once, and what was sent first counts last: the
// checker must come to an end though nearly each order of the calls is wrong.
func TestSixteenAtOnceAreDecided(t *testing.T) {
	t.Parallel()
	const stock = 8
	h, truth := &history{}, shelf{free: stock}
	for client := range byte(clients) {
		c := call{kind: places, order: client % ordersOfEach, client: clients - 1 - client}
		if client >= ordersOfEach {
			c.kind = pays
		}
		truth, _ = truth.step(c, seen{})
		saw := seen{at: asks, order: c.order, state: truth.orders[c.order].state}
		h.note(c, int64(c.client), clients, 2*clients+int64(client), saw)
	}
	if got := verdict(stock, h.operations); got != porcupine.Ok {
		t.Errorf("the history is %s", got)
	}
}
