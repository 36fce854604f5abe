package ledger_test

import (
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/qingcang/qingcang/proto/lane/record"
	"github.com/qingcang/qingcang/services/order/internal/ledger"
	"github.com/qingcang/qingcang/services/order/internal/ledger/ledgertest"
)

var rewrite = flag.Bool("rewrite", false, "write the golden file anew: only together with a new rules number")

// TestRulesKeepTheirMeaning replays a fixed log and compares what happens with
// what happened when the rules were made. Logs live for ever: a difference means
// that replicas of two versions would disagree, and calls for a new rules number.
func TestRulesKeepTheirMeaning(t *testing.T) {
	l := ledgertest.New()
	var told bytes.Buffer
	for offset, e := range fixedLog() {
		for _, line := range apply(t, l, int64(offset), e) {
			fmt.Fprintf(&told, "%3d %s\n", offset, line)
		}
	}
	golden := fmt.Sprintf("testdata/rules-%d.txt", ledger.FirstRules)
	if *rewrite {
		if err := os.WriteFile(golden, told.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(told.Bytes(), want) {
		t.Errorf("the rules changed their meaning; %s says\n%s\nand now\n%s", golden, want, told.Bytes())
	}
}

// fixedLog is one campaign's life, drawn with a fixed seed: busy, lowered,
// raised, suspended, ended, paid late.
func fixedLog() []record.Entry {
	r := rand.New(rand.NewPCG(11, 11))
	log := []record.Entry{want(1, "a40 b30", limit(9)), allocate(1, "a40 b30"), tick(99), tick(100)}
	changes := map[int][]record.Entry{
		60:  {want(2, "a25 b30", limit(9)), allocate(2, "")},
		120: {want(3, "a25 b40 c9", limit(9), suspended()), poolRefuses(3)},
		140: {want(4, "a25 b40 c9", limit(9), price(120)), allocate(4, "b10 c9")},
		260: {want(5, "a25 b40 c9", limit(9), price(120), ends(420)), allocate(5, "")},
	}
	now, asked := 100, map[string]int64{} // fen, at the first price, by order
	for n := range 320 {
		log = append(log, changes[n]...)
		order, buyer := fmt.Sprintf("o%d", r.IntN(60)), fmt.Sprintf("buyer%d", r.IntN(12))
		switch k := r.IntN(10); {
		case k < 5:
			x, y := 1+r.IntN(3), 1+r.IntN(2)
			lines := fmt.Sprintf("%c%d %c%d", 'a'+r.IntN(3), x, 'a'+r.IntN(3), y)
			if asked[order] == 0 {
				asked[order] = int64(100 * (x + y))
			}
			how := []placing{sharedBy(fmt.Sprintf("buyer%d", r.IntN(12)))}
			if r.IntN(2) == 0 {
				how = append(how, takeWhatFits)
			}
			log = append(log, place(order, buyer, lines, how...))
		case k < 8:
			log = append(log, pay(order, fmt.Sprintf("p%d-%s", r.IntN(2), order), asked[order]*int64(10+r.IntN(4)/2*2)/10))
		case k < 9:
			log = append(log, cancel(order))
		default:
			now += r.IntN(20)
			log = append(log, tick(now))
		}
	}
	return append(log, tick(now+500), settle(), pay("o1", "late", 100), allocate(6, "a1"))
}
