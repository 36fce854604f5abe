package app

import (
	"errors"
	"testing"
	"time"

	fulfilmentv1 "github.com/qingcang/qingcang/proto/gen/fulfilment/v1"
	orderv1 "github.com/qingcang/qingcang/proto/gen/order/v1"
	"github.com/qingcang/qingcang/services/internal/money"
	"github.com/qingcang/qingcang/services/internal/wechatpay"
	"github.com/qingcang/qingcang/services/order/internal/payment"
)

// The states of an order's money.
const (
	fresh     = "fresh"     // nobody asked to pay
	asked     = "asked"     // the provider was asked for a prepay and may not know of it
	payable   = "payable"   // the buyer can pay
	releasing = "releasing" // the stock is gone, the prepay is to be ended
	ended     = "ended"     // no money came
	received  = "received"  // the lane is to say what the money is good for
	misfit    = "misfit"    // only money came that cannot count
	unwanted  = "unwanted"  // the lane had no use for it
	sold      = "sold"
	matured   = "matured"

	unpaid   = "asked payable releasing ended"
	withCash = "received misfit unwanted sold matured"
)

func stateOfPayment(s *shop) string {
	var o *payment.Order
	if err := s.journal.View(s.t.Context(), testOrder, func(state *payment.Orders) { o = state.Order(testOrder) }); err != nil {
		s.t.Fatal(err)
	}
	switch {
	case o.Matured:
		return matured
	case o.Verdict == payment.Paid:
		return sold
	case o.Verdict == payment.Unwanted:
		return unwanted
	case o.Receipt.TransactionID != "":
		return received
	case o.Prepay.Stage == payment.PrepayUsed:
		return misfit
	case o.Prepay.Stage == payment.PrepayClosed:
		return ended
	case o.Released:
		return releasing
	case o.Prepay.Stage == payment.PrepayCreated:
		return payable
	case o.Prepay.Stage == payment.PrepayRequested:
		return asked
	default:
		return fresh
	}
}

// pays is the buyer's payment and its notice.
func pays(transaction string, fen money.Fen) func(*shop) error {
	return func(s *shop) error { return s.TakeNotice(s.t.Context(), s.provider.pay(testOrder, transaction, fen)) }
}

// must lets something happen on the way to a state.
func (s *shop) must(plays ...func(*shop) error) {
	s.t.Helper()
	for _, play := range plays {
		if err := play(s); err != nil {
			s.t.Fatal(err)
		}
	}
}

func hears(f payment.Fact) func(*shop) error {
	return func(s *shop) error {
		return s.do(s.t.Context(), testOrder, func(o *payment.Order, now time.Time) ([]payment.Fact, error) {
			return payment.Hear(o, f, now)
		})
	}
}

func opensPayment(s *shop) error {
	_, err := s.Open(s.t.Context(), testOrder, "per_b", "openid-1")
	return err
}

func opensInVain(s *shop) error {
	s.provider.failNext = 1
	return opensPayment(s)
}

// question is a question to the provider in time: it does not end the prepay.
func question(state wechatpay.TradeState) func(*shop) error {
	return func(s *shop) error {
		s.provider.trade(state)
		_, err := s.ask(s.t.Context(), testOrder)
		return err
	}
}

// ends is the question at the end of the hold.
func ends(state wechatpay.TradeState) func(*shop) error {
	return func(s *shop) error {
		s.provider.trade(state)
		return s.end(s.t.Context(), testOrder)
	}
}

// trade sets what the provider says of the order's payment.
func (p *provider) trade(state wechatpay.TradeState) {
	p.mu.Lock()
	defer p.mu.Unlock()
	no := payment.PaymentID(testOrder)
	if state == "" {
		delete(p.trades, no)
		return
	}
	t := wechatpay.Trade{OutTradeNo: no, State: state, Fen: testFen}
	if t.Paid() {
		t.TransactionID = "tx9"
	}
	p.trades[no] = t
}

func laneSays(reason string) payment.Fact {
	return &orderv1.PaymentUnwanted{OrderId: testOrder, CampaignUid: "c-1", PaymentId: payment.PaymentID(testOrder), Reason: reason}
}

