package app

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
	orderv1 "github.com/qingcang/qingcang/proto/gen/order/v1"
	"github.com/qingcang/qingcang/proto/lane/record"
	"github.com/qingcang/qingcang/services/internal/ids"
	"github.com/qingcang/qingcang/services/internal/journal"
	"github.com/qingcang/qingcang/services/internal/money"
	"github.com/qingcang/qingcang/services/internal/testkit"
	"github.com/qingcang/qingcang/services/internal/wechatpay"
	"github.com/qingcang/qingcang/services/order/internal/payment"
)

const (
	testWait = 10 * time.Second
	testFen  = money.Fen(13_999)
)

var testOrder = ids.Derive("ord", "test")

// provider stands for WeChat Pay.
type provider struct {
	mu      sync.Mutex
	trades  map[string]wechatpay.Trade
	prepays int
	payers  []string
	refunds map[string]wechatpay.RefundStatus
	// says overrides what becomes of a refund, by its number.
	says     map[string]wechatpay.RefundState
	refuses  bool
	short    bool
	failNext int
	// now is the provider's clock; without one it tells no times.
	now func() time.Time
	// paidAtClose lets a buyer be faster than a close.
	paidAtClose bool
}

var errDown = errors.New("the provider is down")

func (p *provider) down() error {
	if p.failNext > 0 {
		p.failNext--
		return errDown
	}
	return nil
}

func (p *provider) Prepay(_ context.Context, r wechatpay.PrepayRequest) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.down(); err != nil {
		return "", err
	}
	p.prepays++
	p.payers = append(p.payers, r.PayerOpenID)
	if _, known := p.trades[r.OutTradeNo]; !known {
		p.trades[r.OutTradeNo] = wechatpay.Trade{OutTradeNo: r.OutTradeNo, State: wechatpay.TradeNotPay, Fen: r.Fen}
	}
	return "wx_" + r.OutTradeNo, nil
}

func (p *provider) PaySign(_ context.Context, prepayID string, _ time.Time) (wechatpay.PayParams, error) {
	return wechatpay.PayParams{Package: "prepay_id=" + prepayID}, nil
}

func (p *provider) Query(_ context.Context, outTradeNo string) (wechatpay.Trade, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	t, ok := p.trades[outTradeNo]
	if !ok {
		return wechatpay.Trade{}, wechatpay.ErrUnknown
	}
	return t, p.down()
}

func (p *provider) Close(_ context.Context, outTradeNo string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	t := p.trades[outTradeNo]
	if t.Paid() || p.paidAtClose {
		return wechatpay.ErrPaid
	}
	t.State = wechatpay.TradeClosed
	p.trades[outTradeNo] = t
	return nil
}

// QueryRefund is asking again.
func (p *provider) QueryRefund(ctx context.Context, number string) (wechatpay.RefundStatus, error) {
	p.mu.Lock()
	s, known := p.refunds[number]
	p.mu.Unlock()
	if !known {
		return wechatpay.RefundStatus{}, wechatpay.ErrUnknown
	}
	return p.Refund(ctx, wechatpay.RefundRequest{OutTradeNo: s.OutTradeNo, OutRefundNo: number, RefundFen: s.Fen})
}

// Refund is in progress when asked for, and done when asked again.
func (p *provider) Refund(_ context.Context, r wechatpay.RefundRequest) (wechatpay.RefundStatus, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.down(); err != nil {
		return wechatpay.RefundStatus{}, err
	}
	if p.refuses {
		return wechatpay.RefundStatus{}, wechatpay.ErrRefused
	}
	if p.short {
		return wechatpay.RefundStatus{}, wechatpay.ErrShort
	}
	s, again := p.refunds[r.OutRefundNo]
	if !again {
		s = wechatpay.RefundStatus{
			OutTradeNo: r.OutTradeNo, OutRefundNo: r.OutRefundNo, State: wechatpay.RefundProcessing, Fen: r.RefundFen,
			AcceptedAt: time.Date(2026, 3, 1, 13, 0, 0, 0, time.UTC),
		}
	} else {
		s.State = wechatpay.RefundSuccess
	}
	if said, ok := p.says[r.OutRefundNo]; ok {
		s.State = said
	}
	p.refunds[r.OutRefundNo] = s
	return s, nil
}

// say sets what the provider makes of a refund's number.
func (p *provider) say(number string, state wechatpay.RefundState) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.says[number] = state
}

