package simulate_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
)

// drawProgram draws a programme as admission lets it through: of one commission no more is paid than it is.
func drawProgram(t *rapid.T, outer testing.TB) *v1alpha1.OwnerProgram {
	return program(outer, func(s *v1alpha1.OwnerProgramSpec) {
		signed(s)
		s.Ranks = nil
		for range rapid.IntRange(1, 4).Draw(t, "ranks") {
			own := rapid.Int32Range(0, 10_000).Draw(t, "rateBps")
			s.Ranks = append(s.Ranks, v1alpha1.Rank{
				Name: "rank", RateBps: own, SecondLevelBps: rapid.Int32Range(0, min(5_000, 10_000-own)).Draw(t, "secondLevelBps"),
			})
		}
	})
}

// drawCampaign draws a campaign as admission lets it through: each price covers settlement and commission.
func drawCampaign(t *rapid.T) *v1alpha1.Campaign {
	c := campaign("drawn", "2026-11-24", "2026-11-25")
	c.Spec.CommissionBps = rapid.Int32Range(0, 10_000).Draw(t, "commissionBps")
	for range rapid.IntRange(1, 5).Draw(t, "items") {
		price := rapid.Int64Range(1, 100_000_000).Draw(t, "priceFen")
		most := price * int64(10_000-c.Spec.CommissionBps) / 10_000
		c.Spec.Items = append(c.Spec.Items, item("any", price,
			rapid.Int64Range(0, most).Draw(t, "settlementFen"), rapid.Int64Range(0, 1_000_000).Draw(t, "units")))
	}
	return c
}

func TestOwnersNeverGetMoreThanPriceLessSettlement(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		p, c := drawProgram(r, t), drawCampaign(r)
		result := run(t, p, c)
		if result.CanLose {
			r.Fatal("the platform can lose on a campaign that admission takes")
		}
		out := result.Campaigns[0]
		for i, got := range out.Items {
			of := c.Spec.Items[i]
			for _, o := range append(got.At, got.Worst) {
				if o.PayoutFen() > (of.PriceFen-of.SettlementFen)*of.Units {
					r.Fatalf("%+v of %+v", o, of)
				}
				if o.BrandFen+o.OwnerFen+o.SecondFen+o.PlatformFen != of.PriceFen*of.Units || o.GrossFen != of.PriceFen*of.Units {
					r.Fatalf("the parts of %+v do not add up to %d", o, of.PriceFen*of.Units)
				}
				if min(o.BrandFen, o.OwnerFen, o.SecondFen, o.PlatformFen) < 0 {
					r.Fatalf("%+v has a part under 0", o)
				}
			}
		}
		for _, o := range out.At {
			if o.PayoutFen() > out.WorstPayoutFen {
				r.Fatalf("rank %s pays %d, more than the worst, %d", o.Rank, o.PayoutFen(), out.WorstPayoutFen)
			}
		}
	})
}

// However the units are split into orders, and whoever sells them, owners get no more than the bound.
func TestNoSplitIntoOrdersPaysMore(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		p, c := drawProgram(r, t), drawCampaign(r)
		bound := run(t, p, c).Campaigns[0].WorstPayoutFen
		var paid int64
		for _, of := range c.Spec.Items {
			for left := of.Units; left > 0; {
				units := rapid.Int64Range(1, left).Draw(r, "units of an order")
				rank := p.Spec.Ranks[rapid.IntRange(0, len(p.Spec.Ranks)-1).Draw(r, "rank of its seller")]
				commission := of.PriceFen * units * int64(c.Spec.CommissionBps) / 10_000
				paid += commission * int64(rank.RateBps) / 10_000
				paid += commission * int64(rank.SecondLevelBps) / 10_000
				left -= units
			}
		}
		if paid > bound {
			r.Fatalf("owners got %d, the bound is %d", paid, bound)
		}
	})
}
