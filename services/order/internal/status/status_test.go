package status

import (
	"testing"

	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
	"github.com/qingcang/qingcang/services/order/internal/payment"
)

func TestSettles(t *testing.T) {
	drained := func() *campaignv1.Status {
		return &campaignv1.Status{Phase: campaignv1.Status_PHASE_DRAINED, Units: 3, SoldUnits: 3}
	}
	over := payment.Counts{Paid: 2, Final: 2, PaidUnits: 3}
	cases := map[string]struct {
		change func(s *campaignv1.Status, c *payment.Counts)
		want   bool
	}{
		"all is over": {func(*campaignv1.Status, *payment.Counts) {}, true},
		"nothing was ever sold": {func(s *campaignv1.Status, c *payment.Counts) {
			s.SoldUnits, *c = 0, payment.Counts{}
		}, true},
		"it still sells": {func(s *campaignv1.Status, _ *payment.Counts) {
			s.Phase = campaignv1.Status_PHASE_OPEN
		}, false},
		"holds may still be paid": {func(s *campaignv1.Status, _ *payment.Counts) {
			s.Phase = campaignv1.Status_PHASE_DRAINING
		}, false},
		"a sale is not paid here yet":  {func(_ *campaignv1.Status, c *payment.Counts) { c.PaidUnits = 2 }, false},
		"an order may still come back": {func(_ *campaignv1.Status, c *payment.Counts) { c.Final = 1 }, false},
		"a refund is on its way":       {func(_ *campaignv1.Status, c *payment.Counts) { c.Open = 1 }, false},
		"it is settled already": {func(s *campaignv1.Status, _ *payment.Counts) {
			s.Phase = campaignv1.Status_PHASE_SETTLED
		}, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s, counts := drained(), over
			c.change(s, &counts)
			if got := Settles(s, counts); got != c.want {
				t.Fatalf("got %v, want %v", got, c.want)
			}
		})
	}
}
