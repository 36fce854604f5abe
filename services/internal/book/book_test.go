package book_test

import (
	"errors"
	"math"
	"testing"

	"pgregory.net/rapid"

	moneyv1 "github.com/qingcang/qingcang/proto/gen/money/v1"

	"github.com/qingcang/qingcang/services/internal/book"
	"github.com/qingcang/qingcang/services/internal/money"
)

// shop is a small table: a fee and a commission that never meet.
var shop = book.Table{
	"cash":       {Nature: book.Asset, To: []book.Class{"in_transit"}},
	"in_transit": {Nature: book.Clearing, To: []book.Class{"fee", "going_back"}},
	"fee":        {Nature: book.Revenue, To: []book.Class{"going_back"}},
	"going_back": {Nature: book.Clearing, To: []book.Class{"cash"}},
	"due":        {Nature: book.Clearing, To: []book.Class{"commission"}},
	"commission": {Nature: book.Liability, To: []book.Class{"due"}},
}

func TestCheck(t *testing.T) {
	leg := func(account string, fen int64) *moneyv1.Leg { return &moneyv1.Leg{Account: account, Fen: fen} }
	many := make([]*moneyv1.Leg, book.MaxLegs+1)
	for i := range many {
		many[i] = leg("cash", 1)
	}
	for name, c := range map[string]struct {
		id   string
		legs []*moneyv1.Leg
		want error
	}{
		"money that comes in is allowed":     {"p", []*moneyv1.Leg{leg("cash", 5), leg("in_transit:pay_1", -5)}, nil},
		"one debit may go to several":        {"p", []*moneyv1.Leg{leg("in_transit", 5), leg("fee", -3), leg("going_back:a:b", -2)}, nil},
		"legs that do not add up":            {"p", []*moneyv1.Leg{leg("cash", 5), leg("in_transit", -4)}, book.ErrUnbalanced},
		"legs that overflow":                 {"p", []*moneyv1.Leg{leg("cash", math.MaxInt64), leg("cash", 1), leg("in_transit", math.MinInt64)}, book.ErrUnbalanced},
		"the fee never goes to a commission": {"p", []*moneyv1.Leg{leg("fee", 5), leg("commission:o", -5)}, book.ErrForbidden},
		"nor in company":                     {"p", []*moneyv1.Leg{leg("fee", 5), leg("going_back", -4), leg("commission", -1)}, book.ErrForbidden},
		"the wrong way round":                {"p", []*moneyv1.Leg{leg("cash", -5), leg("in_transit", 5)}, book.ErrForbidden},
		"a class that nobody knows":          {"p", []*moneyv1.Leg{leg("cash", 5), leg("gift", -5)}, book.ErrAccount},
		"an account with three ids":          {"p", []*moneyv1.Leg{leg("cash:a:b:c", 5), leg("in_transit", -5)}, book.ErrAccount},
		"an account with an empty id":        {"p", []*moneyv1.Leg{leg("cash:", 5), leg("in_transit", -5)}, book.ErrAccount},
		"a single leg":                       {"p", []*moneyv1.Leg{leg("cash", 5)}, book.ErrShape},
		"a leg of nothing":                   {"p", []*moneyv1.Leg{leg("cash", 5), leg("in_transit", -5), leg("fee", 0)}, book.ErrShape},
		"no id":                              {"", []*moneyv1.Leg{leg("cash", 5), leg("in_transit", -5)}, book.ErrShape},
		"more legs than any order needs":     {"p", many, book.ErrShape},
	} {
		t.Run(name, func(t *testing.T) {
			if err := shop.Check(&moneyv1.Posting{Id: c.id, Legs: c.legs}); !errors.Is(err, c.want) {
				t.Fatalf("got %v, want %v", err, c.want)
			}
		})
	}
	if err := shop.Check(nil); !errors.Is(err, book.ErrShape) {
		t.Errorf("no posting at all: got %v", err)
	}
}

func TestReachable(t *testing.T) {
	for name, c := range map[string]struct {
		from, to book.Class
		want     bool
	}{
		"by one posting":                     {"cash", "in_transit", true},
		"by a chain":                         {"cash", "going_back", true},
		"by a circle, to itself":             {"cash", "cash", true},
		"the fee never reaches a commission": {"fee", "commission", false},
		"a class that is not there":          {"gift", "cash", false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := shop.Reachable(c.from, c.to); got != c.want {
				t.Fatalf("got %t", got)
			}
		})
	}
}

func TestPostSumsLegsOfAnAccountAndLeavesOutNothing(t *testing.T) {
	p := book.Post("p", book.Debit("cash", 7), book.Credit("fee:a", 4), book.Credit("fee:b", 0),
		book.Credit("fee:a", 3), book.Debit("due", 2), book.Credit("due", 2))
	if len(p.GetLegs()) != 2 || p.GetLegs()[0].GetFen() != 7 || p.GetLegs()[1].GetAccount() != "fee:a" || p.GetLegs()[1].GetFen() != -7 {
		t.Fatalf("got %v", p)
	}
	if p := book.Post("p", book.Debit("cash", 1), book.Credit("cash", 1)); p != nil {
		t.Fatalf("nothing moved, and yet %v", p)
	}
}

func TestBalancesOfBalancedPostingsSumToZeroAndUndoToNothing(t *testing.T) {
	accounts := []string{"cash", "in_transit:a", "in_transit:b", "fee", "going_back:a"}
	rapid.Check(t, func(t *rapid.T) {
		balances := book.Balances{}
		postings := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) *moneyv1.Posting {
			fen := money.Fen(rapid.Int64Range(-1<<40, 1<<40).Draw(t, "fen"))
			return book.Post("p",
				book.Debit(rapid.SampledFrom(accounts).Draw(t, "debit"), fen),
				book.Credit(rapid.SampledFrom(accounts).Draw(t, "credit"), fen))
		}), 1, 30).Draw(t, "postings")
		for _, p := range postings {
			if err := balances.Apply(p); err != nil {
				t.Fatal(err)
			}
			if balances.Sum() != 0 {
				t.Fatalf("%v do not add up", balances)
			}
		}
		transit := shop.InTransit(balances)
		if got := transit.Of("in_transit") + transit.Of("going_back"); got != balances.Of("in_transit")+balances.Of("going_back") {
			t.Fatalf("%v is in transit of %v", transit, balances)
		}
		for _, p := range postings {
			for _, leg := range p.GetLegs() {
				leg.Fen = -leg.GetFen()
			}
			if err := balances.Apply(p); err != nil {
				t.Fatal(err)
			}
		}
		if len(balances) != 0 {
			t.Fatalf("%v is left after all was undone", balances)
		}
	})
}

func TestAnOverflowChangesNothing(t *testing.T) {
	balances := book.Balances{"a": 1, "b": math.MaxInt64}
	p := &moneyv1.Posting{Id: "p", Legs: []*moneyv1.Leg{{Account: "a", Fen: -1}, {Account: "b", Fen: 1}}}
	if err := balances.Apply(p); err == nil || balances["a"] != 1 || balances["b"] != math.MaxInt64 {
		t.Fatalf("got %v, %v", balances, err)
	}
}
