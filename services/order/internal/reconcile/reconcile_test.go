package reconcile

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	orderv1 "github.com/qingcang/qingcang/proto/gen/order/v1"
	"github.com/qingcang/qingcang/services/order/internal/payment"
)

var (
	from = time.Date(2026, 11, 21, 16, 0, 0, 0, time.UTC) // midnight in Shanghai
	to   = from.Add(24 * time.Hour)
	noon = from.Add(12 * time.Hour)
)

func came(number string, fen int64, at time.Time) payment.Movement {
	return payment.Movement{OrderID: "ord_" + number, Number: number, TransactionID: "tx_" + number, Fen: fen, At: at}
}

func goes(number string, fen int64, state payment.MovementState, settled time.Time) payment.Movement {
	return payment.Movement{OrderID: "ord_1", Number: number, TransactionID: "tx_1", Refund: true, Fen: fen, At: noon, State: state, SettledAt: settled}
}

// row is what a right bill has of a movement.
func row(m payment.Movement) Row {
	r := Row{Number: m.Number, OutTradeNo: "pay_1", TransactionID: m.TransactionID, Refund: m.Refund, Fen: m.Fen, State: Done, Word: "SUCCESS"}
	if m.Refund && m.State != payment.MovementMade {
		r.State, r.Word = UnderWay, "PROCESSING"
	}
	return r
}

func with(r Row, change func(*Row)) Row {
	change(&r)
	return r
}

func compare(ours []payment.Movement, bill []Row) *orderv1.BillReconciled {
	d := NewDay("2026-11-22", from, to, ours)
	for _, r := range bill {
		d.Row(r)
	}
	return d.Report()
}

func kinds(b *orderv1.BillReconciled) (out []string) {
	for _, d := range b.GetDifferences() {
		out = append(out, fmt.Sprintf("%s %s %s %d/%d", d.GetKind(), d.GetEntry(), d.GetNumber(), d.GetProviderFen(), d.GetJournalFen()))
	}
	return out
}

func TestADayIsCompared(t *testing.T) {
	paid := came("1", 500, noon)
	made := goes("ref_1", 200, payment.MovementMade, noon)
	slow := goes("ref_1", 200, payment.MovementMade, to.Add(time.Hour))
	open := goes("ref_1", 200, payment.MovementUnderWay, time.Time{})
	trouble := goes("ref_1", 200, payment.MovementTrouble, time.Time{})
	failed := with(row(open), func(r *Row) { r.State = Failed })
	for name, c := range map[string]struct {
		ours []payment.Movement
		bill []Row
		want []string
	}{
		"both say the same":                             {[]payment.Movement{paid, made}, []Row{row(paid), row(made)}, nil},
		"nothing happened":                              {nil, nil, nil},
		"the journal does not know a payment":           {nil, []Row{row(paid)}, []string{"missing_here payment 1 500/0"}},
		"nor a refund":                                  {nil, []Row{row(made)}, []string{"missing_here refund ref_1 200/0"}},
		"the bill does not know a payment":              {[]payment.Movement{paid}, nil, []string{"missing_there payment 1 0/500"}},
		"nor a refund that the provider took":           {[]payment.Movement{open}, nil, []string{"missing_there refund ref_1 0/200"}},
		"the amount differs":                            {[]payment.Movement{paid}, []Row{with(row(paid), func(r *Row) { r.Fen = 499 })}, []string{"amount_differs payment 1 499/500"}},
		"the bill has a payment twice":                  {[]payment.Movement{paid}, []Row{row(paid), row(paid)}, []string{"doubled payment 1 500/0"}},
		"and one that the journal does not know":        {nil, []Row{row(paid), row(paid)}, []string{"missing_here payment 1 500/0", "doubled payment 1 500/0"}},
		"the journal has it on the day before":          {[]payment.Movement{came("1", 500, from.Add(-time.Second))}, []Row{row(paid)}, []string{"other_day payment 1 500/0"}},
		"what the journal has of other days is theirs":  {[]payment.Movement{came("1", 500, from.Add(-time.Second)), came("2", 500, to)}, nil, nil},
		"a second payment of an order is another":       {[]payment.Movement{paid}, []Row{row(paid), with(row(paid), func(r *Row) { r.TransactionID = "tx_2" })}, []string{"missing_here payment 1 500/0"}},
		"the bill says made, the journal does not":      {[]payment.Movement{open}, []Row{row(made)}, []string{"state_differs refund ref_1 200/200"}},
		"the journal said made by then, the bill not":   {[]payment.Movement{made}, []Row{row(open)}, []string{"state_differs refund ref_1 200/200"}},
		"a refund that was made after the day":          {[]payment.Movement{slow}, []Row{row(open)}, nil},
		"one that is under way on both sides":           {[]payment.Movement{open}, []Row{row(open)}, nil},
		"one that failed, and finance has it":           {[]payment.Movement{trouble}, []Row{failed}, nil},
		"one that failed, and the journal goes on":      {[]payment.Movement{open}, []Row{failed}, []string{"state_differs refund ref_1 200/200"}},
		"one that failed, and the journal says made":    {[]payment.Movement{made}, []Row{failed}, []string{"state_differs refund ref_1 200/200"}},
		"one that finance has, and the bill says made":  {[]payment.Movement{trouble}, []Row{row(made)}, []string{"state_differs refund ref_1 200/200"}},
		"a payment that was taken back":                 {[]payment.Movement{paid}, []Row{with(row(paid), func(r *Row) { r.State = Failed })}, []string{"state_differs payment 1 500/500"}},
		"a membership fee is store-owner's to explain":  {nil, []Row{{Number: "mem_1", OutTradeNo: "mem_1", Fen: 39_800, State: Done}}, nil},
		"and so is its refund, whose number looks ours": {nil, []Row{{Number: "ref_9", OutTradeNo: "mem_1", Refund: true, Fen: 39_800, State: Done}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			got := compare(c.ours, c.bill)
			if !slices.Equal(kinds(got), c.want) {
				t.Errorf("got %q, want %q", kinds(got), c.want)
			}
			if apart := Unexplained(got); apart != 0 {
				t.Errorf("%d fen are not explained by %v", apart, got)
			}
		})
	}
}

