package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestABillHasTheDaysRowsAndWhatIsWrongWithThem(t *testing.T) {
	noon := time.Date(2026, 11, 22, 12, 0, 0, 0, shanghai)
	trades := map[string]*trade{}
	for n := range 3 {
		no := fmt.Sprintf("pay_%d", n)
		trades[no] = &trade{MchID: "1", OutTradeNo: no, Fen: 100, State: "SUCCESS", PaidAt: noon.Add(time.Duration(n) * time.Minute)}
	}
	trades["pay_2"].PaidAt = noon.Add(12 * time.Hour) // the next day
	refunds := map[string]*refund{"ref_1": {OutRefundNo: "ref_1", OutTradeNo: "pay_0", Fen: 40, At: noon.Add(time.Hour), State: refundSuccess}}
	for name, c := range map[string]struct {
		faults billFaults
		want   string // the totals: rows, paid, given back
	}{
		"right":                 {want: "`3,`2.00,`0.40,"},
		"a row is missing":      {billFaults{Missing: 1}, "`2,`1.00,`0.40,"},
		"a row is twice in it":  {billFaults{Doubled: 1}, "`4,`3.00,`0.40,"},
		"a row is a fen off":    {billFaults{Wrong: 1}, "`3,`2.01,`0.40,"},
		"a row is nobody's":     {billFaults{Strange: 1}, "`4,`3.00,`0.40,"},
		"more is wrong than is": {billFaults{Missing: 9, Doubled: 9, Wrong: 9}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := &pay{trades: trades, refunds: refunds, bills: map[string]string{}, failures: faults{Bill: c.faults}}
			_, err := p.tradeBill(httptest.NewRequest(http.MethodGet, "/v3/bill/tradebill?bill_date=2026-11-22", nil), nil)
			if c.want == "" {
				if err == nil {
					t.Fatal("a bill without rows was offered")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, file := range p.bills {
				lines := strings.Split(strings.TrimSpace(file), "\r\n")
				if last := lines[len(lines)-1]; !strings.HasPrefix(last, c.want) {
					t.Fatalf("the totals are %s, want %s", last, c.want)
				}
			}
		})
	}
}

func TestARefundIsWhatWasAskedFor(t *testing.T) {
	f := faults{CloseRefunds: 1, AbnormalRefunds: 1}
	for _, want := range []string{refundClosed, refundAbnormal, refundSuccess, refundSuccess} {
		if got := f.refundState(); got != want {
			t.Fatalf("got %s, want %s", got, want)
		}
	}
}
