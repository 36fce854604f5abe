package payment

import (
	"errors"
	"slices"
	"testing"
	"time"

	fulfilmentv1 "github.com/qingcang/qingcang/proto/gen/fulfilment/v1"
	"github.com/qingcang/qingcang/services/internal/money"
)

const (
	toldPrepay   = "prepay of ¥139.99 requested"
	toldCreated  = "prepay wx1 created"
	toldReceived = "¥139.99 received by tx1"
	toldPaid     = "paid: 2 A = 8000+1200+2800; 1 B = 1000+199+800"
)

func request(w *world) { w.take(RequestPrepay(w.order(), held(), w.now)) }
func create(w *world)  { w.take(RecordPrepay(w.order(), "wx1", w.now)) }
func closing(w *world) { w.take(ClosePrepay(w.order(), w.now)) }

func receive(transaction string, fen money.Fen) func(*world) {
	return func(w *world) { w.take(Receive(w.order(), Receipt{TransactionID: transaction, Fen: fen}, w.now)) }
}

func hears(facts ...Fact) func(*world) { return func(w *world) { w.hear(facts...) } }

func paid(w *world) {
	request(w)
	create(w)
	receive("tx1", 13_999)(w)
	w.hear(confirmed())
	w.told = nil
}

func TestTheMoneyOfAnOrder(t *testing.T) {
	cases := map[string]struct {
		steps []func(*world)
		want  []string
	}{
		"a payment in time makes a sale, split to the fen": {
			[]func(*world){request, create, receive("tx1", 13_999), hears(confirmed())},
			[]string{toldPrepay, toldCreated, toldReceived, toldPaid},
		},
		"asking to pay twice asks once": {
			[]func(*world){request, request, create, create},
			[]string{toldPrepay, toldCreated},
		},
		"asking to pay what is paid is refused": {
			[]func(*world){request, create, receive("tx1", 13_999), request},
			[]string{toldPrepay, toldCreated, toldReceived, "refused: conflict"},
		},
		"asking to pay after the hold is refused": {
			[]func(*world){func(w *world) { w.now = deadline }, request},
			[]string{"refused: conflict"},
		},
		"asking to pay what was released is refused": {
			[]func(*world){request, hears(released()), request},
			[]string{toldPrepay, "kept OrderReleased", "refused: conflict"},
		},
		"a release without a prepay leaves no trace": {
			[]func(*world){hears(released())},
			nil,
		},
		"no money comes: the prepay is closed once": {
			[]func(*world){request, create, hears(released(), released()), closing, closing},
			[]string{toldPrepay, toldCreated, "kept OrderReleased", "prepay closed"},
		},
		"a notice told twice counts once": {
			[]func(*world){request, receive("tx1", 13_999), receive("tx1", 13_999), hears(confirmed(), confirmed()), receive("tx1", 13_999)},
			[]string{toldPrepay, toldReceived, toldPaid},
		},
		"a notice that overtakes the prepay's answer counts": {
			[]func(*world){request, receive("tx1", 13_999), create},
			[]string{toldPrepay, toldReceived, "refused: conflict"},
		},
		"a second transaction goes back": {
			[]func(*world){request, receive("tx1", 13_999), receive("tx2", 13_999), hears(confirmed())},
			[]string{toldPrepay, toldReceived, "¥139.99 received by tx2", "refund of ¥139.99 requested: already_paid", toldPaid},
		},
		"a wrong amount is recorded and goes back": {
			[]func(*world){request, create, receive("tx1", 13_998), closing},
			[]string{toldPrepay, toldCreated, "¥139.98 received by tx1", "refund of ¥139.98 requested: amount_differs"},
		},
		"a late payment that revives the order is a sale": {
			[]func(*world){request, create, hears(released()), closing, receive("tx1", 13_999), hears(confirmed())},
			[]string{toldPrepay, toldCreated, "kept OrderReleased", "prepay closed", toldReceived, toldPaid},
		},
		"a late payment that finds nothing left goes back": {
			[]func(*world){request, create, hears(released()), receive("tx1", 13_999), hears(unwanted("sold_out"), unwanted("sold_out")), (*world).settle, (*world).settle},
			[]string{toldPrepay, toldCreated, "kept OrderReleased", toldReceived, "refund of ¥139.99 requested: sold_out", "refund of ¥139.99 settled"},
		},
		"a payment that the lane counted twice stays counted": {
			[]func(*world){paid, hears(unwanted("already_paid"))},
			nil,
		},
		"a sale confirmed before its money is known waits for it": {
			[]func(*world){request, hears(confirmed(), confirmed()), receive("tx1", 13_999)},
			[]string{toldPrepay, "kept OrderConfirmed", toldReceived, toldPaid},
		},
		"all that comes before the money waits, and is taken in its order": {
			[]func(*world){
				request, hears(windowClosed(), returned("ret_1", "A", 1), shipped(map[string]int64{"B": 1}), confirmed()),
				receive("tx1", 13_999),
			},
			[]string{
				toldPrepay, "kept ReturnWindowClosed", "kept ReturnReceived", "kept ParcelShipped", "kept OrderConfirmed", toldReceived, toldPaid,
				"short 1 B = 1000+199+800", "refund of ¥19.99 requested: short",
				"returned 1 A = 4000+600+1400", "refund of ¥60.00 requested: returned",
				"matured; 1 A = 4000+600+1400",
			},
		},
		"a short line gives its money back in one refund": {
			[]func(*world){paid, hears(shipped(map[string]int64{"A": 1, "B": 1}), shipped(map[string]int64{"A": 1, "B": 1}))},
			[]string{"short 1 A = 4000+600+1400", "short 1 B = 1000+199+800", "refund of ¥79.99 requested: short"},
		},
		"a whole parcel takes nothing back": {
			[]func(*world){paid, hears(shipped(nil))},
			nil,
		},
		"a return takes back what it names, once": {
			[]func(*world){paid, hears(returned("ret_1", "A", 1), returned("ret_1", "A", 1), returned("ret_2", "A", 1))},
			[]string{
				"returned 1 A = 4000+600+1400", "refund of ¥60.00 requested: returned",
				"returned 1 A = 4000+600+1400", "refund of ¥60.00 requested: returned",
			},
		},
		"a SKU named twice in one return is summed": {
			[]func(*world){paid, hears(&fulfilmentv1.ReturnReceived{ReturnId: "ret_1", OrderId: orderID, Lines: []*fulfilmentv1.Line{{Sku: "A", Units: 1}, {Sku: "A", Units: 1}}})},
			[]string{"returned 2 A = 8000+1200+2800", "refund of ¥120.00 requested: returned"},
		},
		"no more comes back than was sold": {
			[]func(*world){paid, hears(shipped(map[string]int64{"A": 1}), returned("ret_1", "A", 2), returned("ret_2", "A", 1), returned("ret_3", "C", 1))},
			[]string{
				"short 1 A = 4000+600+1400", "refund of ¥60.00 requested: short",
				"returned 1 A = 4000+600+1400", "refund of ¥60.00 requested: returned",
			},
		},
		"what is left matures, once, and then nothing comes back": {
			[]func(*world){paid, hears(shipped(map[string]int64{"B": 1}), windowClosed(), windowClosed(), returned("ret_1", "A", 1))},
			[]string{"short 1 B = 1000+199+800", "refund of ¥19.99 requested: short", "matured; 2 A = 8000+1200+2800"},
		},
		"an order that came back whole matures with nothing": {
			[]func(*world){paid, hears(shipped(map[string]int64{"A": 2, "B": 1}), windowClosed())},
			[]string{"short 2 A = 8000+1200+2800", "short 1 B = 1000+199+800", "refund of ¥139.99 requested: short", "matured"},
		},
		"a refund settles once, and one that nobody asked for never": {
			[]func(*world){
				paid, hears(returned("ret_1", "B", 1)), (*world).settle, (*world).settle,
				func(w *world) {
					w.take(RecordRefund(w.order(), RefundAnswer{Number: "ref_x", State: RefundMade, Fen: 1}, w.now))
				},
			},
			[]string{"returned 1 B = 1000+199+800", "refund of ¥19.99 requested: returned", "refund of ¥19.99 settled"},
		},
		"a refund of another amount is a bug, not a settlement": {
			[]func(*world){paid, hears(returned("ret_1", "B", 1)), func(w *world) {
				w.take(RecordRefund(w.order(), RefundAnswer{Number: w.order().Refunds[0].Number(), State: RefundMade, Fen: 1}, w.now))
			}},
			[]string{"returned 1 B = 1000+199+800", "refund of ¥19.99 requested: returned", "refused: internal"},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			for _, step := range c.steps {
				step(w)
			}
			if !slices.Equal(w.told, c.want) {
				t.Fatalf("told\n%q\nwant\n%q", w.told, c.want)
			}
		})
	}
}

