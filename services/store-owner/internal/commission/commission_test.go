package commission_test

import (
	"errors"
	"testing"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	moneyv1 "github.com/qingcang/qingcang/proto/gen/money/v1"
	orderv1 "github.com/qingcang/qingcang/proto/gen/order/v1"
	"github.com/qingcang/qingcang/services/internal/book"
	"github.com/qingcang/qingcang/services/internal/money"
	"github.com/qingcang/qingcang/services/store-owner/internal/commission"
)

const order, owner = "ord_1", "per_1"

func paid(fen ...int64) *orderv1.OrderPaid {
	e := &orderv1.OrderPaid{OrderId: order, OwnerId: owner, CampaignUid: "c1"}
	for _, f := range fen {
		e.Lines = append(e.Lines, &orderv1.PaidLine{OwnerFen: f})
	}
	return e
}

func short(refund, sku string, fen int64) *orderv1.LineShort {
	return &orderv1.LineShort{OrderId: order, OwnerId: owner, RefundId: refund, Line: &orderv1.ReversedLine{Sku: sku, OwnerFen: fen}}
}

func returned(refund, sku string, fen int64) *orderv1.LineReturned {
	return &orderv1.LineReturned{OrderId: order, OwnerId: owner, RefundId: refund, Line: &orderv1.ReversedLine{Sku: sku, OwnerFen: fen}}
}

func matured() *orderv1.OrderMatured { return &orderv1.OrderMatured{OrderId: order, OwnerId: owner} }

// decide is what the wallet makes of an event of the order service.
func decide(w *commission.Wallet, event proto.Message) ([]commission.Fact, error) {
	switch e := event.(type) {
	case *orderv1.OrderPaid:
		return commission.PaidOf(e).Decide(w)
	case *orderv1.LineShort:
		return commission.Short(e).Decide(w)
	case *orderv1.LineReturned:
		return commission.Returned(e).Decide(w)
	case *orderv1.OrderMatured:
		return commission.MaturityOf(e).Decide(w)
	default:
		return nil, errors.New("no such event")
	}
}

func hear(w *commission.Wallet, book book.Balances, event proto.Message) error {
	facts, err := decide(w, event)
	for _, f := range facts {
		w.Apply(f)
		if posted, ok := f.(interface{ GetPosting() *moneyv1.Posting }); ok && book != nil {
			if err := book.Apply(posted.GetPosting()); err != nil {
				return err
			}
		}
	}
	return err
}

type amounts struct{ accrued, reversed, pending, available money.Fen }

func amountsOf(w *commission.Wallet) amounts {
	return amounts{w.Accrued, w.Reversed, w.Pending(), w.Available}
}

func TestWhatAnOwnerEarns(t *testing.T) {
	for name, test := range map[string]struct {
		events []proto.Message
		want   amounts
		err    error
	}{
		"a paid order is pending": {
			events: []proto.Message{paid(600, 400)}, want: amounts{1000, 0, 1000, 0},
		},
		"a paid order that is told twice counts once": {
			events: []proto.Message{paid(600, 400), paid(600, 400)}, want: amounts{1000, 0, 1000, 0},
		},
		"an order without commission is known and earns nothing": {
			events: []proto.Message{paid(0), matured()}, want: amounts{},
		},
		"a short line is taken back": {
			events: []proto.Message{paid(600, 400), short("r1", "a", 400)}, want: amounts{1000, 400, 600, 0},
		},
		"a short line that is told twice is taken back once": {
			events: []proto.Message{paid(600, 400), short("r1", "a", 400), short("r1", "a", 400)}, want: amounts{1000, 400, 600, 0},
		},
		"two lines of one refund are both taken back": {
			events: []proto.Message{paid(600, 400), short("r1", "a", 400), short("r1", "b", 600)}, want: amounts{1000, 1000, 0, 0},
		},
		"a returned line is taken back": {
			events: []proto.Message{paid(600, 400), returned("r1", "a", 100)}, want: amounts{1000, 100, 900, 0},
		},
		"after the window what is left is available": {
			events: []proto.Message{paid(600, 400), short("r1", "a", 400), matured()}, want: amounts{1000, 400, 0, 600},
		},
		"an order matures once": {
			events: []proto.Message{paid(600), matured(), matured()}, want: amounts{600, 0, 0, 600},
		},
		"an order that all came back of matures to nothing": {
			events: []proto.Message{paid(600), returned("r1", "a", 600), matured()}, want: amounts{600, 600, 0, 0},
		},
		"what is taken back after the window comes off what is available": {
			events: []proto.Message{paid(600), matured(), returned("r1", "a", 200)}, want: amounts{600, 200, 0, 400},
		},
		"a reversal before the order is kept until the order is paid": {
			events: []proto.Message{short("r1", "a", 400), paid(600, 400)}, want: amounts{1000, 400, 600, 0},
		},
		"an early reversal that is told twice counts once": {
			events: []proto.Message{short("r1", "a", 400), short("r1", "a", 400), paid(600, 400), short("r1", "a", 400)}, want: amounts{1000, 400, 600, 0},
		},
		"a whole life in the wrong order ends as in the right one": {
			events: []proto.Message{matured(), returned("r2", "b", 100), short("r1", "a", 400), paid(600, 400)}, want: amounts{1000, 500, 0, 500},
		},
		"early facts alone earn nothing": {
			events: []proto.Message{short("r1", "a", 400), matured()}, want: amounts{},
		},
		"more than was accrued is never taken back": {
			events: []proto.Message{paid(600), short("r1", "a", 601)}, want: amounts{600, 0, 600, 0}, err: commission.ErrMoreThanAccrued,
		},
		"a reversal that would pay the owner is refused": {
			events: []proto.Message{paid(600), short("r1", "a", -1)}, want: amounts{600, 0, 600, 0}, err: commission.ErrMoreThanAccrued,
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := commission.NewWallet()
			var err error
			for _, e := range test.events {
				err = errors.Join(err, hear(w, nil, e))
			}
			if got := amountsOf(w); got != test.want || !errors.Is(err, test.err) || (err != nil && test.err == nil) {
				t.Fatalf("got %+v and %v, want %+v and %v", got, err, test.want, test.err)
			}
		})
	}
}

