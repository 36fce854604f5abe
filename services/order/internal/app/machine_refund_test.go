package app

import (
	"errors"
	"testing"
	"time"

	"github.com/qingcang/qingcang/services/internal/wechatpay"
	"github.com/qingcang/qingcang/services/order/internal/payment"
)

// The states of a refund.
const (
	refundAsked    = "asked"
	refundAccepted = "accepted"
	withAbnormal   = "finance-abnormal"
	withClosed     = "finance-closed"
	withShort      = "finance-short"
	withRefused    = "finance-refused"
	paidOtherwise  = "paid-otherwise"
	refundSettled  = "settled"
)

func stateOfRefund(s *shop) string {
	r := s.refund()
	switch r.Stage {
	case payment.RefundWithFinance:
		return "finance-" + string(r.Trouble)
	case payment.RefundPaidOtherwise:
		return paidOtherwise
	default:
		return string(r.Stage)
	}
}

// answers lets the provider say something of the refund's number: to our question
// where one is due, else by a notice.
func answers(state wechatpay.RefundState) func(*shop) error {
	return func(s *shop) error {
		r := s.refund()
		s.provider.say(r.Number(), state)
		if r.Stage == payment.RefundAsked {
			return s.giveBack(s.t.Context(), testOrder, r)
		}
		return errors.Join(s.follow(s.t.Context(), testOrder, r.Number()), s.notice(r.Number(), state))
	}
}

func closesTwice(s *shop) error {
	return errors.Join(answers(wechatpay.RefundClosed)(s), answers(wechatpay.RefundClosed)(s))
}

func refuses(s *shop) error {
	s.provider.refuses = true
	defer func() { s.provider.refuses = false }()
	return s.giveBack(s.t.Context(), testOrder, s.refund())
}

// isShortFor is the provider's word that our balance does not cover a refund, some
// time after it was asked for.
func isShortFor(d time.Duration) func(*shop) error {
	return func(s *shop) error {
		s.clock.pass(d)
		s.provider.short = true
		defer func() { s.provider.short = false }()
		err := s.giveBack(s.t.Context(), testOrder, s.refund())
		if errors.Is(err, wechatpay.ErrShort) {
			return nil // the task is tried again
		}
		return err
	}
}

func resolves(how payment.How, reference string) func(*shop) error {
	return func(s *shop) error {
		return s.Resolve(s.t.Context(), s.refund().ID, payment.Resolution{How: how, Reference: reference, StaffID: "alice"})
	}
}

// refundMachine is one refund.
func refundMachine() machine {
	reach := map[string]func(*shop){refundAsked: func(s *shop) { s.unwantedRefund() }}
	after := func(state, before string, plays ...func(*shop) error) {
		reach[state] = func(s *shop) { reach[before](s); s.must(plays...) }
	}
	after(refundAccepted, refundAsked, answers(wechatpay.RefundProcessing))
	after(withAbnormal, refundAccepted, answers(wechatpay.RefundAbnormal))
	after(withClosed, refundAsked, closesTwice, answers(wechatpay.RefundClosed))
	after(withShort, refundAsked, isShortFor(7*24*time.Hour))
	after(withRefused, refundAsked, refuses)
	after(paidOtherwise, withAbnormal, resolves(payment.PaidElsewhere, "transfer 7"))
	after(refundSettled, refundAccepted, answers(wechatpay.RefundSuccess))

	var inputs []input
	add := func(name string, play func(*shop) error, r ...rule) { inputs = append(inputs, input{name, play, r}) }
	answerInputs(add)
	financeInputs(add)
	return machine{
		title: "A refund",
		intro: "`asked` the provider is to be asked · `accepted` it is on it · `finance-…` a person has to see to it: the buyer's card is gone (`abnormal`), our balance was short for weeks (`closed`), or for one in which it was not taken (`short`), " +
			"or the provider does not take the request (`refused`) · `paid-otherwise` the buyer has the money from another account of ours · `settled`. " +
			"The rules of CLOSED and ABNORMAL are [WeChat Pay's](https://pay.weixin.qq.com/doc/v3/merchant/4013071031).",
		states: []string{refundAsked, refundAccepted, withAbnormal, withClosed, withShort, withRefused, paidOtherwise, refundSettled},
		reach:  reach, of: stateOfRefund, inputs: inputs,
	}
}

const (
	notAsked = "the provider knows nothing of the number that is next"
	isDone   = "it is settled"
)