func laneConfirms(fen int64) payment.Fact {
	return &orderv1.OrderConfirmed{
		OrderId: testOrder, CampaignUid: "c-1", BrandId: "brand_1", BuyerId: "per_b", PaymentId: payment.PaymentID(testOrder),
		Lines: []*orderv1.ConfirmedLine{{Sku: "A", Units: 2, PriceFen: fen, SettlementFen: 4_000}, {Sku: "B", Units: 1, PriceFen: 1_999, SettlementFen: 1_000}},
	}
}

var (
	laneReleases = hears(&orderv1.OrderReleased{OrderId: testOrder, CampaignUid: "c-1"})
	isShort      = hears(&fulfilmentv1.ParcelShipped{ShippingOrderId: "ship_1", OrderId: testOrder, Lines: []*fulfilmentv1.ShippedLine{{Sku: "A", Num: 2, Realnum: 1, Lacknum: 1}}})
	isWhole      = hears(&fulfilmentv1.ParcelShipped{ShippingOrderId: "ship_1", OrderId: testOrder, Lines: []*fulfilmentv1.ShippedLine{{Sku: "A", Num: 2, Realnum: 2}}})
	comesBack    = hears(&fulfilmentv1.ReturnReceived{ReturnId: "ret_1", OrderId: testOrder, Lines: []*fulfilmentv1.Line{{Sku: "B", Units: 1}}})
	windowCloses = hears(&fulfilmentv1.ReturnWindowClosed{ShippingOrderId: "ship_1", OrderId: testOrder})
)

// moneyMachine is the order's money, but for what becomes of a refund.
func moneyMachine() machine {
	reach := map[string]func(*shop){fresh: func(*shop) {}}
	after := func(state, before string, plays ...func(*shop) error) {
		reach[state] = func(s *shop) { reach[before](s); s.must(plays...) }
	}
	reach[asked] = func(s *shop) { _ = opensInVain(s) }
	after(payable, fresh, opensPayment)
	after(releasing, payable, laneReleases)
	after(ended, payable, ends(wechatpay.TradeNotPay))
	after(received, payable, pays("tx1", testFen))
	after(misfit, payable, pays("tx1", testFen-1))
	after(unwanted, received, hears(laneSays("sold_out")))
	after(sold, received, hears(laneConfirms(6_000)))
	after(matured, sold, windowCloses)

	var inputs []input
	add := func(name string, play func(*shop) error, r ...rule) { inputs = append(inputs, input{name, play, r}) }
	buyerInputs(add)
	providerInputs(add)
	questionInputs(add)
	laneInputs(add)
	fulfilmentInputs(add)
	return machine{
		title: "The order's money",
		intro: "`fresh` nobody asked to pay · `asked` the provider may not know of the prepay · `payable` · `releasing` the stock is gone and the prepay is to be ended · " +
			"`ended` no money came · `received` the lane is to say what the money is good for · `misfit` only money came that cannot count · `unwanted` · `sold` · `matured`.",
		states: []string{fresh, asked, payable, releasing, ended, received, misfit, unwanted, sold, matured},
		reach:  reach, of: stateOfPayment, inputs: inputs,
	}
}

type adder func(name string, play func(*shop) error, r ...rule)

func buyerInputs(add adder) {
	add("the buyer asks to pay", opensPayment,
		in(fresh, to(payable, "PrepayRequested", "PrepayCreated")),
		in(asked, to(payable, "PrepayCreated")),
		in(payable, nothing("the same prepay is shown again")),
		in("releasing ended", refused("hold_over", "the stock is not held any more")),
		in(withCash, refused("order_paid", "money came already")))
	add("… and the provider does not answer", opensInVain,
		in(fresh, outcome{to: asked, facts: []string{"PrepayRequested"}, failed: true}.because("asked again, it is asked under the same out_trade_no")),
		in(asked, later("asked again, it is asked under the same out_trade_no")),
		in(payable, nothing("the prepay is known")),
		in("releasing ended", refused("hold_over", "the stock is not held any more")),
		in(withCash, refused("order_paid", "money came already")))
	add("… after the hold", func(s *shop) error { s.clock.pass(16 * time.Minute); return opensPayment(s) },
		in("fresh asked payable releasing ended", refused("hold_over", "the hold's time is over, though the lane may not have said so")),
		in(withCash, refused("order_paid", "money came already")))
}

