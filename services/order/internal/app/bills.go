package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	orderv1 "github.com/qingcang/qingcang/proto/gen/order/v1"
	"github.com/qingcang/qingcang/services/internal/fault"
	"github.com/qingcang/qingcang/services/internal/wechatpay"
	"github.com/qingcang/qingcang/services/order/internal/payment"
	"github.com/qingcang/qingcang/services/order/internal/reconcile"
)

const (
	// billFrom is when a day's bill is asked for, on the next: WeChat Pay has it
	// from ten o'clock on.
	billFrom = 10*time.Hour + 15*time.Minute
	// billDays is how many days back a bill is still asked for, so that a week in
	// which nobody ran is made up for. WeChat Pay keeps bills for three months.
	billDays = 7
	// billEvery is how often is looked whether one is due, billPause how long one
	// that could not be had is left alone.
	billEvery = time.Minute
	billPause = 10 * time.Minute
)

// shanghai is fixed, as in wechatpay: a container may have no time-zone data.
var shanghai = time.FixedZone("Asia/Shanghai", 8*60*60)

// ErrBillPending says that a day's bill was not compared.
var ErrBillPending = fault.New(fault.NotFound, "not_reconciled",
	"the bill of this day was not compared yet: WeChat Pay has it from 10:00 (Asia/Shanghai) of the next day on, and it is asked for every ten minutes")

// Biller has the provider's bills.
type Biller interface {
	TradeBill(ctx context.Context, date string, each func(wechatpay.BillRow) error) error
}

// Asker asks the provider what the journal may not have heard yet.
type Asker interface {
	// AskAgain asks about a payment, or about one of its refunds if a number is
	// given. What is not ours it leaves alone.
	AskAgain(ctx context.Context, outTradeNo, outRefundNo string) error
}

// Bills compares the provider's bill of each day with the payment journal.
type Bills struct {
	journal *PaymentJournal
	biller  Biller
	asker   Asker
	now     func() time.Time
	log     *slog.Logger

	differences, failures metric.Int64Counter
}

// BillsConfig is what Bills needs.
type BillsConfig struct {
	Journal *PaymentJournal
	Biller  Biller
	Asker   Asker
	// Now is the clock; nil is the machine's.
	Now func() time.Time
	Log *slog.Logger
}

// NewBills returns the use cases of the provider's bills.
func NewBills(c BillsConfig) (*Bills, error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	meter := otel.Meter("github.com/qingcang/qingcang/services/order/internal/app")
	differences, errDifferences := meter.Int64Counter("order.bill.differences",
		metric.WithDescription("Differences between the provider's bills and the journal, by kind."))
	failures, errFailures := meter.Int64Counter("order.bill.failures",
		metric.WithDescription("Times that a bill could not be had or compared."))
	if err := errors.Join(errDifferences, errFailures); err != nil {
		return nil, fmt.Errorf("measure bills: %w", err)
	}
	// Counted from zero: a counter that comes into being with its first failure shows no increase.
	failures.Add(context.Background(), 0)
	for _, kind := range reconcile.Kinds() {
		differences.Add(context.Background(), 0, ofKind(kind))
	}
	return &Bills{journal: c.Journal, biller: c.Biller, asker: c.Asker, now: c.Now, log: c.Log, differences: differences, failures: failures}, nil
}

