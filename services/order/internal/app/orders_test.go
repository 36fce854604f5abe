package app

import (
	"context"
	"errors"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
	"github.com/qingcang/qingcang/proto/lane/record"
	"github.com/qingcang/qingcang/services/internal/auth"
	"github.com/qingcang/qingcang/services/internal/fault"
	"github.com/qingcang/qingcang/services/internal/money"
	"github.com/qingcang/qingcang/services/order/internal/lane"
	"github.com/qingcang/qingcang/services/order/internal/ledger"
	"github.com/qingcang/qingcang/services/order/internal/ledger/ledgertest"
	"github.com/qingcang/qingcang/services/order/internal/payment"
)

// oneLane is a lane without a log: its ledger takes each entry at once.
type oneLane struct {
	t      *testing.T
	ledger *ledgertest.Lane
	// refuses is why it refuses whatever is asked for.
	refuses string
}

func (l *oneLane) LaneOf(uid string) (*campaignv1.Lane, error) {
	if !l.ledger.Knows(uid) && !l.ledger.Retired(uid) {
		return nil, lane.ErrUnknownCampaign
	}
	return &campaignv1.Lane{Topic: "lane", Partition: 3}, nil
}

func (l *oneLane) Refusal(context.Context, *campaignv1.Lane, lane.Ask) (string, int64, error) {
	return l.refuses, 7, nil
}

func (l *oneLane) Do(_ context.Context, _ *campaignv1.Lane, c record.Command) error {
	_, err := l.ledger.Take(c)
	return err
}

func (l *oneLane) Place(_ context.Context, _ *campaignv1.Lane, p *record.Place) (ledger.Order, error) {
	events, err := l.ledger.Take(p)
	if o, ok := ledger.Decided(p, events); ok || err != nil {
		return o, err
	}
	o, _ := l.ledger.Order(p.OrderID)
	return o, nil
}

func (l *oneLane) Order(_ context.Context, id string) (ledger.Order, *campaignv1.Lane, error) {
	o, ok := l.ledger.Order(id)
	if !ok {
		return o, nil, lane.ErrUnknownOrder
	}
	return o, &campaignv1.Lane{Topic: "lane", Partition: 3}, nil
}

func (l *oneLane) take(c record.Command) {
	l.t.Helper()
	if err := l.Do(l.t.Context(), nil, c); err != nil {
		l.t.Fatal(err)
	}
}

// moneyByOrder says what became of orders' money.
type moneyByOrder map[string]Money

func (m moneyByOrder) Money(_ context.Context, orderID string) (Money, error) {
	return m[orderID], nil
}

var shareKeys = func() *auth.Keys {
	keys, err := auth.NewKeys(map[string][]byte{"k": make([]byte, 32)}, "k")
	if err != nil {
		panic(err)
	}
	return keys
}()

// newDesk has a campaign "sale" that sells five of "a".
func newDesk(t *testing.T) (*Orders, *oneLane, moneyByOrder) {
	t.Helper()
	l, m := &oneLane{t: t, ledger: ledgertest.New()}, moneyByOrder{}
	now := time.Date(2026, 11, 11, 0, 0, 0, 0, time.UTC)
	l.take(&record.Want{Desired: &campaignv1.Desired{
		Uid: "sale", Generation: 1, BrandId: "brand", HoldSeconds: 60, StartAt: timestamppb.New(now), EndAt: timestamppb.New(now.Add(time.Hour)),
		Items: []*campaignv1.Item{{Sku: "a", PriceFen: 100, SettlementFen: 70, Units: 5}},
	}})
	l.take(&record.Allocate{
		CampaignUID: "sale", Generation: 1, Add: []record.Units{{SKU: "a", Units: 5}},
	})
	l.take(tickAt(now))
	return NewOrders(l, m, shareKeys), l, m
}

func tickAt(at time.Time) record.Command {
	return &record.Tick{At: at.UnixMilli()}
}

