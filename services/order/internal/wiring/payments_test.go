package wiring

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/qingcang/qingcang/proto/eventkit"
	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
	fulfilmentv1 "github.com/qingcang/qingcang/proto/gen/fulfilment/v1"
	moneyv1 "github.com/qingcang/qingcang/proto/gen/money/v1"
	"github.com/qingcang/qingcang/proto/lane/record"
	"github.com/qingcang/qingcang/services/internal/book"
	"github.com/qingcang/qingcang/services/internal/ids"
	"github.com/qingcang/qingcang/services/internal/journal"
	"github.com/qingcang/qingcang/services/internal/testkit"
	"github.com/qingcang/qingcang/services/internal/wechatpay"
	"github.com/qingcang/qingcang/services/order/internal/app"
	"github.com/qingcang/qingcang/services/order/internal/eventin"
	"github.com/qingcang/qingcang/services/order/internal/lane"
	"github.com/qingcang/qingcang/services/order/internal/ledger"
	"github.com/qingcang/qingcang/services/order/internal/payment"
)

const patience = 30 * time.Second

// till stands for WeChat Pay: it takes what is paid and refunds what it is asked to.
type till struct {
	mu     sync.Mutex
	trades map[string]wechatpay.Trade
}

func (p *till) Prepay(_ context.Context, r wechatpay.PrepayRequest) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.trades[r.OutTradeNo] = wechatpay.Trade{OutTradeNo: r.OutTradeNo, State: wechatpay.TradeNotPay, Fen: r.Fen}
	return "wx_" + r.OutTradeNo, nil
}

func (p *till) PaySign(context.Context, string, time.Time) (wechatpay.PayParams, error) {
	return wechatpay.PayParams{}, nil
}

func (p *till) Query(_ context.Context, outTradeNo string) (wechatpay.Trade, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.trades[outTradeNo], nil
}

func (p *till) Close(_ context.Context, outTradeNo string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.trades[outTradeNo].Paid() {
		return wechatpay.ErrPaid
	}
	p.trades[outTradeNo] = wechatpay.Trade{OutTradeNo: outTradeNo, State: wechatpay.TradeClosed}
	return nil
}

func (p *till) Refund(_ context.Context, r wechatpay.RefundRequest) (wechatpay.RefundStatus, error) {
	return wechatpay.RefundStatus{OutTradeNo: r.OutTradeNo, OutRefundNo: r.OutRefundNo, State: wechatpay.RefundSuccess, Fen: r.RefundFen}, nil
}

func (p *till) QueryRefund(context.Context, string) (wechatpay.RefundStatus, error) {
	return wechatpay.RefundStatus{}, wechatpay.ErrUnknown
}

// pays makes the buyer's payment; the notice may or may not be sent.
func (p *till) pays(orderID string) wechatpay.Notice {
	p.mu.Lock()
	defer p.mu.Unlock()
	t := p.trades[payment.PaymentID(orderID)]
	t.State, t.TransactionID = wechatpay.TradeSuccess, "tx_"+orderID
	p.trades[t.OutTradeNo] = t
	return wechatpay.Notice{Kind: wechatpay.NoticePaid, Trade: t}
}

// world is a set of topics and a store, which two replicas share.
type world struct {
	*testing.T
	conn      *eventkit.Conn
	store     *journal.MemoryStore
	snapshots *journal.MemoryStore
	till      *till
	said      map[int][]string // ids of fulfilment's events, by shard
}

// replica is one process' money side on its lanes.
type replica struct {
	lanes *lane.Lanes
	cases *app.Payments
}