func TestWhateverTheBillSaysEveryFenIsExplained(t *testing.T) {
	movement := rapid.Custom(func(t *rapid.T) payment.Movement {
		return payment.Movement{
			Number: fmt.Sprint(rapid.IntRange(0, 8).Draw(t, "number")), TransactionID: rapid.SampledFrom([]string{"a", "b"}).Draw(t, "transaction"),
			Refund: rapid.Bool().Draw(t, "refund"), Fen: rapid.Int64Range(1, 5).Draw(t, "fen"),
			At:        from.Add(time.Duration(rapid.Int64Range(-12, 36).Draw(t, "hour")) * time.Hour),
			State:     rapid.SampledFrom([]payment.MovementState{payment.MovementMade, payment.MovementUnderWay, payment.MovementClosed, payment.MovementTrouble}).Draw(t, "state"),
			SettledAt: noon,
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		ours := rapid.SliceOfNDistinct(movement, 0, 12, keyOf).Draw(t, "ours")
		var bill []Row
		for _, m := range rapid.SliceOfN(movement, 0, 12).Draw(t, "bill") {
			bill = append(bill, with(row(m), func(r *Row) { r.State = rapid.SampledFrom([]State{Done, UnderWay, Failed}).Draw(t, "state") }))
		}
		if got := compare(ours, bill); Unexplained(got) != 0 {
			t.Fatalf("%d fen are not explained by %v", Unexplained(got), got)
		}
	})
}

func TestManyDifferencesAreCountedAndTheFirstListed(t *testing.T) {
	var bill []Row
	for n := range 3 * maxListed {
		bill = append(bill, row(came(fmt.Sprint(n), 7, noon)))
	}
	got := compare(nil, bill)
	if len(got.GetDifferences()) != maxListed || got.GetCounts()[0].GetCount() != 3*maxListed || Unexplained(got) != 0 {
		t.Fatalf("%d are listed, counted are %v", len(got.GetDifferences()), got.GetCounts())
	}
}

func TestStrangeRowsAreRememberedUpToABound(t *testing.T) {
	d := NewDay("2026-11-22", from, to, nil)
	last := Row{}
	for i := range maxStrange + 1 {
		number := fmt.Sprintf("pay_%06d", i)
		last = Row{Number: number, OutTradeNo: number, TransactionID: number, Fen: 7, State: Done}
		d.Row(last)
	}
	d.Row(last)
	if len(d.strange) != maxStrange {
		t.Errorf("%d rows are remembered, want %d", len(d.strange), maxStrange)
	}
	if got := d.Report(); Unexplained(got) != 0 || got.GetCounts()[0].GetCount() != maxStrange+2 {
		t.Errorf("got %v, and %d fen are unexplained", got.GetCounts(), Unexplained(got))
	}
}
