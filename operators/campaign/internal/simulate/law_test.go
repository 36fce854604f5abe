package simulate_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
	"github.com/qingcang/qingcang/operators/campaign/internal/simulate"
	"github.com/qingcang/qingcang/operators/campaign/internal/teststack"
)

func reward(r v1alpha1.Reward) func(*v1alpha1.OwnerProgramSpec) {
	return func(s *v1alpha1.OwnerProgramSpec) { s.Rewards = []v1alpha1.Reward{r} }
}

func feeGrants(g ...v1alpha1.FeeGrant) func(*v1alpha1.OwnerProgramSpec) {
	return func(s *v1alpha1.OwnerProgramSpec) { s.FeeGrants = g }
}

func qualifyBy(q ...v1alpha1.Qualification) func(*v1alpha1.OwnerProgramSpec) {
	return func(s *v1alpha1.OwnerProgramSpec) { s.Ranks[1].QualifyBy = q }
}

// What is found here without a cluster, admission refuses by the same name: each is a check on the other.
func TestEachBreachIsNamedAsAdmissionNamesIt(t *testing.T) {
	stack := teststack.New(t)
	for name, tc := range map[string]struct {
		change func(*v1alpha1.OwnerProgramSpec)
		want   simulate.Rule // empty for none
	}{
		"90 recruits for ¥500 a month": {reward(v1alpha1.Reward{For: v1alpha1.ForRecruit, Count: 90, PayFen: 50_000, Every: "Month"}), simulate.NoPayForRecruiting},
		"a part of the ¥398":           {reward(v1alpha1.Reward{For: v1alpha1.ForFee, RateBps: 2_000}), simulate.NoPayFromFee},
		"a part of the team's sales":   {reward(v1alpha1.Reward{For: v1alpha1.ForTeamSales, RateBps: 200}), simulate.NoUplinePay},
		"the right to recruit":         {feeGrants(v1alpha1.FeeGrantsBenefits, v1alpha1.FeeGrantsRightToRecruit), simulate.NoEntryFee},
		"a rank that is bought":        {feeGrants(v1alpha1.FeeGrantsRank), simulate.NoEntryFee},
		"a rank by head-count":         {qualifyBy(v1alpha1.ByOwnSales, v1alpha1.ByHeadCount), simulate.NoHeadCountRank},
		"a rank by the team's sales":   {qualifyBy(v1alpha1.ByTeamSales), simulate.NoTeamSalesRank},
		"three levels":                 {func(s *v1alpha1.OwnerProgramSpec) { signed(s); s.Depth = 3 }, simulate.NoUplinePay},
		"two levels without a consent": {func(s *v1alpha1.OwnerProgramSpec) { signed(s); s.SignOff = nil }, simulate.DepthNeedsSignOff},
		"a second level at depth 1":    {func(s *v1alpha1.OwnerProgramSpec) { signed(s); s.Depth = 1 }, simulate.NoUplinePay},
		"a fee that is kept after six days": {func(s *v1alpha1.OwnerProgramSpec) {
			s.FeeReturnWindow = metav1.Duration{Duration: 144 * time.Hour}
		}, simulate.FeeIsRefundable},
		"goods that are kept after six days": {func(s *v1alpha1.OwnerProgramSpec) {
			s.ReturnWindow = metav1.Duration{Duration: 144 * time.Hour}
		}, simulate.SevenDayReturn},
		"one level":                  {nil, ""},
		"two levels with a consent":  {signed, ""},
		"ranks by sales and service": {qualifyBy(v1alpha1.ByOwnSales, v1alpha1.ByService), ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := program(t, tc.change)
			breaches := simulate.Breaches(p)
			p.Namespace = stack.Namespace
			refusal := stack.Client.Create(t.Context(), p, client.DryRunAll)
			if tc.want == "" {
				if len(breaches) > 0 || refusal != nil {
					t.Errorf("breaches %v, refusal %v, want none", breaches, refusal)
				}
				return
			}
			if !slices.ContainsFunc(breaches, func(b simulate.Breach) bool { return b.Rule == tc.want && b.Field != "" && b.Say != "" }) {
				t.Errorf("breaches are %v, want %s", breaches, tc.want)
			}
			if refusal == nil || !strings.Contains(refusal.Error(), string(tc.want)) {
				t.Errorf("admission says %v, want %s", refusal, tc.want)
			}
		})
	}
}

func TestAConsentThatIsNone(t *testing.T) {
	for name, change := range map[string]func(*v1alpha1.SignOff){
		"by nobody":              func(s *v1alpha1.SignOff) { s.By = "" },
		"not filed":              func(s *v1alpha1.SignOff) { s.Reference = "" },
		"on no day":              func(s *v1alpha1.SignOff) { s.Date = "2026-02-30" },
		"before there was a law": func(s *v1alpha1.SignOff) { s.Date = "2005-10-31" },
		"to no document":         func(s *v1alpha1.SignOff) { s.DocumentSHA256 = "none" },
	} {
		t.Run(name, func(t *testing.T) {
			breaches := simulate.Breaches(program(t, func(s *v1alpha1.OwnerProgramSpec) { signed(s); change(s.SignOff) }))
			if len(breaches) != 1 || breaches[0].Rule != simulate.DepthNeedsSignOff {
				t.Errorf("breaches are %v, want %s", breaches, simulate.DepthNeedsSignOff)
			}
		})
	}
}
