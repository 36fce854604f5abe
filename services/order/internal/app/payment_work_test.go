package app

import (
	"fmt"
	"testing"
	"time"

	"github.com/qingcang/qingcang/services/order/internal/payment"
)

func TestWorkIsAdmitted(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	some := func(task payment.Task, n int) (due []payment.Work) {
		for i := range n {
			due = append(due, payment.Work{Task: task, Order: &payment.Order{ID: fmt.Sprint(i)}})
		}
		return due
	}
	for name, c := range map[string]struct {
		before, due []payment.Work
		want        int
	}{
		"as much as there is room for":                               {due: some(payment.Ask, 20), want: workAtOnce},
		"what is under way takes its room":                           {before: some(payment.Ask, 5), due: some(payment.End, 20), want: workAtOnce - 5},
		"what is under way is not begun again":                       {before: some(payment.Ask, 3), due: some(payment.Ask, 3)},
		"a provider that hangs does not hold up what lanes are told": {before: some(payment.GiveBack, 20), due: some(payment.Pay, 3), want: 3},
	} {
		t.Run(name, func(t *testing.T) {
			w := &worker{}
			w.admit(c.before, now)
			if got := w.admit(c.due, now); len(got) != c.want {
				t.Errorf("%d are admitted, want %d", len(got), c.want)
			}
		})
	}
}
