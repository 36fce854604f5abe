package settlement_test

import (
	"errors"
	"fmt"
	"testing"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	brandv1 "github.com/qingcang/qingcang/proto/gen/brand/v1"
	orderv1 "github.com/qingcang/qingcang/proto/gen/order/v1"
	"github.com/qingcang/qingcang/services/brand-intake/internal/settlement"
	"github.com/qingcang/qingcang/services/internal/book"
	"github.com/qingcang/qingcang/services/internal/money"
)

// ledger folds events as the journal does.
type ledger struct {
	accounts settlement.Accounts
	seq      int
}

func (l *ledger) post(e proto.Message) error {
	l.seq++
	facts, err := settlement.Post(settlement.Cause{ID: fmt.Sprintf("order/0/%d/0", l.seq), Event: e})
	for _, f := range facts {
		l.accounts.Fold(f)
	}
	return err
}

func (l *ledger) statement() settlement.Statement { return l.accounts.ByCampaign["sale"].Statement() }

func paidLine(sku string, units, brand, owner, platform int64) *orderv1.PaidLine {
	return &orderv1.PaidLine{Sku: sku, Units: units, BrandFen: brand, OwnerFen: owner, PlatformFen: platform}
}

func paid(lines ...*orderv1.PaidLine) *orderv1.OrderPaid {
	return &orderv1.OrderPaid{OrderId: "ord_1", BrandId: "brand_a", CampaignUid: "sale", Lines: lines}
}

func reversed(sku string, units, brand, owner, platform int64) *orderv1.ReversedLine {
	return &orderv1.ReversedLine{Sku: sku, Units: units, BrandFen: brand, OwnerFen: owner, PlatformFen: platform}
}

func short(l *orderv1.ReversedLine) *orderv1.LineShort {
	return &orderv1.LineShort{OrderId: "ord_1", BrandId: "brand_a", CampaignUid: "sale", Line: l}
}

func returned(l *orderv1.ReversedLine) *orderv1.LineReturned {
	return &orderv1.LineReturned{OrderId: "ord_1", BrandId: "brand_a", CampaignUid: "sale", Line: l}
}

func matured(lines ...*orderv1.PaidLine) *orderv1.OrderMatured {
	return &orderv1.OrderMatured{OrderId: "ord_1", BrandId: "brand_a", CampaignUid: "sale", Lines: lines}
}

