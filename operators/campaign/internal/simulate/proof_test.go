package simulate_test

import (
	"cmp"
	"context"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
	"github.com/qingcang/qingcang/operators/campaign/internal/proof"
	"github.com/qingcang/qingcang/operators/campaign/internal/simulate"
	"github.com/qingcang/qingcang/operators/campaign/internal/teststack"
)

// TestProofNoProgrammeBreaksTheLaw is row S6 for programmes. A trial is a programme of random fee, rates and
// depth that breaks some rules, or none. An API server with the committed CRD refuses it by the names of just the rules that it
// breaks, and takes it if it breaks none; simulate, apart from that, names the same. Whether it was
// refused or not, what is reckoned for owners has no fen of the fee, and no third owner.
func TestProofNoProgrammeBreaksTheLaw(t *testing.T) {
	stack := teststack.New(t)
	kind := admission(t, stack)
	proof.Random(t, "S6", proof.Trials{CI: 500, Full: 10_000}, 4, func(t *proof.Trial) {
		p, broken := drawUnlawful(t)
		wantNamed(t, "simulate", named(simulate.Breaches(p)), broken)
		switch err := try(t.Context(), stack, kind, p); {
		case err == nil:
			wantNamed(t, "the API server", nil, broken)
		case apierrors.IsInvalid(err):
			wantNamed(t, "the API server", namedIn(err.Error()), broken)
		default:
			t.Fatalf("the API server cannot be asked: %v", err)
		}
		wantNoFeeAndNoThird(t, p)
	})
}

// try asks the API server for a programme, as a kind.
func try(ctx context.Context, stack *teststack.Stack, kind schema.GroupVersionKind, p *v1alpha1.OwnerProgram) error {
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(p)
	if err != nil {
		return err
	}
	object := &unstructured.Unstructured{Object: fields}
	object.SetGroupVersionKind(kind)
	object.SetNamespace(stack.Namespace)
	return stack.Client.Create(ctx, object, client.DryRunAll)
}

// unlawful are what a programme can have of the ladders that the law forbids, but for its depth.
var unlawful = []struct {
	rule simulate.Rule
	put  func(*proof.Trial, *v1alpha1.OwnerProgramSpec)
}{
	{simulate.NoPayForRecruiting, func(t *proof.Trial, s *v1alpha1.OwnerProgramSpec) {
		s.Rewards = append(s.Rewards, v1alpha1.Reward{For: v1alpha1.ForRecruit, Count: t.Int64N(100), PayFen: t.Int64N(100_000), Every: "Month"})
	}},
	{simulate.NoPayFromFee, func(t *proof.Trial, s *v1alpha1.OwnerProgramSpec) {
		s.Rewards = append(s.Rewards, v1alpha1.Reward{For: v1alpha1.ForFee, RateBps: t.Int32N(10_001), PayFen: t.Int64N(100_000)})
	}},
	{simulate.NoUplinePay, func(t *proof.Trial, s *v1alpha1.OwnerProgramSpec) {
		s.Rewards = append(s.Rewards, v1alpha1.Reward{For: v1alpha1.ForTeamSales, RateBps: t.Int32N(10_001)})
	}},
	{simulate.NoEntryFee, func(t *proof.Trial, s *v1alpha1.OwnerProgramSpec) {
		s.FeeGrants = append(s.FeeGrants, []v1alpha1.FeeGrant{v1alpha1.FeeGrantsRank, v1alpha1.FeeGrantsRightToRecruit}[t.IntN(2)])
		if t.IntN(2) == 0 {
			s.FeeGrants = append(s.FeeGrants, v1alpha1.FeeGrantsBenefits)
		}
	}},
	{simulate.NoHeadCountRank, func(_ *proof.Trial, s *v1alpha1.OwnerProgramSpec) {
		s.Ranks[1].QualifyBy = append(s.Ranks[1].QualifyBy, v1alpha1.ByHeadCount)
	}},
	{simulate.NoTeamSalesRank, func(_ *proof.Trial, s *v1alpha1.OwnerProgramSpec) {
		s.Ranks[1].QualifyBy = append(s.Ranks[1].QualifyBy, v1alpha1.ByTeamSales)
	}},
	{simulate.FeeIsRefundable, func(t *proof.Trial, s *v1alpha1.OwnerProgramSpec) { s.FeeReturnWindow = underAWeek(t) }},
	{simulate.SevenDayReturn, func(t *proof.Trial, s *v1alpha1.OwnerProgramSpec) { s.ReturnWindow = underAWeek(t) }},
}

