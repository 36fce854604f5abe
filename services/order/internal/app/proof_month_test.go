package app

import (
	"context"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/qingcang/qingcang/proto/eventkit"
	fulfilmentv1 "github.com/qingcang/qingcang/proto/gen/fulfilment/v1"
	journalv1 "github.com/qingcang/qingcang/proto/gen/journal/v1"
	orderv1 "github.com/qingcang/qingcang/proto/gen/order/v1"
	"github.com/qingcang/qingcang/services/internal/book"
	"github.com/qingcang/qingcang/services/internal/journal"
	"github.com/qingcang/qingcang/services/internal/money"
	"github.com/qingcang/qingcang/services/internal/proof"
	"github.com/qingcang/qingcang/services/internal/wechatpay"
	"github.com/qingcang/qingcang/services/order/internal/eventin"
	"github.com/qingcang/qingcang/services/order/internal/payment"
)

const (
	monthDays   = 30
	monthOrders = 10 // a day
	// drainDays is how long refunds may take after the last order: one may be closed
	// twice, each after seven days, and then wait for finance.
	drainDays = 60
)

// bank is WeChat Pay with what banks do to refunds, and with its daily bill.
type bank struct {
	t     *proof.Trial
	clock *clock
	acks  acknowledgements

	mu      sync.Mutex
	trades  map[string]wechatpay.Trade
	refunds map[string]*bankRefund
	// refusals are the numbers that it was asked for first, and whether it took them.
	refusals map[string]bool
}

// bankRefund is a refund and what becomes of it.
type bankRefund struct {
	status wechatpay.RefundStatus
	// then is what it becomes at a time.
	then wechatpay.RefundState
	at   time.Time
}

// state is what the refund is at a time.
func (r *bankRefund) state(at time.Time) wechatpay.RefundState {
	if at.Before(r.at) {
		return wechatpay.RefundProcessing
	}
	return r.then
}

func (r *bankRefund) told(at time.Time) wechatpay.RefundStatus {
	s := r.status
	if s.State = r.state(at); s.State == wechatpay.RefundSuccess {
		s.SettledAt = r.at
	}
	return s
}

func (b *bank) Prepay(_ context.Context, r wechatpay.PrepayRequest) (string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, known := b.trades[r.OutTradeNo]; !known {
		b.trades[r.OutTradeNo] = wechatpay.Trade{OutTradeNo: r.OutTradeNo, State: wechatpay.TradeNotPay, Fen: r.Fen}
	}
	return "wx_" + r.OutTradeNo, b.acks.of(nil)
}

func (b *bank) PaySign(context.Context, string, time.Time) (wechatpay.PayParams, error) {
	return wechatpay.PayParams{}, nil
}

func (b *bank) Query(_ context.Context, no string) (wechatpay.Trade, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	trade, known := b.trades[no]
	if !known {
		return trade, wechatpay.ErrUnknown
	}
	return trade, b.acks.of(nil)
}

func (b *bank) Close(_ context.Context, no string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	trade := b.trades[no]
	if trade.Paid() {
		return wechatpay.ErrPaid
	}
	trade.State = wechatpay.TradeClosed
	b.trades[no] = trade
	return b.acks.of(nil)
}

// Refund takes a refund, once a number, and decides what becomes of it.
func (b *bank) Refund(_ context.Context, r wechatpay.RefundRequest) (wechatpay.RefundStatus, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.clock.Now()
	known, again := b.refunds[r.OutRefundNo]
	if !again {
		if b.t.Chance(15) { // today's sales will cover it
			return wechatpay.RefundStatus{}, wechatpay.ErrShort
		}
		refused, asked := b.refusals[r.OutRefundNo]
		if !asked {
			refused = b.t.Chance(25)
			b.refusals[r.OutRefundNo] = refused
		}
		if refused {
			return wechatpay.RefundStatus{}, wechatpay.ErrRefused
		}
		known = &bankRefund{then: wechatpay.RefundSuccess, status: wechatpay.RefundStatus{
			OutTradeNo: r.OutTradeNo, OutRefundNo: r.OutRefundNo, Fen: r.RefundFen, AcceptedAt: now,
		}}
		switch b.t.IntN(10) {
		case 0:
			known.then, known.at = wechatpay.RefundClosed, now.AddDate(0, 0, 7)
		case 1, 2:
			known.then, known.at = wechatpay.RefundAbnormal, now.Add(time.Duration(b.t.Int64N(int64(40*time.Hour))))
		case 3:
			known.at = now
		default:
			known.at = now.Add(time.Duration(b.t.Int64N(int64(72 * time.Hour))))
		}
		b.refunds[r.OutRefundNo] = known
	}
	return known.told(now), b.acks.of(nil)
}

