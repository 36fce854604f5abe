package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/qingcang/qingcang/proto/eventkit"
	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
	fulfilmentv1 "github.com/qingcang/qingcang/proto/gen/fulfilment/v1"
	journalv1 "github.com/qingcang/qingcang/proto/gen/journal/v1"
	moneyv1 "github.com/qingcang/qingcang/proto/gen/money/v1"
	orderv1 "github.com/qingcang/qingcang/proto/gen/order/v1"
	"github.com/qingcang/qingcang/proto/lane/record"
	"github.com/qingcang/qingcang/services/internal/book"
	"github.com/qingcang/qingcang/services/internal/ids"
	"github.com/qingcang/qingcang/services/internal/journal"
	"github.com/qingcang/qingcang/services/internal/money"
	"github.com/qingcang/qingcang/services/internal/proof"
	"github.com/qingcang/qingcang/services/internal/wechatpay"
	"github.com/qingcang/qingcang/services/order/internal/eventin"
	"github.com/qingcang/qingcang/services/order/internal/ledger"
	"github.com/qingcang/qingcang/services/order/internal/ledger/ledgertest"
	"github.com/qingcang/qingcang/services/order/internal/payment"
)

const (
	proofCampaign = "c-1"
	proofPrice    = money.Fen(6_000)
	proofHold     = time.Minute
)

var errAcknowledgement = errors.New("the acknowledgement was lost")

// acknowledgements loses every fifth: what was asked is done, and who asked hears
// that it failed.
type acknowledgements struct{ count atomic.Int64 }

func (a *acknowledgements) of(err error) error {
	if a.count.Add(1)%5 == 0 {
		return errAcknowledgement
	}
	return err
}

// lossyStore is a journal's store.
type lossyStore struct {
	journal.Store
	acks acknowledgements
}

func (s *lossyStore) Insert(ctx context.Context, shard int, seq uint64, b *journalv1.Batch) error {
	return s.acks.of(s.Store.Insert(ctx, shard, seq, b))
}

// lossyProvider is WeChat Pay: a number that it knows is never charged or given back twice.
type lossyProvider struct {
	*provider
	acks acknowledgements
}

func (p *lossyProvider) Prepay(ctx context.Context, r wechatpay.PrepayRequest) (string, error) {
	id, err := p.provider.Prepay(ctx, r)
	return id, p.acks.of(err)
}

func (p *lossyProvider) Query(ctx context.Context, no string) (wechatpay.Trade, error) {
	trade, err := p.provider.Query(ctx, no)
	return trade, p.acks.of(err)
}

func (p *lossyProvider) Close(ctx context.Context, no string) error {
	return p.acks.of(p.provider.Close(ctx, no))
}

func (p *lossyProvider) Refund(ctx context.Context, r wechatpay.RefundRequest) (wechatpay.RefundStatus, error) {
	status, err := p.provider.Refund(ctx, r)
	return status, p.acks.of(err)
}

func (p *lossyProvider) QueryRefund(ctx context.Context, no string) (wechatpay.RefundStatus, error) {
	status, err := p.provider.QueryRefund(ctx, no)
	return status, p.acks.of(err)
}

// buy pays the order if the provider still takes money for it.
func (p *lossyProvider) buy(orderID string) {
	p.mu.Lock()
	trade, known := p.trades[payment.PaymentID(orderID)]
	p.mu.Unlock()
	if known && trade.State == wechatpay.TradeNotPay {
		p.pay(orderID, "tx_"+orderID, proofPrice)
	}
}

// lossyLane is the real ledger over a log in memory, and its events as a topic.
type lossyLane struct {
	t    *proof.Trial
	acks acknowledgements

	mu     sync.Mutex
	ledger *ledgertest.Lane
	topic  []eventkit.Record
}