// In whatever order and however often the events come: the book is balanced and says the same as
// the wallet, nothing is negative, and the end is the same as in the right order.
func TestTheWalletAndItsBookAgreeInAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lines := rapid.SliceOfN(rapid.Int64Range(0, 5_000), 1, 5).Draw(t, "owner's part of each line")
		events := []proto.Message{paid(lines...), matured()}
		want := amounts{}
		for i, fen := range lines {
			sku, part := string(rune('a'+i)), rapid.Int64Range(0, fen).Draw(t, "taken back")
			event := proto.Message(short("r"+sku, sku, part))
			if rapid.Bool().Draw(t, "returned") {
				event = returned("r"+sku, sku, part)
			}
			events = append(events, event)
			want.accrued += money.Fen(fen)
			want.reversed += money.Fen(part)
		}
		want.available = want.accrued - want.reversed
		events = append(events, rapid.SliceOf(rapid.SampledFrom(events)).Draw(t, "told again")...)

		w, balances := commission.NewWallet(), book.Balances{}
		for _, event := range rapid.Permutation(events).Draw(t, "order of arrival") {
			if err := hear(w, balances, event); err != nil {
				t.Fatal(err)
			}
			got := amountsOf(w)
			if balances.Sum() != 0 || balances.Of("commission_pending") != -got.pending ||
				balances.Of("commission_available") != -got.available || balances.Of("commission_due") != got.accrued-got.reversed {
				t.Fatalf("the wallet says %+v and the book %v", got, balances)
			}
			if got.pending+got.available != got.accrued-got.reversed || got.pending < 0 || got.available < 0 || got.accrued < 0 || got.reversed < 0 {
				t.Fatalf("impossible amounts: %+v", got)
			}
		}
		if got := amountsOf(w); got != want {
			t.Fatalf("got %+v in the end, want %+v", got, want)
		}
	})
}

func TestAPageOfOrders(t *testing.T) {
	w := commission.NewWallet()
	for _, id := range []string{"ord_3", "ord_1", "ord_2"} {
		for _, f := range must(commission.Paid{OrderID: id, OwnerID: owner, Fen: 1}.Decide(w)) {
			w.Apply(f)
		}
	}
	for _, f := range must(commission.Short(&orderv1.LineShort{OrderId: "ord_0", OwnerId: owner, Line: &orderv1.ReversedLine{OwnerFen: 1}}).Decide(w)) {
		w.Apply(f)
	}
	for name, test := range map[string]struct {
		after string
		limit int
		want  []string
	}{
		"the first page begins with the least id and leaves early orders out": {"", 2, []string{"ord_1", "ord_2"}},
		"the next page goes on behind the last id":                            {"ord_2", 2, []string{"ord_3"}},
		"behind the end there is nothing":                                     {"ord_3", 2, nil},
	} {
		t.Run(name, func(t *testing.T) {
			page := w.Page(test.after, test.limit)
			if len(page) != len(test.want) {
				t.Fatalf("got %d orders, want %v", len(page), test.want)
			}
			for i, entry := range page {
				if entry.OrderID != test.want[i] {
					t.Fatalf("got %s at %d, want %v", entry.OrderID, i, test.want)
				}
			}
		})
	}
}

func must(facts []commission.Fact, err error) []commission.Fact {
	if err != nil {
		panic(err)
	}
	return facts
}