func (b *bank) QueryRefund(_ context.Context, no string) (wechatpay.RefundStatus, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	known, ok := b.refunds[no]
	if !ok {
		return wechatpay.RefundStatus{}, wechatpay.ErrUnknown
	}
	return known.told(b.clock.Now()), b.acks.of(nil)
}

// release is finance in the merchant's pages: an abnormal refund goes on, one that
// was refused would be taken.
func (b *bank) release(no string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refusals[no] = false
	if r := b.refunds[no]; r != nil && r.state(b.clock.Now()) == wechatpay.RefundAbnormal {
		r.then, r.at = wechatpay.RefundSuccess, b.clock.Now().Add(time.Hour)
	}
}

// TradeBill is the bill of a day as it was written on the next morning.
func (b *bank) TradeBill(_ context.Context, date string, each func(wechatpay.BillRow) error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	from, err := time.ParseInLocation(time.DateOnly, date, shanghai)
	if err != nil {
		return err
	}
	written := from.Add(34 * time.Hour)
	within := func(at time.Time) bool { return !at.Before(from) && at.Before(from.AddDate(0, 0, 1)) }
	rows := 0
	row := func(r wechatpay.BillRow) {
		rows++
		if e := each(r); e != nil && err == nil {
			err = e
		}
	}
	for no, t := range b.trades {
		if t.Paid() && within(t.PaidAt) {
			row(wechatpay.BillRow{At: t.PaidAt, OutTradeNo: no, TransactionID: t.TransactionID, State: "SUCCESS", Fen: t.Fen})
		}
	}
	for no, r := range b.refunds {
		if within(r.status.AcceptedAt) {
			row(wechatpay.BillRow{
				At: r.status.AcceptedAt, OutTradeNo: r.status.OutTradeNo, OutRefundNo: no, State: string(r.state(written)), Fen: r.status.Fen,
			})
		}
	}
	if rows == 0 {
		return wechatpay.ErrNoBill
	}
	return err
}

// holds is what was paid less what was given back.
func (b *bank) holds() (sum money.Fen) {
	for _, t := range b.trades {
		if t.Paid() {
			sum += t.Fen
		}
	}
	for _, r := range b.refunds {
		if r.state(b.clock.Now()) == wechatpay.RefundSuccess {
			sum -= r.status.Fen
		}
	}
	return sum
}

// month is a market with many orders.
type month struct {
	*market
	bank   *bank
	bills  []*Bills
	begin  time.Time
	agenda []appointment
	parcel int
}

