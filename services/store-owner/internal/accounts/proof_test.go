package accounts_test

import (
	"errors"
	"maps"
	"slices"
	"testing"

	moneyv1 "github.com/qingcang/qingcang/proto/gen/money/v1"
	"github.com/qingcang/qingcang/services/internal/book"
	"github.com/qingcang/qingcang/services/internal/proof"
	"github.com/qingcang/qingcang/services/store-owner/internal/accounts"
)

// TestProofTheLawGuard is row S6 for the posting rules. Every posting that can be
// made of the classes, each debited, credited or left out, is refused when it
// brings fee and commission together. And every chart that one or two new rules
// make, a class that is neither fee nor commission included, is refused just when
// money can get from the one to the other.
func TestProofTheLawGuard(t *testing.T) {
	proof.Exhaustive(t, "S6", func(try func(func(*proof.Trial)) bool) {
		_ = everyPosting(try) && everyChart(try)
	})
}

func everyPosting(try func(func(*proof.Trial)) bool) bool {
	table, classes := accounts.Table(), slices.Sorted(maps.Keys(accounts.Table()))
	for n, shapes := 0, power(3, len(classes)); n < shapes; n++ {
		var debits, credits []book.Class
		for i, rest := 0, n; i < len(classes); i, rest = i+1, rest/3 {
			switch rest % 3 {
			case 1:
				debits = append(debits, classes[i])
			case 2:
				credits = append(credits, classes[i])
			}
		}
		more := try(func(t *proof.Trial) {
			accepted := table.Check(posting(debits, credits)) == nil
			if mixed(append(debits, credits...)) && accepted {
				t.Fatalf("a posting from %v to %v is accepted", debits, credits)
			}
			if accepted != leads(table, debits, credits) {
				t.Fatalf("a posting from %v to %v: accepted is %t", debits, credits, accepted)
			}
		})
		if !more {
			return false
		}
	}
	return true
}

func power(base, exponent int) int {
	n := 1
	for range exponent {
		n *= base
	}
	return n
}

// posting is balanced: each leg has as many fen as the other side has legs.
func posting(debits, credits []book.Class) *moneyv1.Posting {
	p := &moneyv1.Posting{Id: "p"}
	for _, class := range debits {
		p.Legs = append(p.Legs, &moneyv1.Leg{Account: string(class), Fen: int64(len(credits))})
	}
	for _, class := range credits {
		p.Legs = append(p.Legs, &moneyv1.Leg{Account: string(class), Fen: -int64(len(debits))})
	}
	return p
}

func mixed(classes []book.Class) bool {
	fee := func(c book.Class) bool { return slices.Contains(accounts.FeeClasses(), c) }
	paid := func(c book.Class) bool { return slices.Contains(accounts.CommissionClasses(), c) }
	return slices.ContainsFunc(classes, fee) && slices.ContainsFunc(classes, paid)
}

func leads(table book.Table, debits, credits []book.Class) bool {
	for _, from := range debits {
		for _, to := range credits {
			if !slices.Contains(table[from].To, to) {
				return false
			}
		}
	}
	return len(debits) > 0 && len(credits) > 0
}

func everyChart(try func(func(*proof.Trial)) bool) bool {
	classes := append(slices.Sorted(maps.Keys(accounts.Table())), "recruitment_bonus")
	type rule struct{ from, to book.Class }
	var rules []rule
	for _, from := range classes {
		for _, to := range classes {
			rules = append(rules, rule{from, to})
		}
	}
	for i := range rules {
		for _, second := range rules[i:] {
			more := try(func(t *proof.Trial) {
				table := accounts.Table()
				link(table, rules[i].from, rules[i].to)
				link(table, second.from, second.to)
				refused := errors.Is(accounts.Check(table), accounts.ErrFeePaysCommission)
				if unlawful := feeMeetsCommission(table, classes); refused != unlawful {
					t.Fatalf("with %v and %v: refused is %t, against the law is %t", rules[i], second, refused, unlawful)
				}
			})
			if !more {
				return false
			}
		}
	}
	return true
}

// feeMeetsCommission closes the chart over all chains, by Warshall's algorithm.
func feeMeetsCommission(table book.Table, classes []book.Class) bool {
	reach := map[[2]book.Class]bool{}
	for from, rule := range table {
		for _, to := range rule.To {
			reach[[2]book.Class{from, to}] = true
		}
	}
	for _, via := range classes {
		for _, from := range classes {
			for _, to := range classes {
				if reach[[2]book.Class{from, via}] && reach[[2]book.Class{via, to}] {
					reach[[2]book.Class{from, to}] = true
				}
			}
		}
	}
	for pair := range reach {
		if mixed(pair[:]) {
			return true
		}
	}
	return false
}