// Run compares each day once its bill is there, until ctx ends. Two replicas that
// do so compare a day twice and journal it once.
func (b *Bills) Run(ctx context.Context) error {
	ticker := time.NewTicker(billEvery)
	defer ticker.Stop()
	var rest time.Time
	for {
		if now := b.now(); !now.Before(rest) {
			if err := b.CatchUp(ctx); err != nil && ctx.Err() == nil {
				b.log.WarnContext(ctx, "bills are compared later", "err", err)
				rest = now.Add(billPause)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// CatchUp compares the days that are due, the oldest first. It stops when the
// provider does not answer; a bill that makes no sense holds no other up.
func (b *Bills) CatchUp(ctx context.Context) error {
	due, err := b.due(ctx)
	if err != nil {
		return err
	}
	var failed error
	for _, day := range due {
		err := b.compare(ctx, day)
		if err == nil {
			continue
		}
		b.failures.Add(ctx, 1)
		failed = errors.Join(failed, fmt.Errorf("the bill of %s: %w", day.Format(time.DateOnly), err))
		if fault.KindOf(err) == fault.Unavailable || ctx.Err() != nil {
			break // the next would be asked for in vain, too
		}
	}
	return failed
}

// due lists the days that have a bill and were not compared, each by its midnight.
func (b *Bills) due(ctx context.Context) (days []time.Time, err error) {
	last := midnight(b.now().Add(-billFrom)).AddDate(0, 0, -1)
	err = b.journal.View(ctx, payment.BillKey, func(s *payment.Orders) {
		for back := billDays - 1; back >= 0; back-- {
			if day := last.AddDate(0, 0, -back); s.Bill(day.Format(time.DateOnly)) == nil {
				days = append(days, day)
			}
		}
	})
	return days, err
}

func midnight(at time.Time) time.Time {
	y, m, d := at.In(shanghai).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, shanghai)
}

// compare compares one day and journals what came of it. What the journal may only
// not have heard yet is asked for first, and the day compared again.
func (b *Bills) compare(ctx context.Context, from time.Time) error {
	day, err := b.read(ctx, from)
	if err != nil {
		return err
	}
	if unheard := day.Unheard(); len(unheard) > 0 {
		for _, row := range unheard {
			number := ""
			if row.Refund {
				number = row.Number
			}
			err := b.asker.AskAgain(ctx, row.OutTradeNo, number)
			if f, isFault := fault.As(err); isFault && f.Kind != fault.Unavailable {
				b.log.WarnContext(ctx, "a row of a bill stays as it is", "number", row.Number, "err", err) // asking again gives the same
				continue
			}
			if err != nil {
				return err
			}
		}
		if day, err = b.read(ctx, from); err != nil {
			return err
		}
	}
	report := day.Report()
	if apart := reconcile.Unexplained(report); apart != 0 {
		return fmt.Errorf("%d fen are not explained by its differences", apart)
	}
	return b.record(ctx, report)
}

// read reads the journal's day and the provider's bill.
func (b *Bills) read(ctx context.Context, from time.Time) (*reconcile.Day, error) {
	date, to := from.Format(time.DateOnly), from.AddDate(0, 0, 1)
	if err := b.journal.Look(ctx); err != nil {
		return nil, err
	}
	var ours []payment.Movement
	b.journal.Each(func(_ int, s *payment.Orders) {
		ours = append(ours, s.Movements(from.Add(-reconcile.Window), to.Add(reconcile.Window))...)
	})
	day := reconcile.NewDay(date, from, to, ours)
	err := b.biller.TradeBill(ctx, date, func(r wechatpay.BillRow) error {
		day.Row(billRow(r))
		return nil
	})
	if err != nil && !errors.Is(err, wechatpay.ErrNoBill) {
		return nil, err
	}
	return day, nil
}

func (b *Bills) record(ctx context.Context, report *orderv1.BillReconciled) error {
	first := false
	err := b.journal.Do(ctx, paymentCommand{
		Key: payment.BillKey,
		Decide: func(s *payment.Orders, _ time.Time) ([]payment.Fact, error) {
			facts := payment.RecordBill(s, report)
			first = len(facts) > 0
			return facts, nil
		},
	})
	if err != nil || !first {
		return err
	}
	attrs := []any{"date", report.GetDate(), "payments", report.GetProvider().GetPayments(), "refunds", report.GetProvider().GetRefunds()}
	for _, c := range report.GetCounts() {
		b.differences.Add(ctx, c.GetCount(), ofKind(c.GetKind()))
		attrs = append(attrs, c.GetKind(), c.GetCount())
	}
	if len(report.GetCounts()) > 0 {
		b.log.WarnContext(ctx, "the provider's bill and the journal differ; finance has to look", attrs...)
	} else {
		b.log.InfoContext(ctx, "the provider's bill and the journal say the same", attrs...)
	}
	return nil
}

// Day returns what came of the bill of a day ("2026-11-22").
func (b *Bills) Day(ctx context.Context, date string) (*orderv1.BillReconciled, error) {
	var report *orderv1.BillReconciled
	err := b.journal.View(ctx, payment.BillKey, func(s *payment.Orders) { report = s.Bill(date) })
	if err == nil && report == nil {
		err = ErrBillPending
	}
	return report, err
}

func ofKind(kind string) metric.MeasurementOption {
	return metric.WithAttributes(attribute.String("kind", kind))
}

// billRow is a row of WeChat Pay's bill in the words of the comparison.
func billRow(r wechatpay.BillRow) reconcile.Row {
	out := reconcile.Row{
		Number: r.OutTradeNo, OutTradeNo: r.OutTradeNo, TransactionID: r.TransactionID, Refund: r.Refund(),
		Fen: int64(r.Fen), State: reconcile.Failed, Word: r.State,
	}
	if r.Refund() {
		out.Number = r.OutRefundNo
	}
	switch {
	case r.State == string(wechatpay.RefundSuccess): // a payment's word is the same
		out.State = reconcile.Done
	case r.Refund() && r.State == string(wechatpay.RefundProcessing):
		out.State = reconcile.UnderWay
	}
	return out
}
