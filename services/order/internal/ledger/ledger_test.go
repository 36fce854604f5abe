package ledger_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/qingcang/qingcang/proto/lane/record"
	"github.com/qingcang/qingcang/services/order/internal/ledger"
	"github.com/qingcang/qingcang/services/order/internal/ledger/ledgertest"
)

type story struct {
	given []record.Entry // told by its last events only
	when  []record.Entry
	want  []string // the events of when
}

// TestComplaints has one story for each thing that users of comparable systems
// complain about most, as far as a lane decides it.
func TestComplaints(t *testing.T) {
	run(t, map[string]story{
		"1: two orders for the last unit: the second is refused": {
			given: opened("a1"),
			when:  []record.Entry{place("o1", "ann", "a1"), place("o2", "bob", "a1")},
			want:  []string{"o1 held: a1 for 100 until 160", "o2 refused: sold_out (a1 sold_out, 0 left)"},
		},
		"1: a cart that names one SKU twice is summed, and does not fit": {
			given: opened("a3"),
			when:  []record.Entry{place("o1", "ann", "a2 a2")},
			want:  []string{"o1 refused: sold_out (a4 sold_out, 3 left)"},
		},
		"1: a cart that names one SKU twice is summed, and fits": {
			given: opened("a4 b1"),
			when:  []record.Entry{place("o1", "ann", "a2 b1 a2")},
			want:  []string{"o1 held: a4 b1 for 500 until 160"},
		},
		"1: an order of two lines is held whole or not at all": {
			given: opened("a1 b1"),
			when:  []record.Entry{place("o1", "ann", "a1 b2"), place("o2", "bob", "a1")},
			want:  []string{"o1 refused: sold_out (b2 sold_out, 1 left)", "o2 held: a1 for 100 until 160"},
		},
		"2: the limit counts what is held in parallel orders": {
			given: opened("a9", limit(2)),
			when:  []record.Entry{place("o1", "ann", "a1"), place("o2", "ann", "a2"), place("o3", "ann", "a1"), place("o4", "bob", "a2")},
			want: []string{
				"o1 held: a1 for 100 until 160", "o2 refused: over_limit (a2 over_limit, 8 left)",
				"o3 held: a1 for 100 until 160", "o4 held: a2 for 200 until 160",
			},
		},
		"2: the limit counts what was bought": {
			given: append(opened("a9", limit(2)), place("o1", "ann", "a2"), pay("o1", "p1", 200)),
			when:  []record.Entry{place("o2", "ann", "a1")},
			want:  []string{"o2 refused: over_limit (a1 over_limit, 7 left)"},
		},
		"2: the limit is over all SKUs of an order, line by line": {
			given: opened("a9 b9", limit(3)),
			when:  []record.Entry{place("o1", "ann", "a2 b2", takeWhatFits)},
			want:  []string{"o1 held: a2 (b2 over_limit, 9 left) for 200 until 160"},
		},
		"2: a late payment does not lift a buyer over the limit": {
			given: append(opened("a9", limit(1)), place("o1", "ann", "a1"), tick(160), place("o2", "ann", "a1")),
			when:  []record.Entry{pay("o1", "p1", 100)},
			want:  []string{"p1 unwanted: over_limit"},
		},
		"3: a payment in time confirms": {
			given: append(opened("a1"), place("o1", "ann", "a1")),
			when:  []record.Entry{tick(159), pay("o1", "p1", 100), tick(160)},
			want:  []string{"o1 confirmed"},
		},
		"3: a payment after the hold revives the order while stock is left": {
			given: append(opened("a1"), place("o1", "ann", "a1")),
			when:  []record.Entry{tick(160), pay("o1", "p1", 100), place("o2", "bob", "a1")},
			want:  []string{"o1 expired", "o1 revived", "o2 refused: sold_out (a1 sold_out, 0 left)"},
		},
		"3: a payment after the hold goes back when the stock is gone": {
			given: append(opened("a1"), place("o1", "ann", "a1"), tick(160), place("o2", "bob", "a1")),
			when:  []record.Entry{pay("o1", "p1", 100), pay("o2", "p2", 100)},
			want:  []string{"p1 unwanted: sold_out", "o2 confirmed"},
		},
		"3: an unwanted payment stays unwanted though stock comes back": {
			given: append(opened("a1"), place("o1", "ann", "a1"), tick(160), place("o2", "bob", "a1"), pay("o1", "p1", 100)),
			when:  []record.Entry{cancel("o2"), pay("o1", "p1", 100)},
			want:  []string{"o2 cancelled"},
		},
		"3: a payment for a cancelled order revives it": {
			given: append(opened("a1"), place("o1", "ann", "a1"), cancel("o1")),
			when:  []record.Entry{pay("o1", "p1", 100)},
			want:  []string{"o1 revived"},
		},
		"3: a payment during draining revives, after it goes back": {
			given: append(opened("a2"), place("o1", "ann", "a1"), place("o2", "bob", "a1"), tick(130), place("o3", "eve", "a1"), cancel("o2"), want(2, "a2", ends(131)), tick(140)),
			when:  []record.Entry{pay("o2", "p2", 100), tick(160), pay("o1", "p1", 100)},
			want:  []string{"o2 revived", "o1 expired", "let go: a1 drained", "p1 unwanted: closed"},
		},
		"3: the same payment again changes nothing, another one goes back": {
			given: append(opened("a1"), place("o1", "ann", "a1"), pay("o1", "p1", 100)),
			when:  []record.Entry{pay("o1", "p1", 100), pay("o1", "p2", 100)},
			want:  []string{"p2 unwanted: already_paid"},
		},
		"3: a payment of another amount goes back, and the hold stays": {
			given: append(opened("a1"), place("o1", "ann", "a1")),
			when:  []record.Entry{pay("o1", "p1", 99), pay("o1", "p2", 100)},
			want:  []string{"p1 unwanted: amount_differs", "o1 confirmed"},
		},
		"4: a hold that runs out frees its stock at its deadline, not before": {
			given: append(opened("a1"), place("o1", "ann", "a1")),
			when:  []record.Entry{tick(159), place("o2", "bob", "a1"), tick(160), place("o3", "bob", "a1")},
			want:  []string{"o2 refused: sold_out (a1 sold_out, 0 left)", "o1 expired", "o3 held: a1 for 100 until 220"},
		},
		"4: holds run out by deadline, and of those with one deadline who came first": {
			given: append(opened("a9"), place("o9", "ann", "a1"), place("o1", "ann", "a1"), tick(110), place("o5", "bob", "a1")),
			when:  []record.Entry{tick(500)},
			want:  []string{"o9 expired", "o1 expired", "o5 expired"},
		},
		"4: a cancelled hold frees its stock at once": {
			given: append(opened("a1"), place("o1", "ann", "a1")),
			when:  []record.Entry{cancel("o1"), cancel("o1"), place("o2", "bob", "a1")},
			want:  []string{"o1 cancelled", "o2 held: a1 for 100 until 160"},
		},
		"4: what is left is sold to the last unit": {
			given: opened("a3"),
			when:  []record.Entry{place("o1", "ann", "a2"), place("o2", "bob", "a2"), place("o3", "eve", "a1")},
			want:  []string{"o1 held: a2 for 200 until 160", "o2 refused: sold_out (a2 sold_out, 1 left)", "o3 held: a1 for 100 until 160"},
		},
		"7: an owner who buys earns nothing on it": {
			given: append(opened("a1"), place("o1", "ann", "a1", sharedBy("ann"))),
			when:  []record.Entry{pay("o1", "p1", 100)},
			want:  []string{"o1 confirmed, nobody earns"},
		},
		"8: one account cannot hold the whole stock": {
			given: opened("a9", limit(3)),
			when:  []record.Entry{place("o1", "ann", "a9"), place("o2", "ann", "a3"), place("o3", "ann", "a1"), tick(160), place("o4", "ann", "a3")},
			want: []string{
				"o1 refused: over_limit (a9 over_limit, 9 left)", "o2 held: a3 for 300 until 160",
				"o3 refused: over_limit (a1 over_limit, 6 left)", "o2 expired", "o4 held: a3 for 300 until 220",
			},
		},
		"8: what an account holds unpaid is capped, and paying makes room": {
			given: opened("a9", holdLimit(4)),
			when:  []record.Entry{place("o1", "ann", "a3"), place("o2", "ann", "a2"), place("o3", "ann", "a1"), pay("o1", "p1", 300), place("o4", "ann", "a3")},
			want: []string{
				"o1 held: a3 for 300 until 160", "o2 refused: over_hold (a2 over_hold, 6 left)", "o3 held: a1 for 100 until 160",
				"o1 confirmed", "o4 held: a3 for 300 until 160",
			},
		},
		"8: each hold that ends unpaid halves what the account may hold, down to one unit": {
			given: append(opened("a9", holdLimit(4)), place("o1", "ann", "a4"), cancel("o1"), place("o2", "ann", "a2"), tick(160)),
			when:  []record.Entry{place("o3", "ann", "a2"), place("o4", "ann", "a1"), tick(220), place("o5", "ann", "a2"), place("o6", "ann", "a1"), place("o7", "bob", "a4")},
			want: []string{
				"o3 refused: over_hold (a2 over_hold, 9 left)", "o4 held: a1 for 100 until 220", "o4 expired",
				"o5 refused: over_hold (a2 over_hold, 9 left)", "o6 held: a1 for 100 until 280", "o7 held: a4 for 400 until 280",
			},
		},
		"8: each hold that ends unpaid halves the time of the next, down to a minute": {
			given: append(opened("a9", holds(200)), place("o1", "ann", "a1"), cancel("o1")),
			when:  []record.Entry{place("o2", "ann", "a1"), cancel("o2"), place("o3", "ann", "a1"), place("o4", "bob", "a1")},
			want: []string{
				"o2 held: a1 for 100 until 200", "o2 cancelled", "o3 held: a1 for 100 until 160", "o4 held: a1 for 100 until 300",
			},
		},
		"8: who pays is trusted again": {
			given: append(opened("a9", holds(200)), place("o1", "ann", "a1"), cancel("o1"), place("o2", "ann", "a1"), pay("o2", "p2", 100)),
			when:  []record.Entry{place("o3", "ann", "a1")},
			want:  []string{"o3 held: a1 for 100 until 300"},
		},
		"8: without a cap, an account that let a hold run out may hold 32 units": {
			given: append(opened("a99"), place("o1", "ann", "a90"), tick(160)),
			when:  []record.Entry{place("o2", "ann", "a33"), place("o3", "ann", "a32")},
			want:  []string{"o2 refused: over_hold (a33 over_hold, 99 left)", "o3 held: a32 for 3200 until 220"},
		},
	})
}

