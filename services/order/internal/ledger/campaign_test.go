package ledger_test

import (
	"testing"

	"github.com/qingcang/qingcang/proto/lane/record"
)

func TestCampaigns(t *testing.T) {
	run(t, map[string]story{
		"it opens at the first tick after its start and closes at the first after its end": {
			given: []record.Entry{want(1, "a1"), allocate(1, "a1")},
			when:  []record.Entry{tick(99), place("o1", "ann", "a1"), tick(101), tick(102), tick(1003), place("o2", "ann", "a1")},
			want:  []string{"o1 refused: not_open", "opened at 101", "closed at 1003", "let go: a1 drained", "o2 refused: closed"},
		},
		"it opens when its stock comes after its start": {
			given: []record.Entry{tick(150), want(1, "a1")},
			when:  []record.Entry{place("o1", "ann", "a1"), allocate(1, "a1"), place("o2", "ann", "a1")},
			want:  []string{"o1 refused: not_open", "opened at 150", "o2 held: a1 for 100 until 210"},
		},
		"it opens when the desired state comes after its stock": {
			given: []record.Entry{tick(150), allocate(1, "a1")},
			when:  []record.Entry{want(1, "a1")},
			want:  []string{"opened at 150"},
		},
		"a generation brings stock once": {
			given: opened("a1"),
			when:  []record.Entry{allocate(1, "a1"), place("o1", "ann", "a2")},
			want:  []string{"o1 refused: sold_out (a2 sold_out, 1 left)"},
		},
		"without stock it sells nothing, and still ends": {
			given: []record.Entry{want(1, "a1"), poolRefuses(1)},
			when:  []record.Entry{tick(100), place("o1", "ann", "a1"), tick(1000)},
			want:  []string{"o1 refused: not_open", "closed at 1000", "let go: drained"},
		},
		"a refused generation leaves the last good one in force": {
			given: opened("a1"),
			when:  []record.Entry{want(2, "a9", price(500)), poolRefuses(2), place("o1", "ann", "a1")},
			want:  []string{"o1 held: a1 for 100 until 160"},
		},
		"a refused generation may still end the sale": {
			given: opened("a1"),
			when:  []record.Entry{want(2, "a9", ends(120)), poolRefuses(2), tick(120)},
			want:  []string{"closed at 120", "let go: a1 drained"},
		},
		"a refused generation does not prolong the sale": {
			given: opened("a1"),
			when:  []record.Entry{want(2, "a9", ends(2000)), poolRefuses(2), tick(1000)},
			want:  []string{"closed at 1000", "let go: a1 drained"},
		},
		"a start that moves away counts at once": {
			given: []record.Entry{want(1, "a1"), allocate(1, "a1"), want(2, "a1", starts(500))},
			when:  []record.Entry{tick(100), tick(500), allocate(2, "")},
			want:  []string{"opened at 500"},
		},
		"a generation that was overtaken before its answer still sells": {
			given: []record.Entry{want(1, "a1"), want(2, "a9"), allocate(1, "a1"), poolRefuses(2)},
			when:  []record.Entry{tick(100), place("o1", "ann", "a1")},
			want:  []string{"opened at 100", "o1 held: a1 for 100 until 160"},
		},
		"an older generation is ignored": {
			given: append(opened("a1"), want(3, "a1"), allocate(3, "")),
			when:  []record.Entry{want(2, "a1", closedNow()), place("o1", "ann", "a1")},
			want:  []string{"o1 held: a1 for 100 until 160"},
		},
		"closing by hand does not wait for a tick or the pool": {
			given: append(opened("a2"), place("o1", "ann", "a1")),
			when:  []record.Entry{want(2, "a2", closedNow()), place("o2", "bob", "a1"), pay("o1", "p1", 100)},
			want:  []string{"closed at 100", "o2 refused: closed", "o1 confirmed", "let go: a1 drained"},
		},
		"it drains when the last hold runs out": {
			given: append(opened("a2"), tick(990), place("o1", "ann", "a2"), tick(1000)),
			when:  []record.Entry{tick(1049), tick(1050)},
			want:  []string{"o1 expired", "let go: a2 drained"},
		},
		"a lowered generation lets go what is free, and the rest when it comes free": {
			given: append(opened("a5"), place("o1", "ann", "a3"), place("o2", "bob", "a1")),
			when:  []record.Entry{want(2, "a2"), allocate(2, ""), pay("o2", "p2", 100), cancel("o1"), place("o3", "eve", "a2"), place("o4", "eve", "a1")},
			want: []string{
				"let go: a1", "o2 confirmed", "o1 cancelled", "let go: a2",
				"o3 refused: sold_out (a2 sold_out, 1 left)", "o4 held: a1 for 100 until 160",
			},
		},
		"an item that is taken out lets its free units go and is no longer offered": {
			given: append(opened("a1 b2"), place("o1", "ann", "b1")),
			when:  []record.Entry{want(2, "a1"), allocate(2, ""), place("o2", "bob", "b1"), pay("o1", "p1", 100)},
			want:  []string{"let go: b1", "o2 refused: not_offered (b1 not_offered, 0 left)", "o1 confirmed"},
		},
		"stock of a generation that is not known yet is not let go": {
			given: append(opened("a1"), place("o1", "ann", "a1")),
			when:  []record.Entry{allocate(2, "a4"), cancel("o1"), want(2, "a5"), place("o2", "ann", "a5")},
			want:  []string{"o1 cancelled", "o2 held: a5 for 500 until 160"},
		},
		"stock that comes after draining goes straight back": {
			given: append(opened("a1"), want(2, "a3"), tick(1000)),
			when:  []record.Entry{allocate(2, "a2"), settle(), allocate(3, "a2")},
			want:  []string{"let go: a2 drained", "retired", "let go: a2 drained"},
		},
		"a top-up brings stock once, beside the answer to its generation": {
			given: append(opened("a3"), want(2, "a1"), allocate(2, ""), want(3, "a3"), allocate(3, "")),
			when:  []record.Entry{place("o1", "ann", "a2"), topUp(1, 3, "a2"), topUp(1, 3, "a2"), allocate(3, "a2"), place("o2", "ann", "a3"), place("o3", "bob", "a1")},
			want: []string{
				"o1 refused: sold_out (a2 sold_out, 1 left)",
				"o2 held: a3 for 300 until 160", "o3 refused: sold_out (a1 sold_out, 0 left)",
			},
		},
		"a top-up that nobody wants any more goes back": {
			given: append(opened("a3"), want(2, "a1"), allocate(2, ""), want(3, "a3"), allocate(3, ""), want(4, "a2"), allocate(4, "")),
			when:  []record.Entry{topUp(1, 3, "a2"), tick(1000), topUp(2, 3, "a1"), topUp(1, 3, "a2")},
			want:  []string{"let go: a1", "closed at 1000", "let go: a2 drained", "let go: a1 drained"},
		},
		"what came before a campaign retired does not go back again": {
			given: append(opened("a3"), topUp(1, 1, "a1"), place("o1", "ann", "a1"), pay("o1", "p1", 100), tick(1000), settle()),
			when:  []record.Entry{allocate(1, "a3"), topUp(1, 1, "a1"), allocate(2, "a5"), allocate(2, "a5"), topUp(2, 2, "a4"), topUp(2, 2, "a4")},
			want:  []string{"let go: a5 drained", "let go: a4 drained"},
		},
		"settling retires a drained campaign, and only that": {
			given: append(opened("a1"), place("o1", "ann", "a1"), settle()),
			when:  []record.Entry{tick(1000), settle(), settle(), place("o2", "ann", "a1"), pay("o1", "p1", 100), want(9, "a1"), tick(2000)},
			want: []string{
				"o1 expired", "closed at 1000", "let go: a1 drained", "retired",
				"o2 refused: closed", "p1 unwanted: retired",
			},
		},
	})
}
