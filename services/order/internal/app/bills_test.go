package app

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/qingcang/qingcang/services/internal/fault"
	"github.com/qingcang/qingcang/services/internal/wechatpay"
	"github.com/qingcang/qingcang/services/order/internal/payment"
)

// cabinet has bills by date; a day that is not there is one without trade.
type cabinet struct {
	bills map[string][]wechatpay.BillRow

	mu    sync.Mutex
	asked []string
	down  bool
	// torn is the day whose bill makes no sense.
	torn string
}

var errTorn = fault.New(fault.Internal, "torn", "the bill makes no sense")

func (c *cabinet) TradeBill(_ context.Context, date string, each func(wechatpay.BillRow) error) error {
	c.mu.Lock()
	c.asked = append(c.asked, date)
	down := c.down
	c.mu.Unlock()
	if down {
		return wechatpay.ErrUnavailable
	}
	if date == c.torn {
		return errTorn
	}
	rows, ok := c.bills[date]
	if !ok {
		return wechatpay.ErrNoBill
	}
	for _, r := range rows {
		if err := each(r); err != nil {
			return err
		}
	}
	return nil
}

// turn makes it go away or come back, and returns what it was asked for since the
// last turn.
func (c *cabinet) turn(down bool) (asked []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	asked, c.asked, c.down = c.asked, nil, down
	return asked
}

// bills returns the comparison of a shop whose clock stands at noon of 1 March in
// UTC, eight in the evening in Shanghai.
func (s *shop) bills(c *cabinet) *Bills {
	s.t.Helper()
	b, err := NewBills(BillsConfig{Journal: s.journal, Biller: c, Asker: s.Payments, Now: s.clock.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		s.t.Fatal(err)
	}
	return b
}

func TestADaysBillIsAskedForOnTheNextMorning(t *testing.T) {
	s := openShop(t)
	c := &cabinet{}
	b := s.bills(c)
	if err := b.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	week := []string{"2026-02-22", "2026-02-23", "2026-02-24", "2026-02-25", "2026-02-26", "2026-02-27", "2026-02-28"}
	if !slices.Equal(c.asked, week) {
		t.Fatalf("asked for %v", c.asked)
	}
	for _, step := range []struct {
		pass time.Duration
		want int
	}{
		{0, 0},
		{14 * time.Hour, 0},              // ten o'clock of 2 March
		{14 * time.Minute, 0},            // WeChat Pay gets a quarter of an hour more
		{time.Minute, 1}, {time.Hour, 0}, // once
		{48 * time.Hour, 2}, {0, 0}, // two days later two are due
		{30 * 24 * time.Hour, 7}, {0, 0}, // what is older than a week is left alone
	} {
		c.asked = nil
		s.clock.pass(step.pass)
		if err := b.CatchUp(t.Context()); err != nil || len(c.asked) != step.want {
			t.Fatalf("%s later asked for %v, %v; want %d days", step.pass, c.asked, err, step.want)
		}
	}
}

func TestABillThatCannotBeHadIsAskedForAgain(t *testing.T) {
	s := openShop(t)
	c := &cabinet{down: true}
	b := s.bills(c)
	if err := b.CatchUp(t.Context()); err == nil || len(c.asked) != 1 {
		t.Fatalf("asked for %v, %v", c.asked, err)
	}
	if _, err := b.Day(t.Context(), "2026-02-28"); err == nil {
		t.Fatal("a day without a bill was compared")
	}
	c.down = false
	if err := b.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	if report, err := b.Day(t.Context(), "2026-02-28"); err != nil || len(report.GetCounts()) != 0 {
		t.Fatalf("got %v, %v", report, err)
	}
}

func TestABillThatMakesNoSenseHoldsNoOtherUp(t *testing.T) {
	s := openShop(t)
	c := &cabinet{torn: "2026-02-23"}
	b := s.bills(c)
	if err := b.CatchUp(t.Context()); !errors.Is(err, errTorn) || len(c.asked) != billDays {
		t.Fatalf("asked for %v, %v", c.asked, err)
	}
	c.asked, c.torn = nil, ""
	if err := b.CatchUp(t.Context()); err != nil || !slices.Equal(c.asked, []string{"2026-02-23"}) {
		t.Fatalf("asked again for %v, %v", c.asked, err)
	}
}

func TestBillsAreAskedForEveryTenMinutesUntilTheyAreThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // begins at midnight in UTC, eight o'clock in Shanghai
		s := openShop(t)
		c := &cabinet{down: true}
		b := s.bills(c)
		b.now = time.Now
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- b.Run(ctx) }()
		pass := func(d time.Duration) {
			<-time.After(d)
			synctest.Wait()
		}
		pass(time.Hour + time.Second)
		if asked := c.turn(false); len(asked) != 7 { // at once, and six times more
			t.Errorf("in an hour it was asked for %d times", len(asked))
		}
		pass(time.Hour)
		if asked := c.turn(false); len(asked) != billDays {
			t.Errorf("asked for %v", asked)
		}
		pass(24 * time.Hour)
		if asked := c.turn(false); !slices.Equal(asked, []string{"1999-12-31"}) {
			t.Errorf("in a day asked for %v", asked)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestABillIsComparedWithTheJournalOfItsDay(t *testing.T) {
	s := openShop(t)
	s.open()
	paid := s.provider.pay(testOrder, "tx1", testFen)
	paid.Trade.PaidAt = s.clock.Now()
	if err := s.TakeNotice(t.Context(), paid); err != nil {
		t.Fatal(err)
	}
	ours := wechatpay.BillRow{OutTradeNo: payment.PaymentID(testOrder), TransactionID: "tx1", State: "SUCCESS", Fen: testFen, At: paid.Trade.PaidAt}
	strange := wechatpay.BillRow{OutTradeNo: "pay_strange", TransactionID: "tx2", State: "SUCCESS", Fen: 1, At: paid.Trade.PaidAt}
	c := &cabinet{bills: map[string][]wechatpay.BillRow{"2026-03-01": {ours, strange}}}
	b := s.bills(c)
	s.clock.pass(15 * time.Hour)
	if err := b.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	report, err := b.Day(t.Context(), "2026-03-01")
	if err != nil || report.GetProvider().GetPayments() != 2 || report.GetJournal().GetPaidFen() != int64(testFen) ||
		len(report.GetDifferences()) != 1 || report.GetDifferences()[0].GetNumber() != "pay_strange" {
		t.Fatalf("got %v, %v", report, err)
	}
}

func TestAPaymentOfWhichNobodyHeardIsFoundInTheBill(t *testing.T) {
	s := openShop(t)
	s.open()
	paid := s.provider.pay(testOrder, "tx1", testFen)
	paid.Trade.PaidAt = s.clock.Now()
	s.provider.trades[paid.Trade.OutTradeNo] = paid.Trade
	b := s.bills(&cabinet{bills: map[string][]wechatpay.BillRow{"2026-03-01": {
		{OutTradeNo: paid.Trade.OutTradeNo, TransactionID: "tx1", State: "SUCCESS", Fen: testFen, At: paid.Trade.PaidAt},
	}}})
	s.clock.pass(15 * time.Hour)
	if err := b.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	if report, err := b.Day(t.Context(), "2026-03-01"); err != nil || len(report.GetCounts()) > 0 {
		t.Fatalf("got %v, %v", report, err)
	}
	s.see("the payment", func(o *payment.Order) bool { return o.Receipt.TransactionID == "tx1" })
}
