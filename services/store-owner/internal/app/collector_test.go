package app

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/qingcang/qingcang/services/internal/ids"
	"github.com/qingcang/qingcang/services/internal/journal"
	"github.com/qingcang/qingcang/services/internal/money"
	"github.com/qingcang/qingcang/services/internal/wechatpay"
	"github.com/qingcang/qingcang/services/store-owner/internal/membership"
	"github.com/qingcang/qingcang/services/store-owner/internal/people"
)

// provider plays WeChat Pay.
type provider struct {
	trade     wechatpay.Trade
	queryErr  error
	closeErr  error
	refund    wechatpay.RefundState
	prepayErr error

	queries, closes, refunds int
}

func (p *provider) Prepay(context.Context, wechatpay.PrepayRequest) (string, error) {
	return "wx1", p.prepayErr
}

func (p *provider) PaySign(context.Context, string, time.Time) (wechatpay.PayParams, error) {
	return wechatpay.PayParams{PaySign: "signed"}, nil
}

func (p *provider) Query(_ context.Context, no string) (wechatpay.Trade, error) {
	p.queries++
	t := p.trade
	t.OutTradeNo = no
	return t, p.queryErr
}

func (p *provider) Close(context.Context, string) error {
	p.closes++
	return p.closeErr
}

func (p *provider) Refund(_ context.Context, r wechatpay.RefundRequest) (wechatpay.RefundStatus, error) {
	p.refunds++
	return wechatpay.RefundStatus{OutTradeNo: r.OutTradeNo, OutRefundNo: r.OutRefundNo, State: p.refund, Fen: r.RefundFen}, nil
}

// usual is a programme with the fee that is asked without one.
type usual struct{}

func (usual) Fee() (money.Fen, error) { return membership.DefaultFee, nil }

// drawer is a vault in memory.
type drawer struct {
	mu     sync.Mutex
	values map[string][]byte
}

func (d *drawer) PutWithID(_ context.Context, id, _, _ string, plaintext []byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, taken := d.values[id]; !taken {
		d.values[id] = plaintext
	}
	return nil
}

func (d *drawer) Get(_ context.Context, id string) ([]byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.values[id], nil
}

// office is the use cases of membership on a journal in memory, with a clock that is set by hand.
type office struct {
	*testing.T
	now         time.Time
	provider    *provider
	collector   *Collector
	memberships *Memberships
	asked       questions
}

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func newOffice(t *testing.T) *office {
	t.Helper()
	o := &office{T: t, now: noon, provider: &provider{refund: wechatpay.RefundSuccess}, asked: questions{}}
	clock := func() time.Time { return o.now }
	owners, err := journal.Open(t.Context(), journal.Config{
		Name: "owner", Store: journal.NewMemoryStore(), Subject: people.Subject, Private: people.Private,
		Now: clock, Log: slog.New(slog.DiscardHandler),
	}, people.Machine{})
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = owners.Run(t.Context()) }() // ends with the test
	identity := NewIdentity(&drawer{values: map[string][]byte{}})
	if err := identity.Keep(t.Context(), "per_1", "oX"); err != nil {
		t.Fatal(err)
	}
	o.memberships = &Memberships{Journal: owners, Identity: identity, Provider: o.provider, Programme: usual{}, Now: clock}
	o.collector = &Collector{
		Journal: owners, Fees: &Fees{Journal: owners}, Provider: o.provider, Now: clock, Log: slog.New(slog.DiscardHandler),
	}
	return o
}

// order orders a membership; a provider that does not answer leaves it without a prepay id.
func (o *office) order(key string) (id string) {
	o.Helper()
	request := OrderMembership{PersonID: "per_1", Scope: "buyer/per_1", Key: key}
	if _, err := o.memberships.Order(o.Context(), request); err != nil && !errors.Is(err, wechatpay.ErrUnavailable) {
		o.Fatal(err)
	}
	return ids.Derive("mem", request.Scope, membershipRoute, "", key)
}

// after lets time pass and the collector look.
func (o *office) after(d time.Duration) {
	o.now = o.now.Add(d)
	o.collector.collect(o.Context(), journal.ShardOf("per_1"), o.asked)
}

func (o *office) state(id string) membership.State {
	o.Helper()
	view, err := o.memberships.Get(o.Context(), "per_1", id)
	if err != nil {
		o.Fatal(err)
	}
	return view.State
}

func paidTrade(transaction string) wechatpay.Trade {
	return wechatpay.Trade{State: wechatpay.TradeSuccess, TransactionID: transaction, Fen: membership.DefaultFee}
}