func providerInputs(add adder) {
	add("a notice: paid, the right amount", pays("tx9", testFen),
		in(fresh, refused("payment_unknown", "nobody asked for it: it is not ours")),
		in("asked payable", to(received, "PaymentReceived")),
		in("releasing ended", to(received, "PaymentReceived").because("late: the lane revives the order or does not want it")),
		in(misfit, to(received, "PaymentReceived").because("the buyer paid again, and now it is right")),
		in("received unwanted sold matured", same("a second payment goes back", "PaymentReceived", "RefundRequested")))
	add("… another amount", pays("tx9", testFen-1),
		in(fresh, refused("payment_unknown", "nobody asked for it: it is not ours")),
		in(unpaid, to(misfit, "PaymentReceived", "RefundRequested").because("it is recorded, for it is here, and goes back")),
		in(withCash, same("it goes back", "PaymentReceived", "RefundRequested")))
	add("… the payment that is known", pays("tx1", testFen),
		in(fresh, refused("payment_unknown", "nobody asked for it: it is not ours")),
		in(unpaid, never("none is known")),
		in(withCash, nothing("notices are repeated until they are answered")))
	add("a notice: a refund that nobody asked for", func(s *shop) error { return s.notice("ref_unknown", wechatpay.RefundSuccess) },
		in(fresh, refused("payment_unknown", "nobody asked for a payment")),
		in(unpaid+" "+withCash, nothing("finance makes refunds in the provider's own pages, too; the bill of the day shows it")))
}

// questionInputs are the answers to our questions: each trade_state, before the
// hold ends and at its end.
func questionInputs(add adder) {
	for _, state := range []wechatpay.TradeState{wechatpay.TradeSuccess, wechatpay.TradeRefund} {
		paid := []rule{
			in(fresh, never("nothing is asked about")),
			in(unpaid, to(received, "PaymentReceived").because("its notice was lost")),
			in(misfit, to(received, "PaymentReceived").because("the buyer paid again, and now it is right")),
			in("received unwanted sold matured", same("another payment goes back", "PaymentReceived", "RefundRequested")),
		}
		add("asked, it says "+string(state), question(state), paid...)
		add("asked at the end, it says "+string(state), ends(state), paid...)
	}
	for _, state := range []wechatpay.TradeState{wechatpay.TradeNotPay, wechatpay.TradeUserPaying, wechatpay.TradePayError} {
		add("asked, it says "+string(state), question(state),
			in(fresh, never("nothing is asked about")),
			in(unpaid+" "+withCash, nothing("there is time left")))
		add("asked at the end, it says "+string(state), ends(state),
			in(fresh, never("nothing is asked about")),
			in("asked payable releasing", to(ended, "PrepayClosed").because("the provider closes it first")),
			in("ended "+withCash, nothing("there is no prepay to end")))
	}
	for _, state := range []wechatpay.TradeState{wechatpay.TradeClosed, wechatpay.TradeRevoked, ""} {
		name, why := string(state), "no money can come"
		if name == "" {
			name, why = "that it knows of none", "we crashed before it heard of it"
		}
		add("asked at the end, it says "+name, ends(state),
			in(fresh, never("nothing is asked about")),
			in("asked payable releasing", to(ended, "PrepayClosed").because(why)),
			in("ended "+withCash, nothing("there is no prepay to end")))
	}
	add("asked at the end, it says what nobody knows", ends("NEW_STATE"),
		in(fresh, never("nothing is asked about")),
		in(unpaid+" "+withCash, later("whether money can come is not known, so nothing is closed")))
	add("asked at the end, it does not answer", func(s *shop) error {
		s.provider.trade(wechatpay.TradeNotPay)
		s.provider.failNext = 1
		return s.end(s.t.Context(), testOrder)
	},
		in(fresh, never("nothing is asked about")),
		in(unpaid+" "+withCash, later("the work is there until it is done")))
	add("told to close, it says that it was paid meanwhile", func(s *shop) error {
		s.provider.trade(wechatpay.TradeNotPay)
		s.provider.paidAtClose = true
		return s.end(s.t.Context(), testOrder)
	},
		in(fresh, never("nothing is closed")),
		in(unpaid+" "+withCash, later("who asks next finds the money")))
	add("the hold's time passes", func(s *shop) error {
		s.clock.pass(16 * time.Minute)
		var due []payment.Work
		s.journal.Each(func(_ int, o *payment.Orders) { due = append(due, o.Due(s.clock.Now())...) })
		var errs []error
		for _, w := range due {
			if w.Task == payment.End || w.Task == payment.Ask {
				errs = append(errs, s.Payments.work(s.t.Context(), w))
			}
		}
		return errors.Join(errs...)
	},
		in(fresh, nothing("nothing is to be ended")),
		in("asked payable releasing", to(ended, "PrepayClosed").because("the provider is asked, and told to close")),
		in("ended "+withCash, nothing("there is no prepay to end")))
}