func newWorld(t *testing.T) *world {
	t.Helper()
	conn, err := eventkit.Dial(eventkit.Config{Brokers: testkit.Brokers(t), TopicPrefix: testkit.Prefix(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	topics := []string{lane.SharedTopic, lane.CampaignTopic, eventin.LaneEvents, eventin.FulfilmentEvents, orderEvents, app.StatusTopic}
	for _, name := range topics {
		topic, ok := eventkit.TopicNamed(name)
		if !ok {
			t.Fatalf("%s is not in the list of topics", name)
		}
		if err := conn.Ensure(t.Context(), topic); err != nil {
			t.Fatal(err)
		}
	}
	return &world{
		T: t, conn: conn, store: journal.NewMemoryStore(), snapshots: journal.NewMemoryStore(),
		till: &till{trades: map[string]wechatpay.Trade{}}, said: map[int][]string{},
	}
}

// replica starts a process of the service, as far as money goes.
func (w *world) replica() *replica {
	w.Helper()
	log := slog.New(slog.NewTextHandler(w.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	j, err := app.OpenPaymentJournal(w.Context(), w.store, log)
	if err != nil {
		w.Fatal(err)
	}
	campaigns := lane.NewCampaigns(w.conn, log)
	lanes, err := lane.New(lane.Config{
		Conn: w.conn, Campaigns: campaigns, Snapshots: w.snapshots, Log: log,
		Alongside: tellStatus(app.NewCampaignStatus(j, w.conn, log)),
	})
	if err != nil {
		w.Fatal(err)
	}
	cases := newPayments(j, lanes, w.till, log)
	roles := paymentRoles(j, cases.Work, w.conn, log)
	roles[lane.SharedTopic] = lanes.Publisher()

	ctx, cancel := context.WithCancel(context.WithoutCancel(w.Context()))
	var parts sync.WaitGroup
	w.Cleanup(func() { cancel(); parts.Wait() })
	for _, part := range []func(context.Context) error{
		j.Run, campaigns.Run, lanes.Run,
		func(ctx context.Context) error {
			return w.conn.Consume(ctx, eventkit.Group{ID: "order", Topics: roles, Log: log})
		},
	} {
		parts.Go(func() { _ = part(ctx) })
	}
	testkit.Eventually(w, patience, func() error { return errors.Join(lanes.Ready(nil), campaigns.Ready(nil)) })
	return &replica{lanes: lanes, cases: cases}
}

// wants puts a campaign's desired state in place: one SKU at ¥60.01, on partition 1.
func (w *world) wants(uid string, generation, units int64, closed bool) {
	w.Helper()
	now := time.Now()
	err := w.conn.Put(w.Context(), lane.CampaignTopic, uid, &campaignv1.Desired{
		Uid: uid, Generation: generation, BrandId: "brand_1", HoldSeconds: 600, CommissionBps: 1_000, Closed: closed,
		StartAt: timestamppb.New(now.Add(-time.Minute)), EndAt: timestamppb.New(now.Add(time.Hour)),
		Items: []*campaignv1.Item{{Sku: "a", PriceFen: 6_001, SettlementFen: 4_000, Units: units}},
		Lane:  w.lane(),
	})
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) lane() *campaignv1.Lane {
	return &campaignv1.Lane{Topic: lane.SharedTopic, Partition: 1}
}

func (w *world) append(r *replica, c record.Command) {
	w.Helper()
	if err := r.lanes.Do(w.Context(), w.lane(), c); err != nil {
		w.Fatal(err)
	}
}

// place holds units for a buyer who came through an owner's link.
func (w *world) place(r *replica, uid, orderID string, units int64) {
	w.Helper()
	w.append(r, &record.Place{
		OrderID: orderID, CampaignUID: uid, BuyerID: "per_b", OwnerID: "per_o", Lines: []record.Units{{SKU: "a", Units: units}},
	})
	o, _, err := r.lanes.Order(w.Context(), orderID)
	if err != nil || o.State != ledger.Held {
		w.Fatalf("%s is %q, %v", orderID, o.State, err)
	}
}

func (w *world) opens(r *replica, orderID string) {
	w.Helper()
	if _, err := r.cases.Open(w.Context(), orderID, "per_b", "openid"); err != nil {
		w.Fatal(err)
	}
}

// fulfils publishes a fact of an order as fulfilment would.
func (w *world) fulfils(orderID string, f proto.Message) {
	w.Helper()
	data, err := proto.Marshal(f)
	if err != nil {
		w.Fatal(err)
	}
	shard, prev := journal.ShardOf(orderID), ""
	if said := w.said[shard]; len(said) > 0 {
		prev = said[len(said)-1]
	}
	id := fmt.Sprintf("fulfilment/%d/%d/0", shard, len(w.said[shard])+1)
	err = w.conn.Publish(w.Context(), eventin.FulfilmentEvents, shard, []eventkit.Event{{
		ID: id, Prev: prev, Subject: orderID, Time: time.Now(),
		Type: string(f.ProtoReflect().Descriptor().FullName()), Data: data,
	}})
	if err != nil {
		w.Fatal(err)
	}
	w.said[shard] = append(w.said[shard], id)
}

// published reads what was published about an order, and what is in the books.
func (w *world) published(orderID string) (types []string, balances book.Balances) {
	w.Helper()
	balances = book.Balances{}
	records, err := w.conn.Fetch(w.Context(), orderEvents, journal.ShardOf(orderID), 0)
	if err != nil {
		w.Fatal(err)
	}
	for _, r := range records {
		m, err := r.Event.Decode()
		if err != nil {
			w.Fatal(err)
		}
		if payment.Subject(m) != orderID {
			continue
		}
		types = append(types, string(m.ProtoReflect().Descriptor().Name()))
		if p, ok := m.(interface{ GetPosting() *moneyv1.Posting }); ok {
			if err := balances.Apply(p.GetPosting()); err != nil {
				w.Fatal(err)
			}
		}
	}
	return types, balances
}

func (w *world) publishes(orderID string, want ...string) book.Balances {
	w.Helper()
	var balances book.Balances
	testkit.Eventually(w, patience, func() error {
		var types []string
		if types, balances = w.published(orderID); !slices.Equal(types, want) {
			return fmt.Errorf("published of %s: %v, want %v", orderID, types, want)
		}
		return nil
	})
	return balances
}

// TestTheMoneyOfACampaign goes the whole way with two replicas: a payment in
// time with a short line, one whose notice is lost, one that comes too late,
// one that never comes; and the campaign settles only when all are done.
func TestTheMoneyOfACampaign(t *testing.T) {
	w := newWorld(t)
	a, b := w.replica(), w.replica()
	const uid = "sale"
	w.wants(uid, 1, 5, false)
	w.append(a, &record.Allocate{
		CampaignUID: uid, Generation: 1, Add: []record.Units{{SKU: "a", Units: 5}},
	})
	w.reaches(uid, campaignv1.Status_PHASE_OPEN)

	inTime, lost, late, never := ids.New("ord"), ids.New("ord"), ids.New("ord"), ids.New("ord")
	for orderID, units := range map[string]int64{inTime: 2, lost: 1, late: 1, never: 1} {
		w.place(a, uid, orderID, units)
		w.opens(b, orderID)
	}
	if err := a.cases.TakeNotice(w.Context(), w.till.pays(inTime)); err != nil {
		t.Fatal(err)
	}
	w.publishes(inTime, "PrepayRequested", "PrepayCreated", "PaymentReceived", "OrderPaid")

	// The money came, its notice did not; the order is given up. Asked, the
	// provider tells, and the stock is still there.
	w.till.pays(lost)
	w.append(b, &record.Cancel{OrderID: lost, CampaignUID: uid})
	w.publishes(lost, "PrepayRequested", "PrepayCreated", "PaymentReceived", "OrderPaid")

	w.append(a, &record.Cancel{OrderID: never, CampaignUID: uid})
	w.publishes(never, "PrepayRequested", "PrepayCreated", "PrepayClosed")

	w.append(a, &record.Cancel{OrderID: late, CampaignUID: uid})
	w.publishes(late, "PrepayRequested", "PrepayCreated", "PrepayClosed")
	w.wants(uid, 2, 5, true)
	w.append(a, &record.Allocate{CampaignUID: uid, Generation: 2})
	w.reaches(uid, campaignv1.Status_PHASE_DRAINED)
	if err := b.cases.TakeNotice(w.Context(), w.till.pays(late)); err != nil {
		t.Fatal(err)
	}
	left := w.publishes(late, "PrepayRequested", "PrepayCreated", "PrepayClosed", "PaymentReceived", "RefundRequested", "RefundSettled")
	if len(left) != 0 {
		t.Fatalf("a payment that came too late left %v", left)
	}

	w.fulfils(inTime, &fulfilmentv1.ParcelShipped{ShippingOrderId: "ship_1", OrderId: inTime, Lines: []*fulfilmentv1.ShippedLine{{Sku: "a", Num: 2, Realnum: 1, Lacknum: 1}}})
	w.publishes(inTime, "PrepayRequested", "PrepayCreated", "PaymentReceived", "OrderPaid",
		"LineShort", "RefundRequested", "RefundSettled")
	w.fulfils(inTime, &fulfilmentv1.ReturnWindowClosed{ShippingOrderId: "ship_1", OrderId: inTime})
	left = w.publishes(inTime, "PrepayRequested", "PrepayCreated", "PaymentReceived", "OrderPaid",
		"LineShort", "RefundRequested", "RefundSettled", "OrderMatured")
	if len(payment.Table.InTransit(left)) != 0 || left.Of(payment.BrandPayable) != -4_000 || left.Of(payment.OwnerCommission) != -600 || left.Of(payment.PlatformRevenue) != -1_401 {
		t.Fatalf("the books of a half order: %v", left)
	}

	w.fulfils(lost, &fulfilmentv1.ReturnWindowClosed{ShippingOrderId: "ship_2", OrderId: lost})
	w.reaches(uid, campaignv1.Status_PHASE_SETTLED)
}

// reaches waits for a phase in the campaign's published status.
func (w *world) reaches(uid string, want campaignv1.Status_Phase) {
	w.Helper()
	testkit.Eventually(w, patience, func() error {
		records, err := w.conn.Fetch(w.Context(), app.StatusTopic, 0, 0)
		if err != nil {
			return err
		}
		newest := &campaignv1.Status{}
		for _, r := range records {
			if string(r.Key) == uid {
				if err := proto.Unmarshal(r.Value, newest); err != nil {
					return err
				}
			}
		}
		if newest.GetPhase() != want {
			return fmt.Errorf("the campaign's newest status is %v", newest)
		}
		return nil
	})
}