func TestTheCollectorFindsWhatNobodyTold(t *testing.T) {
	for name, story := range map[string]func(o *office){
		"a fee whose notice is lost is asked for after five seconds": func(o *office) {
			id := o.order("key-0001")
			o.provider.trade = paidTrade("tx1")
			o.after(0)
			o.after(askAfter - 1)
			if o.provider.queries != 0 {
				o.Fatal("the provider was asked too early")
			}
			o.after(1)
			if got := o.state(id); got != membership.Paid {
				o.Fatalf("the membership is %s", got)
			}
		},
		"an unpaid one is asked about with growing pauses": func(o *office) {
			o.order("key-0001")
			o.provider.trade.State = wechatpay.TradeNotPay
			for range 600 { // ten minutes
				o.after(time.Second)
			}
			if o.provider.queries < 8 || o.provider.queries > 16 || o.provider.closes != 0 {
				o.Fatalf("asked %d times and closed %d times in ten minutes", o.provider.queries, o.provider.closes)
			}
		},
		"an unpaid one is closed when its time is over": func(o *office) {
			id := o.order("key-0001")
			o.provider.trade.State = wechatpay.TradeNotPay
			o.after(membership.PayWithin)
			o.after(time.Hour)
			if o.provider.closes != 1 || o.state(id) != membership.Expired {
				o.Fatalf("closed %d times, the membership is %s", o.provider.closes, o.state(id))
			}
		},
		"one that is paid between asking and closing stays open and is kept": func(o *office) {
			id := o.order("key-0001")
			o.provider.trade.State, o.provider.closeErr = wechatpay.TradeNotPay, wechatpay.ErrPaid
			o.after(membership.PayWithin)
			o.provider.trade = paidTrade("tx1")
			o.after(askAtMostEvery)
			if got := o.state(id); got != membership.Paid {
				o.Fatalf("the membership is %s", got)
			}
		},
		"one that the provider never heard of is closed without a fuss": func(o *office) {
			o.provider.prepayErr = wechatpay.ErrUnavailable
			id := o.order("key-0001")
			o.provider.queryErr, o.provider.closeErr = wechatpay.ErrUnknown, wechatpay.ErrUnknown
			o.after(time.Minute)
			if o.provider.queries != 0 {
				o.Fatal("nobody can have paid it yet")
			}
			o.after(membership.PayWithin)
			if got := o.state(id); got != membership.Expired || len(o.collector.busy(journal.ShardOf("per_1"))) != 0 {
				o.Fatalf("the membership is %s", got)
			}
		},
		"one whose prepay was not answered is paid after a repeat": func(o *office) {
			o.provider.prepayErr = wechatpay.ErrUnavailable
			id := o.order("key-0001")
			if got := o.state(id); got != membership.Ordered {
				o.Fatalf("the membership is %s", got)
			}
			o.provider.prepayErr = nil
			if again := o.order("key-0001"); again != id || o.state(id) != membership.Prepaid {
				o.Fatalf("got %s, %s", again, o.state(id))
			}
			o.provider.trade = paidTrade("tx1")
			o.after(0)
			o.after(askAfter)
			if got := o.state(id); got != membership.Paid {
				o.Fatalf("the membership is %s", got)
			}
		},
		"a second fee is given back at once, and asked about until it is through": func(o *office) {
			first, second := o.order("key-0001"), o.order("key-0002")
			for i, id := range []string{first, second} {
				trade := paidTrade("tx" + string(rune('1'+i)))
				trade.OutTradeNo = id
				if err := o.collector.Fees.Received(o.Context(), trade); err != nil {
					o.Fatal(err)
				}
			}
			o.provider.refund = wechatpay.RefundProcessing
			o.after(0)
			if o.provider.refunds != 1 {
				o.Fatalf("%d refunds were asked for", o.provider.refunds)
			}
			o.provider.refund = wechatpay.RefundSuccess
			o.after(askAfter)
			o.after(time.Hour)
			if o.provider.refunds != 2 || len(o.collector.busy(journal.ShardOf("per_1"))) != 0 {
				o.Fatalf("asked %d times", o.provider.refunds)
			}
		},
		"a refund that the provider cannot make stays open": func(o *office) {
			id := o.order("key-0001")
			trade := paidTrade("tx1")
			trade.OutTradeNo, trade.Fen = id, 1
			if err := o.collector.Fees.Received(o.Context(), trade); err != nil {
				o.Fatal(err)
			}
			o.provider.refund = wechatpay.RefundAbnormal
			o.after(0)
			if busy := o.collector.busy(journal.ShardOf("per_1")); len(busy) != 1 || len(busy[0].returns) != 1 {
				o.Fatalf("got %+v", busy)
			}
		},
		"a provider that is down is asked again": func(o *office) {
			id := o.order("key-0001")
			o.provider.queryErr = wechatpay.ErrUnavailable
			o.after(0)
			o.after(askAfter)
			o.provider.queryErr, o.provider.trade = nil, paidTrade("tx1")
			o.after(askAtMostEvery)
			if got := o.state(id); got != membership.Paid {
				o.Fatalf("the membership is %s", got)
			}
		},
	} {
		t.Run(name, func(t *testing.T) { story(newOffice(t)) })
	}
}

func TestRoutesLeadIntoEveryShard(t *testing.T) {
	for shard, route := range journal.Routes() {
		if got := journal.ShardOf(route); got != shard {
			t.Errorf("%q leads to %d, want %d", route, got, shard)
		}
	}
}

func TestOnePersonOfOneOpenid(t *testing.T) {
	vault := &drawer{values: map[string][]byte{}}
	first, err := NewIdentity(vault).PersonID(t.Context(), "oX")
	if err != nil || ids.Check("per", first) != nil {
		t.Fatalf("got %q, %v", first, err)
	}
	if again, err := NewIdentity(vault).PersonID(t.Context(), "oX"); err != nil || again != first {
		t.Errorf("another replica with the same vault says %q, %v", again, err)
	}
	if other, err := NewIdentity(vault).PersonID(t.Context(), "oY"); err != nil || other == first {
		t.Errorf("another openid gives %q, %v", other, err)
	}
	elsewhere := NewIdentity(&drawer{values: map[string][]byte{}})
	if other, err := elsewhere.PersonID(t.Context(), "oX"); err != nil || other == first {
		t.Errorf("another deployment gives %q, %v: the id tells the openid", other, err)
	}
}