func share(t *testing.T, owner, campaign string) string {
	t.Helper()
	token, err := auth.EncodeShare(shareKeys, auth.ShareToken{ShareID: "share", Owner: owner, Campaign: campaign, Style: "style"})
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func asks(units int64) PlaceOrder {
	return PlaceOrder{
		Buyer: auth.Principal{Kind: auth.Buyer, ID: "ann"}, IdempotencyKey: "key-0001", BodyHash: 1,
		CampaignUID: "sale", AddressID: "addr", Lines: []OrderLine{{SKU: "a", Units: units}},
	}
}

func TestPlace(t *testing.T) {
	damaged := share(t, "owner", "sale")
	damaged = damaged[:len(damaged)-1] + "!"
	for name, c := range map[string]struct {
		order func(p *PlaceOrder)
		owner string
		fault error
	}{
		"an order without a link earns nobody anything": {order: func(*PlaceOrder) {}},
		"an order through a link earns its owner":       {order: func(p *PlaceOrder) { p.ShareToken = share(t, "owner", "sale") }, owner: "owner"},
		"an owner earns nothing on what he buys":        {order: func(p *PlaceOrder) { p.ShareToken = share(t, "ann", "sale") }},
		"a damaged link is refused":                     {order: func(p *PlaceOrder) { p.ShareToken = damaged }, fault: auth.ErrShareToken},
		"a link to another campaign is refused":         {order: func(p *PlaceOrder) { p.ShareToken = share(t, "owner", "other") }, fault: errShare},
		"an unknown campaign is not found":              {order: func(p *PlaceOrder) { p.CampaignUID = "other" }, fault: lane.ErrUnknownCampaign},
		"more than is left is refused":                  {order: func(p *PlaceOrder) { p.Lines[0].Units = 6 }, fault: refusals[ledger.SoldOut]},
	} {
		t.Run(name, func(t *testing.T) {
			desk, l, _ := newDesk(t)
			p := asks(2)
			c.order(&p)
			got, err := desk.Place(t.Context(), p)
			if !errors.Is(err, c.fault) || (err == nil) != (c.fault == nil) {
				t.Fatalf("Place says %v, want %v", err, c.fault)
			}
			if err != nil {
				return
			}
			if got.State != OrderHeld || got.OwnerID != c.owner || got.Fen != 200 {
				t.Errorf("got %+v", got)
			}
			if o, ok := l.ledger.Order(got.ID); !ok || o.AddressID != "addr" {
				t.Errorf("the lane has %+v", o)
			}
		})
	}
}

func TestARefusalPointsAtTheLines(t *testing.T) {
	desk, _, _ := newDesk(t)
	p := asks(3)
	p.Lines = append(p.Lines, OrderLine{SKU: "b", Units: 1}, OrderLine{SKU: "a", Units: 3})
	_, err := desk.Place(t.Context(), p)
	f, ok := fault.As(err)
	want := []fault.Field{
		{Pointer: "/lines/0", Code: "sold_out", Detail: "5 units are left"},
		{Pointer: "/lines/1", Code: "not_offered", Detail: "0 units are left"},
		{Pointer: "/lines/2", Code: "sold_out", Detail: "5 units are left"},
	}
	if !ok || f.Kind != fault.Conflict || f.Code != "sold_out" || len(f.Fields) != 3 || f.Fields[0] != want[0] || f.Fields[1] != want[1] || f.Fields[2] != want[2] {
		t.Errorf("got %v, want %v", err, want)
	}
}

func TestTheSameKey(t *testing.T) {
	desk, l, _ := newDesk(t)
	first, err := desk.Place(t.Context(), asks(2))
	if err != nil {
		t.Fatal(err)
	}
	again, err := desk.Place(t.Context(), asks(2))
	if err != nil || again.ID != first.ID || again.State != OrderHeld {
		t.Errorf("the same order again is %+v: %v", again, err)
	}
	other := asks(1)
	other.BodyHash = 2
	if _, err := desk.Place(t.Context(), other); !errors.Is(err, errKeyReused) {
		t.Errorf("another body says %v", err)
	}
	another := asks(2)
	another.Buyer.ID = "bob"
	if o, err := desk.Place(t.Context(), another); err != nil || o.ID == first.ID {
		t.Errorf("another buyer's key is not his own: %v", err)
	}
	if s, _ := l.ledger.Status("sale"); s.GetHeldUnits() != 4 {
		t.Errorf("%d units are held, want 4", s.GetHeldUnits())
	}
}

func TestShowAndCancel(t *testing.T) {
	desk, l, paid := newDesk(t)
	placed, err := desk.Place(t.Context(), asks(2))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := desk.Get(t.Context(), placed.ID, "bob"); !errors.Is(err, lane.ErrUnknownOrder) {
		t.Errorf("somebody else sees the order: %v", err)
	}
	if _, err := desk.Cancel(t.Context(), placed.ID, "bob"); !errors.Is(err, lane.ErrUnknownOrder) {
		t.Errorf("somebody else cancels the order: %v", err)
	}
	for range 2 {
		if o, err := desk.Cancel(t.Context(), placed.ID, "ann"); err != nil || o.State != OrderCancelled {
			t.Errorf("cancelling gives %s: %v", o.State, err)
		}
	}
	l.take(&record.Pay{OrderID: placed.ID, CampaignUID: "sale", PaymentID: "pay", Fen: 200})
	if _, err := desk.Cancel(t.Context(), placed.ID, "ann"); !errors.Is(err, payment.ErrPaid) {
		t.Errorf("cancelling a paid order says %v", err)
	}
	paid[placed.ID] = Money{Refunded: 50}
	if o, err := desk.Get(t.Context(), placed.ID, "ann"); err != nil || o.State != OrderPaid || o.Refunded != 50 {
		t.Errorf("a paid order is %s with %d back: %v", o.State, o.Refunded, err)
	}
	paid[placed.ID] = Money{Refunded: 200, AllRefunded: true}
	if o, err := desk.Get(t.Context(), placed.ID, "ann"); err != nil || o.State != OrderRefunded {
		t.Errorf("a refunded order is %s: %v", o.State, err)
	}
}

func TestAnOrderOfASettledCampaign(t *testing.T) {
	desk, l, paid := newDesk(t)
	placed, err := desk.Place(t.Context(), asks(2))
	if err != nil {
		t.Fatal(err)
	}
	l.take(tickAt(time.Date(2026, 11, 12, 0, 0, 0, 0, time.UTC)))
	l.take(&record.Settle{CampaignUID: "sale"})
	if _, err := desk.Get(t.Context(), placed.ID, "ann"); !errors.Is(err, lane.ErrUnknownOrder) {
		t.Errorf("an unpaid order of a settled campaign: %v", err)
	}
	paid[placed.ID] = Money{Sale: ledger.Order{ID: placed.ID, BuyerID: "ann", Fen: 200, Standing: ledger.Standing{State: ledger.Confirmed}}}
	if o, err := desk.Get(t.Context(), placed.ID, "ann"); err != nil || o.State != OrderPaid || o.Fen != money.Fen(200) {
		t.Errorf("a paid order of a settled campaign is %+v: %v", o, err)
	}
	late := asks(1)
	late.IdempotencyKey = "key-0002"
	if _, err := desk.Place(t.Context(), late); !errors.Is(err, refusals[ledger.Closed]) {
		t.Errorf("an order for a settled campaign says %v", err)
	}
}
