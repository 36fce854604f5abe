package app

import (
	"testing"

	orderv1 "github.com/qingcang/qingcang/proto/gen/order/v1"
	"github.com/qingcang/qingcang/services/internal/wechatpay"
	"github.com/qingcang/qingcang/services/order/internal/payment"
)

// unwantedRefund lets a payment come that the lane has no use for, and returns
// its refund, which nobody has asked the provider for yet.
func (s *shop) unwantedRefund() payment.Refund {
	s.t.Helper()
	s.open()
	if err := s.TakeNotice(s.t.Context(), s.provider.pay(testOrder, "tx1", testFen)); err != nil {
		s.t.Fatal(err)
	}
	s.hear(&orderv1.PaymentUnwanted{OrderId: testOrder, CampaignUid: "c-1", PaymentId: payment.PaymentID(testOrder), Reason: "sold_out"})
	return s.refund()
}

// refund is the order's only one.
func (s *shop) refund() payment.Refund {
	s.t.Helper()
	var r payment.Refund
	err := s.journal.View(s.t.Context(), testOrder, func(state *payment.Orders) {
		if refunds := state.Order(testOrder).Refunds; len(refunds) == 1 {
			r = refunds[0]
		}
	})
	if err != nil || r.ID == "" {
		s.t.Fatalf("the order has no refund, %v", err)
	}
	return r
}

func (s *shop) stage(want payment.RefundStage) {
	s.t.Helper()
	s.see(string(want), func(o *payment.Order) bool { return len(o.Refunds) == 1 && o.Refunds[0].Stage == want })
}

// notice is one of the provider about a refund.
func (s *shop) notice(number string, state wechatpay.RefundState) error {
	return s.TakeNotice(s.t.Context(), wechatpay.Notice{Kind: wechatpay.NoticeRefunded, Refund: wechatpay.RefundStatus{
		OutTradeNo: payment.PaymentID(testOrder), OutRefundNo: number, State: state, Fen: testFen,
	}})
}

func TestANoticeOfARefundSettlesIt(t *testing.T) {
	s := openShop(t)
	r := s.unwantedRefund()
	if err := s.giveBack(t.Context(), testOrder, r); err != nil { // the provider is on it
		t.Fatal(err)
	}
	s.stage(payment.RefundAccepted)
	for range 2 {
		if err := s.notice(r.Number(), wechatpay.RefundSuccess); err != nil {
			t.Fatal(err)
		}
	}
	s.stage(payment.RefundSettled)
	if r := s.refund(); r.AcceptedAt.IsZero() {
		t.Fatal("it is not known on which day's bill the refund is")
	}
}

func TestANoticeOfARefundWhoseAnswerWasLostAsksWhenItWasTaken(t *testing.T) {
	s := openShop(t)
	r, taken := s.unwantedRefund(), s.clock.Now()
	s.provider.refunds[r.Number()] = wechatpay.RefundStatus{
		OutTradeNo: payment.PaymentID(testOrder), OutRefundNo: r.Number(), Fen: testFen, AcceptedAt: taken,
	}
	s.provider.failNext = 1
	if err := s.notice(r.Number(), wechatpay.RefundSuccess); err == nil {
		t.Fatal("the notice was answered although the provider was not: it would not come again")
	}
	if err := s.notice(r.Number(), wechatpay.RefundSuccess); err != nil {
		t.Fatal(err)
	}
	s.stage(payment.RefundSettled)
	if got := s.refund().AcceptedAt; !got.Equal(taken) {
		t.Fatalf("taken at %s", got)
	}
}

func TestAClosedRefundIsAskedForUnderANewNumberUntilFinanceHasToSeeToIt(t *testing.T) {
	s := openShop(t)
	r := s.unwantedRefund()
	first, numbers := r, []string{}
	for range 3 {
		numbers = append(numbers, r.Number())
		s.provider.say(r.Number(), wechatpay.RefundClosed)
		r.Closed = append(r.Closed, payment.ClosedNumber{Number: r.Number()})
	}
	s.work()
	s.stage(payment.RefundWithFinance)
	r = s.refund()
	if r.Trouble != payment.TroubleClosed || len(r.Closed) != 3 || r.ID != first.ID {
		t.Fatalf("got %+v", r)
	}
	for i, c := range r.Closed {
		if c.Number != numbers[i] {
			t.Fatalf("number %d was %s, want %s", i, c.Number, numbers[i])
		}
	}
	if err := s.Resolve(t.Context(), r.ID, payment.Resolution{How: payment.Retried, Reference: "topped up", StaffID: "alice"}); err != nil {
		t.Fatal(err)
	}
	s.stage(payment.RefundSettled)
}

func TestAnAbnormalRefundIsWatchedWhileFinanceHasIt(t *testing.T) {
	s := openShop(t)
	r := s.unwantedRefund()
	s.provider.say(r.Number(), wechatpay.RefundAbnormal)
	s.work()
	s.stage(payment.RefundWithFinance)
	s.see("the campaign does not wait for it", func(o *payment.Order) bool { return !o.Open() })
	s.provider.say(r.Number(), wechatpay.RefundSuccess) // finance told the provider where the money is to go
	s.stage(payment.RefundSettled)
}

func TestARefundThatTheProviderDoesNotTakeIsFinances(t *testing.T) {
	s := openShop(t)
	r := s.unwantedRefund()
	s.provider.refuses = true
	s.work()
	s.stage(payment.RefundWithFinance)
	resolution := payment.Resolution{How: payment.PaidElsewhere, Reference: "transfer 7", StaffID: "alice"}
	for range 2 { // the same said again is no fault
		if err := s.Resolve(t.Context(), r.ID, resolution); err != nil {
			t.Fatal(err)
		}
	}
	s.see("the buyer has his money", func(o *payment.Order) bool { return o.Refunded() && !o.Open() })
}

func TestEveryStateOfARefundAtTheProviderMeansSomethingHere(t *testing.T) {
	for _, state := range []wechatpay.RefundState{
		wechatpay.RefundSuccess, wechatpay.RefundProcessing, wechatpay.RefundClosed, wechatpay.RefundAbnormal,
	} {
		if _, ok := refundStates[state]; !ok {
			t.Errorf("%s means nothing", state)
		}
	}
}