func (l *lossyLane) append(c record.Command) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	events, err := l.ledger.Take(c)
	if err != nil {
		l.t.Error(err)
	}
	for _, event := range events {
		at := eventkit.Position{Source: "lanes.shared.v1/1", Seq: uint64(event.At.Offset), Index: uint32(event.At.Index)}
		l.topic = append(l.topic, told(l.t, at, event.Message))
	}
	return l.acks.of(nil)
}

func told(t *proof.Trial, at eventkit.Position, m proto.Message) eventkit.Record {
	data, err := proto.Marshal(m)
	if err != nil {
		t.Error(err)
	}
	return eventkit.Record{Event: eventkit.Event{ID: at.String(), Type: string(m.ProtoReflect().Descriptor().FullName()), Data: data}}
}

func (l *lossyLane) Pay(_ context.Context, _ *campaignv1.Lane, p *record.Pay) error {
	return l.append(p)
}

func (l *lossyLane) Held(_ context.Context, orderID, _ string) (payment.Held, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	o, ok := l.ledger.Order(orderID)
	if !ok || o.State != ledger.Held {
		return payment.Held{}, payment.ErrHoldOver
	}
	return payment.Held{
		CampaignUID: o.CampaignUID, BuyerID: o.BuyerID, Fen: o.Fen, Deadline: o.Deadline,
		Lane: payment.Lane{Topic: "lanes.shared.v1", Partition: 1},
	}, nil
}

func (l *lossyLane) events() []eventkit.Record {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]eventkit.Record(nil), l.topic...)
}

// market is a lane, the provider, the warehouse, and two replicas of the order
// service over one journal. Two buyers want one or two units.
type market struct {
	*proof.Trial
	clock     *clock
	store     *lossyStore
	provider  *lossyProvider
	lane      *lossyLane
	replicas  []*Payments
	orders    []string
	warehouse []eventkit.Record
}