func TestAConfirmationThatDoesNotAddUpGivesTheMoneyBack(t *testing.T) {
	w := newWorld(t)
	request(w)
	receive("tx1", 13_999)(w)
	wrong := confirmed()
	wrong.Lines[0].PriceFen++
	w.hear(wrong)
	want := []string{toldPrepay, toldReceived, "refund of ¥139.99 requested: split_differs"}
	if !slices.Equal(w.told, want) {
		t.Fatalf("told %q, want %q", w.told, want)
	}
}

func TestASaleWithoutAnOwnerLeavesTheCommissionToThePlatform(t *testing.T) {
	w := newWorld(t)
	request(w)
	receive("tx1", 13_999)(w)
	f := confirmed()
	f.OwnerId = ""
	w.hear(f)
	if got := w.book.Of(OwnerCommission); got != 0 {
		t.Fatalf("an owner got %s", got)
	}
	if got, want := -w.book.Of(PlatformRevenue), money.Fen(2800+1200+800+199); got != want {
		t.Fatalf("the platform got %s, want %s", got, want)
	}
}

func TestCountsOfACampaign(t *testing.T) {
	cases := map[string]struct {
		steps []func(*world)
		want  Counts
	}{
		"an order waits for money":                    {[]func(*world){request}, Counts{Open: 1}},
		"a closed prepay waits for nothing":           {[]func(*world){request, closing}, Counts{}},
		"money waits for the lane":                    {[]func(*world){request, receive("tx1", 13_999)}, Counts{Open: 1}},
		"a sale is paid":                              {[]func(*world){paid}, Counts{Paid: 1, PaidUnits: 3}},
		"a short line waits for its refund":           {[]func(*world){paid, hears(shipped(map[string]int64{"A": 1}))}, Counts{Paid: 1, PaidUnits: 3, Open: 1}},
		"a settled refund does not make it final":     {[]func(*world){paid, hears(shipped(map[string]int64{"A": 1})), (*world).settle}, Counts{Paid: 1, PaidUnits: 3}},
		"a matured sale is final":                     {[]func(*world){paid, hears(windowClosed())}, Counts{Paid: 1, PaidUnits: 3, Final: 1}},
		"a sale that came back whole is final":        {[]func(*world){paid, hears(shipped(map[string]int64{"A": 2, "B": 1}))}, Counts{Paid: 1, PaidUnits: 3, Final: 1, Open: 1}},
		"it is counted once when it matures, too":     {[]func(*world){paid, hears(shipped(map[string]int64{"A": 2, "B": 1}), windowClosed()), (*world).settle}, Counts{Paid: 1, PaidUnits: 3, Final: 1}},
		"an unwanted payment waits until it is back":  {[]func(*world){request, receive("tx1", 13_999), hears(unwanted("closed"))}, Counts{Open: 1}},
		"and is then neither paid nor open":           {[]func(*world){request, receive("tx1", 13_999), hears(unwanted("closed")), (*world).settle}, Counts{}},
		"a wrong amount waits until it is back, only": {[]func(*world){request, receive("tx1", 5), (*world).settle}, Counts{}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			for _, step := range c.steps {
				step(w)
			}
			if got := w.state.Counts(campaign); got != c.want {
				t.Fatalf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

func TestDue(t *testing.T) {
	cases := map[string]struct {
		steps []func(*world)
		after time.Duration
		want  []Task
	}{
		"nothing before anybody asked":                                 {nil, time.Hour, nil},
		"a prepay has its time":                                        {[]func(*world){request, create}, 14 * time.Minute, nil},
		"a notice that did not come is asked for before the hold ends": {[]func(*world){request, create}, 15*time.Minute - askBefore, []Task{Ask}},
		"a prepay that the provider may not know is not":               {[]func(*world){request}, 15*time.Minute - askBefore, nil},
		"a prepay without money is ended after its time":               {[]func(*world){request, create}, 15*time.Minute + endGrace, []Task{End}},
		"so is one whose answer was lost":                              {[]func(*world){request}, 15*time.Minute + endGrace, []Task{End}},
		"a released order's prepay is ended at once":                   {[]func(*world){request, create, hears(released())}, 0, []Task{End}},
		"a payment is left to the replica that heard of it":            {[]func(*world){request, receive("tx1", 13_999)}, payGrace - 1, nil},
		"a payment that the lane does not know is told it":             {[]func(*world){request, receive("tx1", 13_999)}, payGrace, []Task{Pay}},
		"a paid order needs nothing":                                   {[]func(*world){paid}, time.Hour, nil},
		"each refund is asked for until it is settled":                 {[]func(*world){paid, hears(returned("ret_1", "A", 1), returned("ret_2", "A", 1))}, 0, []Task{GiveBack, GiveBack}},
		"a settled refund is done":                                     {[]func(*world){paid, hears(returned("ret_1", "A", 1)), (*world).settle}, 0, nil},
		"a wrong amount goes back and the lane hears nothing of it":    {[]func(*world){request, receive("tx1", 5)}, time.Hour, []Task{GiveBack}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			for _, step := range c.steps {
				step(w)
			}
			var got []Task
			for _, work := range Due(w.order(), start.Add(c.after)) {
				got = append(got, work.Task)
			}
			if !slices.Equal(got, c.want) {
				t.Fatalf("got %v, want %v", got, c.want)
			}
		})
	}
}

func TestAPrepayThatComesTooLateSaysWhy(t *testing.T) {
	for name, c := range map[string]struct {
		before func(*world)
		want   error
	}{
		"money came meanwhile":             {receive("tx1", 13_999), ErrPaid},
		"the order was given up meanwhile": {closing, ErrHoldOver},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			request(w)
			c.before(w)
			if facts, err := RecordPrepay(w.order(), "wx1", w.now); !errors.Is(err, c.want) || facts != nil {
				t.Errorf("RecordPrepay gives %v, %v; want %v", facts, err, c.want)
			}
		})
	}
}