func TestStatement(t *testing.T) {
	type want struct {
		sold, short, returned, payable, commission, platform, matured money.Fen
		balanced                                                      bool
	}
	cases := map[string]struct {
		events []proto.Message
		want   want
	}{
		"nothing sold is all zero and balanced": {nil, want{balanced: true}},
		"a sale is the brand's, the owner's and the platform's": {
			[]proto.Message{paid(paidLine("a", 2, 140, 20, 40))},
			want{sold: 200, payable: 140, commission: 20, platform: 40, balanced: true},
		},
		"what was short and what came back is nobody's": {
			[]proto.Message{
				paid(paidLine("a", 3, 210, 30, 60), paidLine("b", 1, 70, 10, 20)),
				short(reversed("b", 1, 70, 10, 20)), returned(reversed("a", 1, 70, 10, 20)),
			},
			want{sold: 400, short: 100, returned: 100, payable: 140, commission: 20, platform: 40, balanced: true},
		},
		"what matured can be paid out": {
			[]proto.Message{
				paid(paidLine("a", 2, 140, 20, 40)), returned(reversed("a", 1, 70, 10, 20)), matured(paidLine("a", 1, 70, 10, 20)),
			},
			want{sold: 200, returned: 100, payable: 70, commission: 10, platform: 20, matured: 70, balanced: true},
		},
		"an order of which nothing is left matures with nothing": {
			[]proto.Message{paid(paidLine("a", 1, 70, 10, 20)), short(reversed("a", 1, 70, 10, 20)), matured()},
			want{sold: 100, short: 100, balanced: true},
		},
		"more back than was sold does not balance": {
			[]proto.Message{paid(paidLine("a", 1, 70, 10, 20)), returned(reversed("a", 2, 140, 20, 40))},
			want{sold: 100, returned: 200, payable: -70, commission: -10, platform: -20},
		},
		"more matured than is left does not balance": {
			[]proto.Message{paid(paidLine("a", 1, 70, 10, 20)), matured(paidLine("a", 2, 140, 20, 40))},
			want{sold: 100, payable: 70, commission: 10, platform: 20, matured: 140},
		},
		"a sale that gives the brand nothing moves no money": {
			[]proto.Message{paid(paidLine("a", 1, 0, 0, 100))},
			want{sold: 100, platform: 100, balanced: true},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			var l ledger
			for _, e := range c.events {
				if err := l.post(e); err != nil {
					t.Fatal(err)
				}
			}
			s := l.statement()
			net := s.Total.Net()
			got := want{
				s.Total.Sold.Fen(), s.Total.Short.Fen(), s.Total.Returned.Fen(),
				net.Brand, net.Owner, net.Platform, s.Total.Matured.Brand, s.Balanced,
			}
			if got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

func TestTheBookTurnsNoPayableBack(t *testing.T) {
	if settlement.Chart.Reachable(settlement.BrandPayable, settlement.SaleProceeds) {
		t.Error("what is payable can turn into proceeds again")
	}
	if !settlement.Chart.Reachable(settlement.SaleProceeds, settlement.BrandPayable) {
		t.Error("proceeds never become payable")
	}
}

func TestAnAmountThatIsNotThereIsRefused(t *testing.T) {
	var l ledger
	err := l.post(paid(paidLine("a", 1, 1<<62, 0, 0), paidLine("b", 1, 1<<62, 0, 0)))
	if err == nil || errors.Is(err, book.ErrUnbalanced) {
		t.Errorf("got %v, want an overflow", err)
	}
}

// order is one random order: what each SKU has left, split per unit so that any
// number of units reverses exactly.
type order struct {
	id    string
	left  map[string]int64
	price map[string][3]int64
}

// TestStatementsAddUp plays random orders with short and returned units and
// counts the money apart.
func TestStatementsAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var l ledger
		var sold, back, brand money.Fen
		post := func(e proto.Message) {
			if err := l.post(e); err != nil {
				t.Fatal(err)
			}
		}
		amount := rapid.Int64Range(0, 1_000_000)
		for n := range rapid.IntRange(0, 8).Draw(t, "orders") {
			o := order{id: fmt.Sprintf("ord_%d", n), left: map[string]int64{}, price: map[string][3]int64{}}
			sale := &orderv1.OrderPaid{OrderId: o.id, BrandId: "brand_a", CampaignUid: "sale"}
			for _, sku := range []string{"a", "b"} {
				units := rapid.Int64Range(1, 9).Draw(t, "units")
				split := [3]int64{amount.Draw(t, "brand"), amount.Draw(t, "owner"), amount.Draw(t, "platform")}
				o.left[sku], o.price[sku] = units, split
				sale.Lines = append(sale.Lines, paidLine(sku, units, units*split[0], units*split[1], units*split[2]))
				sold += money.Fen(units * (split[0] + split[1] + split[2]))
				brand += money.Fen(units * split[0])
			}
			post(sale)
			for range rapid.IntRange(0, 4).Draw(t, "reversals") {
				sku := rapid.SampledFrom([]string{"a", "b"}).Draw(t, "sku")
				units := rapid.Int64Range(0, o.left[sku]).Draw(t, "back")
				if units == 0 {
					continue
				}
				o.left[sku] -= units
				split := o.price[sku]
				line := reversed(sku, units, units*split[0], units*split[1], units*split[2])
				back += money.Fen(units * (split[0] + split[1] + split[2]))
				brand -= money.Fen(units * split[0])
				if rapid.Bool().Draw(t, "short") {
					post(short(line))
				} else {
					post(returned(line))
				}
			}
			if rapid.Bool().Draw(t, "matures") {
				end := &orderv1.OrderMatured{OrderId: o.id, BrandId: "brand_a", CampaignUid: "sale"}
				for _, sku := range []string{"a", "b"} {
					split, units := o.price[sku], o.left[sku]
					end.Lines = append(end.Lines, paidLine(sku, units, units*split[0], units*split[1], units*split[2]))
				}
				post(end)
			}
		}
		s := l.statement()
		net := s.Total.Net()
		if !s.Balanced || s.Total.Sold.Fen() != sold || net.Fen() != sold-back || net.Brand != brand {
			t.Fatalf("balanced %v, sold %d of %d, left %d of %d, brand %d of %d", s.Balanced, s.Total.Sold.Fen(), sold, net.Fen(), sold-back, net.Brand, brand)
		}
	})
}

func TestEventsThatAreNotTheBrandsPostNothing(t *testing.T) {
	facts, err := settlement.Post(settlement.Cause{ID: "order/0/1/0", Event: &orderv1.RefundSettled{}})
	if err != nil || len(facts) != 0 {
		t.Errorf("got %v, %v", facts, err)
	}
}

func TestAPostingTakesTheIdOfItsCause(t *testing.T) {
	facts, err := settlement.Post(settlement.Cause{ID: "order/3/17/1", Event: paid(paidLine("a", 1, 70, 10, 20))})
	if err != nil {
		t.Fatal(err)
	}
	got, ok := facts[0].(*brandv1.SettlementPosted)
	if !ok || got.GetPosting().GetId() != "order/3/17/1" {
		t.Errorf("got %v", facts)
	}
}