func openMonth(t *proof.Trial) *month {
	// Midnight in Shanghai, so that the first days have whole bills.
	m := &month{market: newMarket(t, time.Date(2026, 3, 1, 0, 0, 0, 0, shanghai).UTC())}
	m.begin = m.clock.Now()
	m.bank = &bank{t: t, clock: m.clock, trades: map[string]wechatpay.Trade{}, refunds: map[string]*bankRefund{}, refusals: map[string]bool{}}
	for range 2 {
		p := m.replica()
		p.cashier, p.treasury = m.bank, m.bank
		bills, err := NewBills(BillsConfig{Journal: p.journal, Biller: m.bank, Asker: p, Now: m.clock.Now, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		m.replicas, m.bills = append(m.replicas, p), append(m.bills, bills)
	}
	m.orders = nil
	m.sells(monthDays*monthOrders*2, (monthDays+1)*24*time.Hour)
	return m
}

func (m *month) at(after time.Duration, do func()) {
	m.agenda = append(m.agenda, appointment{at: m.begin.Add(after), do: do})
}

func (m *month) soon(within time.Duration, do func()) {
	m.at(m.clock.Now().Sub(m.begin)+time.Duration(m.Int64N(int64(within))), do)
}

// play does what is on the agenda up to a time.
func (m *month) play(until time.Time) {
	for {
		slices.SortStableFunc(m.agenda, func(a, b appointment) int { return a.at.Compare(b.at) })
		if len(m.agenda) == 0 || m.agenda[0].at.After(until) {
			break
		}
		next := m.agenda[0]
		m.agenda = m.agenda[1:]
		m.pass(next.at)
		next.do()
	}
	m.pass(until)
}

func (m *month) pass(at time.Time) {
	if d := at.Sub(m.clock.Now()); d > 0 {
		m.tick(d)
	}
}

// order is one from its placing to its parcel.
func (m *month) order(id string) {
	m.orders = append(m.orders, id)
	units := 1 + m.Int64N(3)
	m.placeUnits(id, units)
	m.open(id)
	if !m.Chance(6) {
		m.soon(2*time.Minute, func() { m.buys(id) })
	}
	for after := 20 * time.Second; after <= 2*time.Minute; after += 20 * time.Second {
		m.at(m.clock.Now().Sub(m.begin)+after, m.look)
	}
	m.soon(24*time.Hour, func() { m.ships(id, units) })
}

// buys pays, in time or not; the notice is lost, or late by up to a day.
func (m *month) buys(id string) {
	m.bank.mu.Lock()
	defer m.bank.mu.Unlock()
	no := payment.PaymentID(id)
	t, known := m.bank.trades[no]
	if !known || t.State != wechatpay.TradeNotPay {
		return
	}
	t.State, t.TransactionID, t.PaidAt = wechatpay.TradeSuccess, "tx_"+id, m.clock.Now()
	m.bank.trades[no] = t
	if !m.Chance(4) {
		within := []time.Duration{time.Second, time.Minute, 24 * time.Hour}[m.IntN(3)]
		m.soon(within, func() {
			_ = m.any().TakeNotice(context.Background(), wechatpay.Notice{Kind: wechatpay.NoticePaid, Trade: t})
		})
	}
}

// ships sends what was sold: some of it is short, some of it comes back in pieces.
func (m *month) ships(id string, units int64) {
	m.parcel++
	ship := "ship_" + strconv.Itoa(m.parcel)
	lack := max(0, m.Int64N(2*units)-units)
	m.warehouseSays(&fulfilmentv1.ParcelShipped{ShippingOrderId: ship, OrderId: id, Lines: []*fulfilmentv1.ShippedLine{{Sku: "A", Num: units, Realnum: units - lack, Lacknum: lack}}})
	for n := range m.IntN(3) {
		m.soon(7*24*time.Hour, func() {
			m.warehouseSays(&fulfilmentv1.ReturnReceived{ReturnId: ship + "_" + strconv.Itoa(n), OrderId: id, Lines: []*fulfilmentv1.Line{{Sku: "A", Units: 1}}})
		})
	}
	m.at(m.clock.Now().Sub(m.begin)+8*24*time.Hour, func() {
		m.warehouseSays(&fulfilmentv1.ReturnWindowClosed{OrderId: id, ShippingOrderId: ship})
	})
}

func (m *month) warehouseSays(fact proto.Message) {
	at := eventkit.Position{Source: "fulfilment/1", Seq: uint64(len(m.warehouse))}
	m.warehouse = append(m.warehouse, told(m.Trial, at, fact))
}

// look lets both replicas hear what is new, and some of what is not, and do what
// is due.
func (m *month) look() {
	for _, p := range m.replicas {
		role := eventin.Role(p.journal, slog.New(slog.DiscardHandler))
		for _, topic := range [][]eventkit.Record{m.lane.events(), m.warehouse} {
			const again = 40
			topic = topic[max(0, len(topic)-again):]
			for range 5 { // who gets no answer asks again
				if role.Handle(context.Background(), topic) == nil {
					break
				}
			}
		}
	}
	m.chores()
}

// morning compares yesterday's bill, in both replicas, and sees to what waits for
// finance.
func (m *month) morning() {
	m.look()
	for n := range m.bills {
		for range 8 { // an acknowledgement may be lost
			if m.bills[n].CatchUp(context.Background()) == nil {
				break
			}
		}
	}
	date := midnight(m.clock.Now()).AddDate(0, 0, -1).Format(time.DateOnly)
	report, err := m.bills[0].Day(context.Background(), date)
	switch {
	case err != nil:
		m.Fatalf("the bill of %s was not compared: %v", date, err)
	case len(report.GetCounts()) > 0:
		m.Fatalf("the bill of %s and the journal differ: %v", date, report)
	}
	m.finance()
}

func (m *month) finance() {
	waiting, err := m.replicas[0].Refunds(context.Background(), payment.RefundWithFinance, "")
	if err != nil {
		m.Fatal(err)
	}
	for _, r := range waiting {
		how := payment.Retried
		if m.Chance(2) {
			how = payment.PaidElsewhere
		}
		if how == payment.Retried || r.Trouble == payment.TroubleAbnormal && m.Chance(2) {
			m.bank.release(r.Number())
		}
		for range 5 { // who gets no answer asks again
			err = m.any().Resolve(context.Background(), r.ID, payment.Resolution{How: how, Reference: "case " + r.ID, StaffID: "alice"})
			if err == nil {
				break
			}
		}
		if how == payment.PaidElsewhere && r.Trouble == payment.TroubleAbnormal {
			m.soon(12*time.Hour, func() { m.refundNotice(r.Number()) })
		}
	}
}

// refundNotice is WeChat Pay's word that a refund was made, which comes until it
// is answered.
func (m *month) refundNotice(number string) {
	m.bank.mu.Lock()
	r := m.bank.refunds[number]
	status := r.told(m.clock.Now())
	m.bank.mu.Unlock()
	if status.State == wechatpay.RefundAbnormal {
		return // finance left the money where it is
	}
	if status.State != wechatpay.RefundSuccess ||
		m.any().TakeNotice(context.Background(), wechatpay.Notice{Kind: wechatpay.NoticeRefunded, Refund: status}) != nil {
		m.at(m.clock.Now().Sub(m.begin)+time.Hour, func() { m.refundNotice(number) })
	}
}

// done reports whether all money is where it belongs.
func (m *month) done() bool {
	open := len(m.agenda)
	m.replicas[0].journal.Each(func(_ int, s *payment.Orders) {
		open += len(s.Due(m.clock.Now().AddDate(1, 0, 0)))
		open += len(s.Refunds(payment.RefundWithFinance))
	})
	return open == 0
}

// audit reads the whole journal from its beginning.
func (m *month) audit() {
	balances, sold := book.Balances{}, 0
	once := map[string]bool{}
	for shard := range journal.Shards {
		err := m.store.Range(context.Background(), shard, 1, func(_ uint64, batch *journalv1.Batch) error {
			for _, e := range batch.GetEvents() {
				fact, err := eventkit.Event{Type: e.GetType(), Data: e.GetData()}.Decode()
				if err != nil {
					return err
				}
				m.market.audit(fact, balances, func(_ proto.Message, effect string) {
					if once[effect] {
						m.Fatalf("%s takes effect twice", effect)
					}
					once[effect] = true
				})
				if _, ok := fact.(*orderv1.OrderPaid); ok {
					sold++
				}
			}
			return nil
		})
		if err != nil {
			m.Fatal(err)
		}
	}
	switch transit := payment.Table.InTransit(balances); {
	case len(transit) > 0:
		m.Fatalf("in transit: %v", transit)
	case balances.Sum() != 0:
		m.Fatalf("the books add up to %s", balances.Sum())
	case m.bank.holds() != balances.Of(payment.Cash):
		m.Fatalf("the provider holds %s, the books say %s", m.bank.holds(), balances.Of(payment.Cash))
	case sold < monthDays*monthOrders/4:
		m.Fatalf("only %d orders were sold: nothing is proved", sold)
	}
}
