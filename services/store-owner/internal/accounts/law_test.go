package accounts_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/qingcang/qingcang/services/internal/book"
	"github.com/qingcang/qingcang/services/store-owner/internal/accounts"
)

func TestNoClassOfTheFeeReachesAnyClassOfTheCommission(t *testing.T) {
	table := accounts.Table()
	for _, fee := range accounts.FeeClasses() {
		for _, commission := range accounts.CommissionClasses() {
			if table.Reachable(fee, commission) {
				t.Errorf("money can get from %s to %s", fee, commission)
			}
			if table.Reachable(commission, fee) {
				t.Errorf("money can get from %s to %s", commission, fee)
			}
		}
	}
	if err := accounts.Check(table); err != nil {
		t.Error(err)
	}
}

// Whoever adds a class has to say here which side it is on.
func TestEachClassIsOnOneSide(t *testing.T) {
	fee, commission := accounts.FeeClasses(), accounts.CommissionClasses()
	if want := []book.Class{"membership_revenue", "payment_in_transit", "provider_cash", "refund_in_transit"}; !slices.Equal(fee, want) {
		t.Errorf("the fee's classes are %v, want %v", fee, want)
	}
	if want := []book.Class{"commission_available", "commission_due", "commission_pending"}; !slices.Equal(commission, want) {
		t.Errorf("the commission's classes are %v, want %v", commission, want)
	}
	if got, want := len(accounts.Table()), len(fee)+len(commission); got != want {
		t.Errorf("the table has %d classes, want %d: one is on both sides", got, want)
	}
	for class := range accounts.Table() {
		if strings.HasPrefix(string(class), "commission") != slices.Contains(commission, class) {
			t.Errorf("%s is on the wrong side", class)
		}
	}
}

func TestAPlantedRuleBetweenFeeAndCommissionIsCaught(t *testing.T) {
	for _, fee := range accounts.FeeClasses() {
		for _, commission := range accounts.CommissionClasses() {
			plants := map[string]func(book.Table){
				"a rule that leads there": func(table book.Table) { link(table, fee, commission) },
				"a rule that leads back":  func(table book.Table) { link(table, commission, fee) },
				"a class in between": func(table book.Table) {
					table["recruitment_bonus"] = book.Rule{Nature: book.Clearing, To: []book.Class{commission}}
					link(table, fee, "recruitment_bonus")
				},
			}
			for name, plant := range plants {
				t.Run(string(fee)+" and "+string(commission)+": "+name+" is refused", func(t *testing.T) {
					table := accounts.Table()
					plant(table)
					if err := accounts.Check(table); !errors.Is(err, accounts.ErrFeePaysCommission) {
						t.Fatalf("got %v, want the fault that names article 7", err)
					}
				})
			}
		}
	}
}

// link lets money go from one class to another; the table's own slices stay as they are.
func link(table book.Table, from, to book.Class) {
	rule := table[from]
	rule.To = append(slices.Clone(rule.To), to)
	table[from] = rule
}
