package app

import (
	"context"
	"errors"
	"testing"
	"time"

	orderv1 "github.com/qingcang/qingcang/proto/gen/order/v1"
	"github.com/qingcang/qingcang/services/internal/ids"
	"github.com/qingcang/qingcang/services/internal/wechatpay"
	"github.com/qingcang/qingcang/services/order/internal/payment"
)

func TestOpeningAPayment(t *testing.T) {
	s := openShop(t)
	first := s.open()
	if first.PaymentID != payment.PaymentID(testOrder) || first.Fen != testFen || first.Params.Package != "prepay_id="+first.PrepayID {
		t.Fatalf("got %+v", first)
	}
	if again := s.open(); again.PrepayID != first.PrepayID || s.provider.prepays != 1 {
		t.Fatalf("asked again, got %+v after %d prepays", again, s.provider.prepays)
	}
	if s.provider.payers[0] != "openid-1" {
		t.Fatalf("the provider was given the payers %v", s.provider.payers)
	}
}

func TestAnOldPrepayIsAskedForAgain(t *testing.T) {
	s := openShop(t)
	h := s.lanes.held[testOrder]
	h.Deadline = h.Deadline.Add(24 * time.Hour)
	s.lanes.held[testOrder] = h
	s.open()
	s.clock.pass(payment.PrepayValid)
	s.open()
	if s.provider.prepays != 2 {
		t.Fatalf("%d prepays", s.provider.prepays)
	}
}

func TestACrashBeforeTheProviderAnsweredIsHealedByAskingAgain(t *testing.T) {
	s := openShop(t)
	s.provider.failNext = 1
	if _, err := s.Open(t.Context(), testOrder, "per_b", "openid-1"); !errors.Is(err, errDown) {
		t.Fatalf("got %v", err)
	}
	if p := s.open(); p.PrepayID == "" {
		t.Fatalf("got %+v", p)
	}
}

func TestAPaymentGivenUpWhileTheProviderAnsweredIsNotOpened(t *testing.T) {
	s := openShop(t)
	s.cashier = givesUp{provider: s.provider, shop: s}
	if _, err := s.Open(t.Context(), testOrder, "per_b", "openid-1"); !errors.Is(err, payment.ErrHoldOver) {
		t.Fatalf("got %v", err)
	}
}

// givesUp is a provider that answers when the order has been given up.
type givesUp struct {
	*provider
	shop *shop
}

func (g givesUp) Prepay(ctx context.Context, r wechatpay.PrepayRequest) (string, error) {
	if err := g.shop.do(ctx, testOrder, payment.ClosePrepay); err != nil {
		return "", err
	}
	return g.provider.Prepay(ctx, r)
}

func TestANotice(t *testing.T) {
	s := openShop(t)
	s.open()
	notice := s.provider.pay(testOrder, "tx1", testFen)
	for range 3 {
		if err := s.TakeNotice(t.Context(), notice); err != nil {
			t.Fatal(err)
		}
	}
	if s.lanes.told() != 1 {
		t.Fatalf("the lane was told %d times", s.lanes.told())
	}
	s.confirm()
	s.see("paid", func(o *payment.Order) bool { return o.Verdict == payment.Paid && !o.Open() })
}

func TestANoticeAboutAnUnknownPaymentIsNotFound(t *testing.T) {
	s := openShop(t)
	err := s.TakeNotice(t.Context(), s.provider.pay(ids.Derive("ord", "other"), "tx1", testFen))
	if !errors.Is(err, ErrPaymentUnknown) {
		t.Fatalf("got %v", err)
	}
}

func TestALaneThatIsDownHearsOfThePaymentLater(t *testing.T) {
	s := openShop(t)
	s.open()
	s.lanes.down = true
	if err := s.TakeNotice(t.Context(), s.provider.pay(testOrder, "tx1", testFen)); err != nil {
		t.Fatal(err)
	}
	s.lanes.mu.Lock()
	s.lanes.down = false
	s.lanes.mu.Unlock()
	s.work()
	s.see("told", func(*payment.Order) bool { return s.lanes.told() > 0 })
}

func TestALostNoticeIsAskedFor(t *testing.T) {
	cases := map[string]time.Duration{
		"shortly before the hold ends": 14*time.Minute + 45*time.Second,
		"when the prepay is ended":     16 * time.Minute,
	}
	for name, wait := range cases {
		t.Run(name, func(t *testing.T) {
			s := openShop(t)
			s.open()
			s.provider.pay(testOrder, "tx1", testFen)
			s.clock.pass(wait)
			s.provider.failNext = 2
			s.work()
			s.see("received", func(o *payment.Order) bool { return o.Receipt.TransactionID == "tx1" && s.lanes.told() > 0 })
		})
	}
}

func TestAReleasedOrdersPrepayIsClosed(t *testing.T) {
	cases := map[string]func(s *shop){
		"the buyer never paid":               func(s *shop) { s.open() },
		"the provider never heard of it":     func(s *shop) { s.provider.failNext = 1; _, _ = s.Open(s.t.Context(), testOrder, "per_b", "o") },
		"the provider ended it by itself":    func(s *shop) { s.open(); _ = s.provider.Close(s.t.Context(), payment.PaymentID(testOrder)) },
		"the provider is down for some time": func(s *shop) { s.open(); s.provider.failNext = 3 },
	}
	for name, prepare := range cases {
		t.Run(name, func(t *testing.T) {
			s := openShop(t)
			prepare(s)
			s.hear(&orderv1.OrderReleased{OrderId: testOrder, CampaignUid: "c-1"})
			s.work()
			s.see("closed", func(o *payment.Order) bool { return o.Prepay.Stage == payment.PrepayClosed && !o.Open() })
		})
	}
}

func TestARefundIsAskedForUntilItIsSettled(t *testing.T) {
	s := openShop(t)
	s.open()
	s.work()
	if err := s.TakeNotice(t.Context(), s.provider.pay(testOrder, "tx1", testFen)); err != nil {
		t.Fatal(err)
	}
	s.provider.mu.Lock()
	s.provider.failNext = 2
	s.provider.mu.Unlock()
	s.hear(&orderv1.PaymentUnwanted{OrderId: testOrder, CampaignUid: "c-1", PaymentId: payment.PaymentID(testOrder), Reason: "sold_out"})
	s.see("refunded", func(o *payment.Order) bool { return o.Refunded() && !o.Open() })
}