func answerInputs(add adder) {
	known := in("finance-closed finance-short finance-refused", never(notAsked))
	add("PROCESSING", answers(wechatpay.RefundProcessing), known,
		in(refundAsked, to(refundAccepted, "RefundAccepted").because("the provider's time says on which day's bill it is")),
		in(refundAccepted, nothing("a bank may take days")),
		in(withAbnormal, to(refundAccepted, "RefundAccepted").because("finance told the provider where the money is to go")),
		in(paidOtherwise, nothing("the buyer has the money")),
		in(refundSettled, nothing(isDone)))
	add("SUCCESS", answers(wechatpay.RefundSuccess), known,
		in("asked accepted finance-abnormal", to(refundSettled, "RefundSettled")),
		in(paidOtherwise, to(refundSettled, "RefundSettled").because("the provider gave to us what finance had given to the buyer")),
		in(refundSettled, nothing(isDone)))
	add("CLOSED", answers(wechatpay.RefundClosed), known,
		in(refundAsked, same("our balance was short for seven days; the refund goes on under a new out_refund_no", "RefundAccepted", "RefundClosed")),
		in(refundAccepted, to(refundAsked, "RefundClosed").because("our balance was short for seven days; the refund goes on under a new out_refund_no")),
		in(withAbnormal, to(withClosed, "RefundClosed", "RefundNeedsFinance").because("somebody may be paying the buyer: only finance asks again")),
		in(paidOtherwise, nothing("the buyer has the money, and the provider's balance keeps ours")),
		in(refundSettled, nothing(isDone)))
	add("CLOSED, for the third number", func(s *shop) error { return errors.Join(closesTwice(s), answers(wechatpay.RefundClosed)(s)) }, known,
		in(refundAsked, to(withClosed, "RefundAccepted", "RefundClosed", "RefundAccepted", "RefundClosed", "RefundAccepted", "RefundClosed", "RefundNeedsFinance")),
		in(refundAccepted, to(withClosed, "RefundClosed", "RefundAccepted", "RefundClosed", "RefundAccepted", "RefundClosed", "RefundNeedsFinance")),
		in(withAbnormal, never("it is not asked for again until finance says so")),
		in(paidOtherwise, nothing("the buyer has the money")),
		in(refundSettled, nothing(isDone)))
	add("ABNORMAL", answers(wechatpay.RefundAbnormal), known,
		in(refundAsked, to(withAbnormal, "RefundAccepted", "RefundNeedsFinance")),
		in(refundAccepted, to(withAbnormal, "RefundNeedsFinance")),
		in(withAbnormal, nothing("finance has it")),
		in(paidOtherwise, nothing("the buyer has the money")),
		in(refundSettled, nothing(isDone)))
	add("the provider refuses the request", refuses,
		in(refundAsked, to(withRefused, "RefundNeedsFinance").because("the payment is too old or the buyer's account is gone: asking again changes nothing")),
		in("accepted finance-abnormal finance-closed finance-short finance-refused paid-otherwise settled", nothing("nothing is asked for")))
	notTaken := in("accepted finance-abnormal finance-closed finance-short finance-refused paid-otherwise settled", nothing("nothing is asked for"))
	add("our balance does not cover it", isShortFor(time.Hour), notTaken,
		in(refundAsked, nothing("it is asked for again")))
	add("… for a week", isShortFor(7*24*time.Hour), notTaken,
		in(refundAsked, to(withShort, "RefundNeedsFinance")))
	add("the provider does not answer", func(s *shop) error {
		s.provider.failNext = 1
		return s.giveBack(s.t.Context(), testOrder, s.refund())
	},
		in("asked accepted finance-abnormal finance-closed finance-short finance-refused paid-otherwise settled", later("while it is open, the work is there until it is done")))
	add("SUCCESS, of another amount", func(s *shop) error {
		return s.recordRefund(s.t.Context(), testOrder, payment.RefundAnswer{Number: s.refund().Number(), State: payment.RefundMade, Fen: testFen - 1})
	},
		in("asked accepted finance-abnormal finance-closed finance-short finance-refused paid-otherwise", refused("refund_differs", "somebody has to look: nothing is booked that is not so")),
		in(refundSettled, nothing(isDone)))
	add("SUCCESS, of a number that was closed", func(s *shop) error {
		number := s.refund().Number()
		if r := s.refund(); len(r.Closed) > 0 {
			number = r.Closed[0].Number
		}
		return s.notice(number, wechatpay.RefundSuccess)
	},
		in("asked accepted finance-abnormal finance-short finance-refused paid-otherwise settled", never("none was closed")),
		in(withClosed, refused("closed_refund_made", "the buyer may get it twice: somebody has to look")))
	add("a word of WeChat Pay that nobody knows", answers("NEW_STATE"), known,
		in("asked accepted finance-abnormal paid-otherwise settled", later("it means nothing here, so nothing is done")))
}

func financeInputs(add adder) {
	add("finance: retried", resolves(payment.Retried, "ticket 1"),
		in("asked accepted paid-otherwise", refused("refund_not_with_finance", "it does not wait for finance")),
		in(refundSettled, refused("refund_unknown", "it never was with finance, and is done")),
		in(withAbnormal, to(refundAccepted, "RefundResolved").because("the same number goes on")),
		in(withClosed, to(refundAsked, "RefundResolved").because("under a new number")),
		in("finance-short finance-refused", to(refundAsked, "RefundResolved").because("under the same number")))
	add("finance: paid otherwise", resolves(payment.PaidElsewhere, "transfer 8"),
		in("asked accepted paid-otherwise", refused("refund_not_with_finance", "it does not wait for finance")),
		in(refundSettled, refused("refund_unknown", "it never was with finance, and is done")),
		in("finance-abnormal finance-closed finance-short finance-refused", to(paidOtherwise, "RefundResolved")))
	add("finance says the same again", resolves(payment.PaidElsewhere, "transfer 7"),
		in("asked accepted", refused("refund_not_with_finance", "it does not wait for finance")),
		in(refundSettled, refused("refund_unknown", "it never was with finance, and is done")),
		in("finance-abnormal finance-closed finance-short finance-refused", never("nothing was said")),
		in(paidOtherwise, nothing("a request is repeated when its reply was lost")))
}

func TestEveryInputInEveryStateOfARefundIsDefined(t *testing.T) { refundMachine().walk(t) }