// pay is the buyer's payment; the notice it returns may or may not be sent.
func (p *provider) pay(orderID, transaction string, fen money.Fen) wechatpay.Notice {
	p.mu.Lock()
	defer p.mu.Unlock()
	no := payment.PaymentID(orderID)
	t := wechatpay.Trade{OutTradeNo: no, TransactionID: transaction, State: wechatpay.TradeSuccess, Fen: fen}
	if p.now != nil {
		t.PaidAt = p.now()
	}
	p.trades[no] = t
	return wechatpay.Notice{Kind: wechatpay.NoticePaid, Trade: p.trades[no]}
}

// lanes stands for the lanes: it counts what it is told.
type lanes struct {
	mu   sync.Mutex
	held map[string]payment.Held
	paid []*record.Pay
	down bool
}

func (l *lanes) Held(_ context.Context, orderID, buyerID string) (payment.Held, error) {
	h, ok := l.held[orderID]
	if !ok || h.BuyerID != buyerID {
		return payment.Held{}, errDown
	}
	return h, nil
}

func (l *lanes) Pay(_ context.Context, _ *campaignv1.Lane, p *record.Pay) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.down {
		return errDown
	}
	l.paid = append(l.paid, p)
	return nil
}

func (l *lanes) told() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.paid)
}

// shop is the payment side of the order service over a store, which outlives it.
type shop struct {
	*Payments
	t        *testing.T
	store    *journal.MemoryStore
	provider *provider
	lanes    *lanes
	clock    *clock
}

type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func openShop(t *testing.T) *shop {
	t.Helper()
	c := &clock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	log := slog.New(slog.DiscardHandler)
	s := &shop{
		t: t, clock: c, store: journal.NewMemoryStore(),
		provider: &provider{trades: map[string]wechatpay.Trade{}, refunds: map[string]wechatpay.RefundStatus{}, says: map[string]wechatpay.RefundState{}},
		lanes: &lanes{held: map[string]payment.Held{testOrder: {
			CampaignUID: "c-1", BuyerID: "per_b", Fen: testFen, Deadline: c.now.Add(15 * time.Minute),
			Lane: payment.Lane{Topic: "lanes.shared.v1", Partition: 1},
		}}},
	}
	j, err := journal.Open(t.Context(), paymentJournalConfig(s.store, c.Now, log), paymentMachine{})
	if err != nil {
		t.Fatal(err)
	}
	s.Payments = NewPayments(PaymentsConfig{
		Journal: j, Orders: s.lanes, Lane: s.lanes, Cashier: s.provider, Treasury: s.provider, Now: c.Now, Log: log,
	})
	s.background(j.Run)
	return s
}

// background runs a part until the test ends.
func (s *shop) background(part func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- part(ctx) }()
	s.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			s.t.Errorf("background: %v", err)
		}
	})
}

func (s *shop) work() {
	s.background(func(ctx context.Context) error { return s.Work(ctx, journal.ShardOf(testOrder)) })
}

func (s *shop) open() OpenPayment {
	s.t.Helper()
	p, err := s.Open(s.t.Context(), testOrder, "per_b", "openid-1")
	if err != nil {
		s.t.Fatal(err)
	}
	return p
}

func (s *shop) hear(facts ...payment.Fact) {
	s.t.Helper()
	for _, f := range facts {
		err := s.do(s.t.Context(), testOrder, func(o *payment.Order, now time.Time) ([]payment.Fact, error) {
			return payment.Hear(o, f, now)
		})
		if err != nil {
			s.t.Fatal(err)
		}
	}
}

func (s *shop) confirm() {
	s.hear(&orderv1.OrderConfirmed{
		OrderId: testOrder, CampaignUid: "c-1", BrandId: "brand_1", BuyerId: "per_b", PaymentId: payment.PaymentID(testOrder),
		Lines: []*orderv1.ConfirmedLine{{Sku: "A", Units: 1, PriceFen: int64(testFen), SettlementFen: 9_000}},
	})
}

// see waits until the order's money is as wanted.
func (s *shop) see(what string, as func(o *payment.Order) bool) {
	s.t.Helper()
	testkit.Eventually(s.t, testWait, func() error {
		s.clock.pass(time.Second) // pauses pass quickly
		ok := false
		if err := s.journal.View(s.t.Context(), testOrder, func(state *payment.Orders) { ok = as(state.Order(testOrder)) }); err != nil {
			return err
		}
		if !ok {
			return errors.New("not seen: " + what)
		}
		return nil
	})
}