func underAWeek(t *proof.Trial) metav1.Duration {
	return metav1.Duration{Duration: time.Second * time.Duration(1+t.IntN(7*24*60*60-1))}
}

// rules are all that a programme can break.
var rules = []simulate.Rule{
	simulate.NoPayForRecruiting, simulate.NoHeadCountRank, simulate.NoEntryFee, simulate.NoPayFromFee,
	simulate.FeeIsRefundable, simulate.SevenDayReturn, simulate.NoUplinePay, simulate.NoTeamSalesRank, simulate.DepthNeedsSignOff,
}

// drawUnlawful draws a programme and the rules that it breaks.
func drawUnlawful(t *proof.Trial) (p *v1alpha1.OwnerProgram, broken []simulate.Rule) {
	p = program(t, func(s *v1alpha1.OwnerProgramSpec) {
		s.FeeFen = t.Int64N(1_000_001)
		s.Ranks[0].RateBps = t.Int32N(8_001)
		s.Ranks[1].RateBps = s.Ranks[0].RateBps + t.Int32N(10_001-s.Ranks[0].RateBps)
		s.Ranks[1].QualifyBy = []v1alpha1.Qualification{v1alpha1.ByOwnSales, v1alpha1.ByService}
		for _, u := range unlawful {
			if t.IntN(10) == 0 {
				u.put(t, s)
				broken = append(broken, u.rule)
			}
		}
		broken = append(broken, drawDepth(t, s)...)
	})
	return p, broken
}

// drawDepth gives a programme as many levels as the law allows, or more.
func drawDepth(t *proof.Trial, s *v1alpha1.OwnerProgramSpec) (broken []simulate.Rule) {
	switch t.IntN(6) {
	case 0: // a second level without a depth
		s.Ranks[0].SecondLevelBps = 1 + t.Int32N(2_000)
		return []simulate.Rule{simulate.NoUplinePay}
	case 1:
		signed(s)
		s.SignOff = nil
		return []simulate.Rule{simulate.DepthNeedsSignOff}
	case 2:
		if s.Depth = 3 + t.Int32N(3); t.IntN(2) == 0 {
			depth := s.Depth
			signed(s)
			s.Depth = depth
		}
		return []simulate.Rule{simulate.NoUplinePay}
	case 3:
		signed(s)
	}
	return nil
}

// named are the rules of breaches.
func named(breaches []simulate.Breach) (all []simulate.Rule) {
	for _, b := range breaches {
		all = append(all, b.Rule)
	}
	return all
}

// namedIn are the rules that a refusal quotes.
func namedIn(refusal string) []simulate.Rule {
	return slices.DeleteFunc(slices.Clone(rules), func(r simulate.Rule) bool { return !strings.Contains(refusal, string(r)) })
}

func wantNamed(t *proof.Trial, who string, got, want []simulate.Rule) {
	got, want = slices.Compact(slices.Sorted(slices.Values(got))), slices.Compact(slices.Sorted(slices.Values(want)))
	if !slices.Equal(got, want) {
		t.Fatalf("%s names %v of a programme that breaks %v", who, got, want)
	}
}

// wantNoFeeAndNoThird reckons a programme at two fees: what owners get is the same, and two of them share a sale at most.
func wantNoFeeAndNoThird(t *proof.Trial, p *v1alpha1.OwnerProgram) {
	sale := campaign("sale", "2026-11-24", "2026-11-25", item("C1", 1+t.Int64N(100_000), 0, t.Int64N(1_000)))
	result := run(t, p, sale)
	dearer := p.DeepCopy()
	dearer.Spec.FeeFen += 1 + t.Int64N(1_000_000)
	other := run(t, dearer, sale)
	if !reflect.DeepEqual(result.Campaigns, other.Campaigns) || !reflect.DeepEqual(result.Months, other.Months) {
		t.Fatalf("a fee of %d and one of %d pay owners differently", p.Spec.FeeFen, dearer.Spec.FeeFen)
	}
	deepest := slices.MaxFunc(result.Campaigns[0].At, func(a, b simulate.Outcome) int { return cmp.Compare(a.Depth, b.Depth) })
	if deepest.Depth > 2 || result.Depth > 2 {
		t.Fatalf("%d owners share a sale", deepest.Depth)
	}
}