func TestOrders(t *testing.T) {
	run(t, map[string]story{
		"taking what fits drops lines whole, in the order given": {
			given: opened("a2 b1"),
			when:  []record.Entry{place("o1", "ann", "a3 b1 x1", takeWhatFits)},
			want:  []string{"o1 held: b1 (a3 sold_out, 2 left) (x1 not_offered, 0 left) for 100 until 160"},
		},
		"taking what fits when nothing does is refused": {
			given: opened("a1"),
			when:  []record.Entry{place("o1", "ann", "x1 a2", takeWhatFits)},
			want:  []string{"o1 refused: not_offered (x1 not_offered, 0 left) (a2 sold_out, 1 left)"},
		},
		"the same order again changes nothing, whatever its body": {
			given: append(opened("a1"), place("o1", "ann", "a1")),
			when:  []record.Entry{place("o1", "ann", "a1"), place("o1", "ann", "a1", otherBody)},
			want:  nil,
		},
		"a refused order stays refused though stock comes": {
			given: append(opened("a1"), place("o1", "ann", "a2")),
			when:  []record.Entry{want(2, "a5"), allocate(2, "a4"), place("o1", "ann", "a2"), place("o2", "ann", "a2")},
			want:  []string{"o2 held: a2 for 200 until 160"},
		},
		"an unknown campaign refuses": {
			when: []record.Entry{place("o1", "ann", "a1", inCampaign("other"))},
			want: []string{"o1 refused: unknown_campaign"},
		},
		"a suspended campaign refuses orders and takes payments": {
			given: append(opened("a2"), place("o1", "ann", "a1"), want(2, "a2", suspended())),
			when:  []record.Entry{place("o2", "bob", "a1"), pay("o1", "p1", 100), allocate(2, ""), want(3, "a2"), allocate(3, ""), place("o3", "bob", "a1")},
			want:  []string{"o2 refused: suspended", "o1 confirmed", "o3 held: a1 for 100 until 160"},
		},
		"a held order keeps its price when the campaign's changes": {
			given: append(opened("a2"), place("o1", "ann", "a1")),
			when:  []record.Entry{want(2, "a2", price(150)), place("o2", "bob", "a1"), cancel("o2"), allocate(2, ""), place("o3", "bob", "a1"), pay("o1", "p1", 100), pay("o3", "p3", 150)},
			want:  []string{"o2 held: a1 for 100 until 160", "o2 cancelled", "o3 held: a1 for 150 until 160", "o1 confirmed", "o3 confirmed"},
		},
		"money for an order that was never held goes back, once": {
			given: append(opened("a1"), place("o1", "ann", "a2")),
			when:  []record.Entry{pay("o1", "p1", 200), pay("o7", "p7", 200), pay("o7", "p7", 200)},
			want:  []string{"p1 unwanted: unknown_order", "p7 unwanted: unknown_order"},
		},
		"money that came before its order goes back, and does not pay for the order": {
			given: append(opened("a1"), pay("o1", "p1", 100), place("o1", "ann", "a1")),
			when:  []record.Entry{pay("o1", "p1", 100), pay("o1", "p2", 100)},
			want:  []string{"o1 confirmed"},
		},
		"entries that mean nothing are skipped": {
			given: opened("a1"),
			when:  []record.Entry{{}, {Rules: ledger.Rules}, place("o1", "ann", ""), place("o1", "ann", "a0"), place("", "ann", "a1"), pay("o1", "", 1)},
			want:  []string{"skipped", "skipped", "skipped", "skipped", "skipped", "skipped"},
		},
	})
}

func run(t *testing.T, stories map[string]story) {
	t.Helper()
	for name, s := range stories {
		t.Run(name, func(t *testing.T) {
			l := ledgertest.New()
			apply(t, l, 0, s.given...)
			got := apply(t, l, int64(len(s.given)), s.when...)
			if !slices.Equal(got, s.want) {
				t.Errorf("told\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(s.want, "\n\t"))
			}
		})
	}
}

func TestUnknownRulesStopTheLane(t *testing.T) {
	for name, e := range map[string]record.Entry{
		"an entry under later rules": {Rules: ledger.Rules + 1, Command: tick(1).Command},
		"a switch to later rules":    {Rules: ledger.Rules, Command: &record.SwitchRules{Rules: ledger.Rules + 1}},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := ledgertest.New().Apply(0, e); !errors.Is(err, ledger.ErrUnknownRules) {
				t.Errorf("Apply says %v", err)
			}
		})
	}
}