func openMarket(t *proof.Trial) *market {
	return openMarketAt(t, time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
}

func openMarketAt(t *proof.Trial, begin time.Time) *market {
	m := newMarket(t, begin)
	for range 2 {
		m.replicas = append(m.replicas, m.replica())
	}
	m.sells(1+t.Int64N(2), time.Hour)
	return m
}

func newMarket(t *proof.Trial, begin time.Time) *market {
	return &market{
		Trial: t, clock: &clock{now: begin}, store: &lossyStore{Store: journal.NewMemoryStore()},
		provider: &lossyProvider{provider: &provider{trades: map[string]wechatpay.Trade{}, refunds: map[string]wechatpay.RefundStatus{}}},
		lane:     &lossyLane{t: t, ledger: ledgertest.New()},
		orders:   []string{ids.Derive("ord", "1"), ids.Derive("ord", "2")},
	}
}

// sells opens the campaign for a while.
func (m *market) sells(units int64, length time.Duration) {
	begin := m.clock.Now()
	desired := &campaignv1.Desired{
		Uid: proofCampaign, Generation: 1, BrandId: "brand_1", CommissionBps: 1_000, HoldSeconds: int64(proofHold / time.Second),
		StartAt: timestamppb.New(begin), EndAt: timestamppb.New(begin.Add(length)),
		Items: []*campaignv1.Item{{Sku: "A", Units: units, PriceFen: int64(proofPrice), SettlementFen: 4_001}},
	}
	allocation := &record.Allocate{CampaignUID: proofCampaign, Generation: 1, Add: []record.Units{{SKU: "A", Units: units}}}
	m.thrice(func() {
		_ = m.lane.append(&record.Want{Desired: desired})
	})
	m.thrice(func() { _ = m.lane.append(allocation) })
	m.tick(0)
}

func (m *market) replica() *Payments {
	log := slog.New(slog.DiscardHandler)
	j, err := journal.Open(context.Background(), paymentJournalConfig(m.store, m.clock.Now, log), paymentMachine{})
	if err != nil {
		m.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := j.Run(ctx); err != nil {
			m.Error(err)
		}
	}()
	m.Cleanup(func() { cancel(); <-done })
	return NewPayments(PaymentsConfig{
		Journal: j, Orders: m.lane, Lane: m.lane, Cashier: m.provider, Treasury: m.provider, Now: m.clock.Now, Log: log,
	})
}

// thrice delivers something three times.
func (m *market) thrice(deliver func()) {
	for range 3 {
		deliver()
	}
}

func (m *market) tick(d time.Duration) {
	m.clock.pass(d)
	_ = m.lane.append(&record.Tick{At: m.clock.Now().UnixMilli()})
}

func (m *market) any() *Payments { return m.replicas[m.IntN(len(m.replicas))] }

func (m *market) place(id string) { m.placeUnits(id, 1) }

func (m *market) placeUnits(id string, units int64) {
	place := &record.Place{OrderID: id, CampaignUID: proofCampaign, BuyerID: "per_" + id, OwnerID: "per_o", Lines: []record.Units{{SKU: "A", Units: units}}}
	m.thrice(func() { _ = m.lane.append(place) })
}

// open asks for the payment page; what is lost is asked for again by the page.
func (m *market) open(id string) {
	m.thrice(func() { _, _ = m.any().Open(context.Background(), id, "per_"+id, "openid") })
}

// happen is one thing that buyers, provider and time do to an order.
func (m *market) happen(id string) {
	switch m.IntN(10) {
	case 0:
		m.place(id)
	case 1, 2:
		m.open(id)
	case 3, 4:
		m.provider.buy(id)
	case 5, 6:
		m.notify(id)
	case 7:
		m.tick(proofHold / 2)
	case 8:
		m.deliver()
	default:
		if m.Chance(3) {
			cancel := &record.Cancel{OrderID: id, CampaignUID: proofCampaign}
			m.thrice(func() { _ = m.lane.append(cancel) })
		}
	}
}

// notify tells both replicas at once, and one of them again, of a payment.
func (m *market) notify(id string) {
	trade, err := m.provider.provider.Query(context.Background(), payment.PaymentID(id))
	if err != nil || !trade.Paid() {
		return
	}
	notice := wechatpay.Notice{Kind: wechatpay.NoticePaid, Trade: trade}
	var notices sync.WaitGroup
	for _, p := range slices.Concat(m.replicas, []*Payments{m.any()}) {
		notices.Go(func() { _ = p.TakeNotice(context.Background(), notice) })
	}
	notices.Wait()
}

// deliver lets both replicas read the topics, and one of them twice, from the
// beginning or from somewhere in between, as after a handover.
func (m *market) deliver() {
	for _, p := range slices.Concat(m.replicas, []*Payments{m.any()}) {
		role := eventin.Role(p.journal, slog.New(slog.DiscardHandler))
		for _, topic := range [][]eventkit.Record{m.lane.events(), m.warehouse} {
			for range 5 { // who gets no answer asks again
				if role.Handle(context.Background(), topic) == nil {
					break
				}
			}
		}
	}
}

// chores does what is due, in both replicas: harmless work twice.
func (m *market) chores() {
	for _, p := range m.replicas {
		var due []payment.Work
		p.journal.Each(func(_ int, s *payment.Orders) { due = append(due, s.Due(m.clock.Now())...) })
		for _, w := range due {
			_ = p.work(context.Background(), w)
		}
	}
}

// ship sends what was sold: some of it short, some of it comes back.
func (m *market) ship() {
	for n, id := range m.orders {
		if o, _ := m.lane.ledger.Order(id); o.State != ledger.Confirmed {
			continue
		}
		ship := fmt.Sprintf("ship_%d", n)
		lack := m.Int64N(2)
		for _, fact := range []proto.Message{
			&fulfilmentv1.ParcelShipped{ShippingOrderId: ship, OrderId: id, Lines: []*fulfilmentv1.ShippedLine{{Sku: "A", Num: 1, Realnum: 1 - lack, Lacknum: lack}}},
			&fulfilmentv1.ReturnReceived{ReturnId: "ret_" + ship, OrderId: id, Lines: []*fulfilmentv1.Line{{Sku: "A", Units: m.Int64N(2)}}},
			&fulfilmentv1.ReturnWindowClosed{OrderId: id, ShippingOrderId: ship},
		} {
			at := eventkit.Position{Source: "fulfilment/1", Seq: uint64(len(m.warehouse))}
			m.warehouse = append(m.warehouse, told(m.Trial, at, fact))
		}
	}
}

// quiesce lets time pass until nothing waits any more.
func (m *market) quiesce() {
	for range 40 {
		m.deliver()
		m.tick(10 * time.Second)
		m.chores()
		if m.quiet() {
			return
		}
	}
	m.Fatal("something is still open after seven minutes")
}

func (m *market) quiet() bool {
	for _, id := range m.orders {
		if o, _ := m.lane.ledger.Order(id); o.State == ledger.Held {
			return false
		}
	}
	quiet := true
	for _, p := range m.replicas {
		p.journal.Each(func(_ int, s *payment.Orders) {
			for _, id := range m.orders {
				quiet = quiet && !s.Order(id).Open()
			}
		})
	}
	return quiet
}

// judge reads the lane's topic and the journal from their beginnings: whatever has
// an effect is there once, the books are even, and the provider holds what was sold.
func (m *market) judge() {
	effects, balances := map[string]int{}, book.Balances{}
	once := func(fact proto.Message, effect string) {
		if effects[effect]++; effects[effect] > 1 {
			m.Fatalf("%s takes effect twice: %v", effect, fact)
		}
	}
	for _, r := range m.lane.topic {
		fact, err := r.Event.Decode()
		if err != nil {
			m.Fatal(err)
		}
		switch e := fact.(type) {
		case *orderv1.OrderHeld:
			once(e, "placing "+e.GetOrderId())
		case *orderv1.OrderConfirmed:
			once(e, "selling "+e.GetOrderId())
		}
	}
	for _, id := range m.orders {
		err := m.store.Range(context.Background(), journal.ShardOf(id), 1, func(_ uint64, batch *journalv1.Batch) error {
			for _, e := range batch.GetEvents() {
				fact, err := eventkit.Event{Type: e.GetType(), Data: e.GetData()}.Decode()
				if err != nil {
					return err
				}
				if payment.Subject(fact) == id {
					m.audit(fact, balances, once)
				}
			}
			return nil
		})
		if err != nil {
			m.Fatal(err)
		}
	}
	if transit := payment.Table.InTransit(balances); len(transit) > 0 {
		m.Fatalf("in transit: %v", transit)
	}
	if cash := m.provider.holds(); cash != balances.Of(payment.Cash) {
		m.Fatalf("the provider holds %s, the book says %s", cash, balances.Of(payment.Cash))
	}
}

func (m *market) audit(fact payment.Fact, balances book.Balances, once func(proto.Message, string)) {
	switch e := fact.(type) {
	case *orderv1.PaymentReceived:
		once(e, "charge "+e.GetTransactionId())
	case *orderv1.OrderPaid:
		once(e, "sale "+e.GetOrderId())
	case *orderv1.RefundRequested:
		once(e, "refund "+e.GetRefundId())
	case *orderv1.RefundSettled:
		once(e, "settling "+e.GetRefundId())
	case *orderv1.LineShort:
		once(e, "shortage "+e.GetRefundId())
	case *orderv1.LineReturned:
		once(e, "return "+e.GetRefundId())
	case *orderv1.OrderMatured:
		once(e, "maturity "+e.GetOrderId())
	}
	if p, ok := fact.(interface{ GetPosting() *moneyv1.Posting }); ok {
		if err := balances.Apply(p.GetPosting()); err != nil {
			m.Fatal(err)
		}
	}
}

// holds is what buyers paid less what went back.
func (p *lossyProvider) holds() money.Fen {
	var sum money.Fen
	for _, trade := range p.trades {
		if trade.Paid() {
			sum += trade.Fen
		}
	}
	for _, refund := range p.refunds {
		sum -= refund.Fen
	}
	return sum
}