func laneInputs(add adder) {
	add("the lane releases the stock", laneReleases,
		in(fresh, nothing("nobody asked to pay")),
		in("asked payable", to(releasing, "OrderReleased")),
		in(releasing, nothing("it is known")),
		in("ended "+withCash, nothing("there is no prepay to end")))
	add("the lane confirms", hears(laneConfirms(6_000)),
		in("fresh "+unpaid+" "+misfit, same("the lane's word came before the money's: kept until it comes", "OrderConfirmed")),
		in(received, to(sold, "OrderPaid")),
		in("unwanted sold matured", nothing("the first verdict stands")))
	add("… and its lines do not add up to what was paid", hears(laneConfirms(6_001)),
		in("fresh "+unpaid+" "+misfit, same("kept until the money comes", "OrderConfirmed")),
		in(received, to(unwanted, "RefundRequested").because("the buyer gets the money, the books stay even, and the campaign does not settle unseen")),
		in("unwanted sold matured", nothing("the first verdict stands")))
	for _, reason := range []string{"sold_out", "over_limit", "over_hold", "closed", "retired", "unknown_order", "amount_differs", "already_paid"} {
		add("the lane does not want it: "+reason, hears(laneSays(reason)),
			in("fresh "+unpaid+" "+misfit, same("the lane's word came before the money's: kept until it comes", "PaymentUnwanted")),
			in(received, to(unwanted, "RefundRequested")),
			in("unwanted sold matured", nothing("the first verdict stands")))
	}
}

func fulfilmentInputs(add adder) {
	early := func(name string) rule {
		return in("fresh "+unpaid+" received misfit", same("kept until the sale is known", name))
	}
	add("short", isShort, early("ParcelShipped"),
		in(unwanted, nothing("there is no sale")),
		in(sold, same("the shares of the units go back", "LineShort", "RefundRequested")),
		in(matured, nothing("the return window is over")))
	add("… and told again", func(s *shop) error { return errors.Join(isShort(s), isShort(s)) }, early("ParcelShipped"),
		in(unwanted, nothing("there is no sale")),
		in(sold, same("one cause counts once", "LineShort", "RefundRequested")),
		in(matured, nothing("the return window is over")))
	add("shipped whole", isWhole,
		in("fresh "+unpaid+" "+withCash, nothing("no money moves")))
	add("returned", comesBack, early("ReturnReceived"),
		in(unwanted, nothing("there is no sale")),
		in(sold, same("the shares of the units go back", "LineReturned", "RefundRequested")),
		in(matured, nothing("the return window is over")))
	add("the return window closes", windowCloses, early("ReturnWindowClosed"),
		in(unwanted, nothing("there is no sale")),
		in(sold, to(matured, "OrderMatured")),
		in(matured, nothing("it is known")))
}

func TestEveryInputInEveryStateOfAPaymentIsDefined(t *testing.T) { moneyMachine().walk(t) }
