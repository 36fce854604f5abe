package simulate_test

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
	"github.com/qingcang/qingcang/operators/campaign/internal/simulate"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestWhatAProgrammeCostsToTheFen(t *testing.T) {
	// 3 units of ¥59.99 with 10%: 1,799 fen of commission (of 1,799.7), of which 66.67% are 1,199.
	result := run(t, program(t, signed), campaign("coats", "2026-11-24", "2026-11-25", item("C1", 5_999, 4_000, 3)))
	var got []simulate.Split
	for _, o := range result.Campaigns[0].At {
		got = append(got, o.Split)
	}
	want := []simulate.Split{
		{GrossFen: 17_997, BrandFen: 12_000, OwnerFen: 1_199, PlatformFen: 4_798},
		{GrossFen: 17_997, BrandFen: 12_000, OwnerFen: 1_199, SecondFen: 359, PlatformFen: 4_439},
		{GrossFen: 17_997, BrandFen: 12_000, OwnerFen: 1_799, PlatformFen: 4_198},
		{GrossFen: 17_997, BrandFen: 12_000, OwnerFen: 1_799, PlatformFen: 4_198},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("member alone, member and who brought him, mentor alone, mentor at depth 2: -want +got\n%s", diff)
	}
	if worst := result.Campaigns[0].WorstPayoutFen; worst != 1_799 {
		t.Errorf("at most %d fen, want 1799", worst)
	}
}

func TestAMonthIsWhatCouldBeSoldInIt(t *testing.T) {
	coats := item("C1", 10_000, 5_000, 10) // ¥1,000 sold, ¥100 to owners
	result := run(t, program(t, nil),
		campaign("early", "2026-11-02", "2026-11-03", coats),
		campaign("turn", "2026-11-30", "2026-12-01", coats),
		campaign("late", "2026-12-24", "2026-12-25", coats))
	got := map[string]int64{}
	for _, m := range result.Months {
		got[m.Month] = m.WorstPayoutFen
	}
	if diff := cmp.Diff(map[string]int64{"2026-11": 20_000, "2026-12": 20_000}, got); diff != "" {
		t.Errorf("owners' fen by month: -want +got\n%s", diff)
	}
}

func TestALossIsNamed(t *testing.T) {
	result := run(t, program(t, nil), campaign("coats", "2026-11-24", "2026-11-25",
		item("good", 10_000, 9_000, 5), item("bad", 10_000, 9_001, 5), item("bad when there is some", 10_000, 9_500, 0),
		item("bad when there are ten", 99, 90, 1)))
	if !result.CanLose {
		t.Error("it says that nothing can be lost")
	}
	if want := []string{"bad", "bad when there is some", "bad when there are ten"}; !slices.Equal(result.Campaigns[0].Losing, want) {
		t.Errorf("losing are %q, want %q", result.Campaigns[0].Losing, want)
	}
}

func TestWhatCannotBeReckonedWithIsNamed(t *testing.T) {
	good := campaign("coats", "2026-11-24", "2026-11-25", item("C1", 10_000, 5_000, 10))
	with := func(change func(*v1alpha1.CampaignSpec)) *v1alpha1.Campaign {
		c := good.DeepCopy()
		change(&c.Spec)
		return c
	}
	for name, tc := range map[string]struct {
		program  *v1alpha1.OwnerProgram
		campaign *v1alpha1.Campaign
		want     []string
	}{
		"a price that would overflow": {program(t, nil), with(func(s *v1alpha1.CampaignSpec) { s.Items[0].PriceFen = 1 << 62 }), []string{"priceFen of item C1"}},
		"a negative unit":             {program(t, nil), with(func(s *v1alpha1.CampaignSpec) { s.Items[0].Units = -1 }), []string{"units of item C1 is -1"}},
		"a commission over the whole": {program(t, nil), with(func(s *v1alpha1.CampaignSpec) { s.CommissionBps = 10_001 }), []string{"commissionBps is 10001"}},
		"a selector without a result": {program(t, nil), with(func(s *v1alpha1.CampaignSpec) { s.Items, s.Selector = nil, &v1alpha1.Selector{} }), []string{"--campaign"}},
		"a time that is none":         {program(t, nil), with(func(s *v1alpha1.CampaignSpec) { s.EndAt = "tomorrow" }), []string{"endAt"}},
		"a bonus on own sales":        {program(t, reward(v1alpha1.Reward{For: v1alpha1.ForSale, RateBps: 500})), good, []string{"rewards[0] is for own sales"}},
		"two parts over the whole":    {program(t, func(s *v1alpha1.OwnerProgramSpec) { signed(s); s.Ranks[0].SecondLevelBps = 3_334 }), good, []string{"together of rank member is 10001"}},
		"a second level over half":    {program(t, func(s *v1alpha1.OwnerProgramSpec) { signed(s); s.Ranks[0].SecondLevelBps = 5_001 }), good, []string{"secondLevelBps of rank member is 5001"}},
		"a reward for nobody knows":   {program(t, reward(v1alpha1.Reward{For: "Luck"})), good, []string{`rewards[0].for is "Luck"`}},
		"everything at once": {program(t, func(s *v1alpha1.OwnerProgramSpec) { s.Ranks[0].RateBps = -1 }),
			with(func(s *v1alpha1.CampaignSpec) { s.Items[0].Units, s.Items[0].PriceFen = -1, 0 }), []string{"rateBps of rank member", "units of item C1", "priceFen of item C1"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := simulate.Run(tc.program, []*v1alpha1.Campaign{tc.campaign})
			if err == nil {
				t.Fatal("it was reckoned with")
			}
			for _, want := range tc.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%v does not say %q", err, want)
				}
			}
		})
	}
}

func TestSumsThatAreNoNumberAreRefused(t *testing.T) {
	items := make([]v1alpha1.Item, 1_000)
	for i := range items {
		items[i] = item("dearest", 100_000_000, 100_000_000, 1_000_000)
	}
	worst := campaign("coats", "2026-11-24", "2026-11-25", items...)
	worst.Spec.CommissionBps = 10_000
	p := program(t, signed)
	most := slices.Repeat([]*v1alpha1.Campaign{worst}, 20) // ¥10^15 each
	if got := run(t, p, most...).Months[0]; got.WorstPayoutFen != 2e18 || got.Worst.PlatformFen != -2e18 {
		t.Errorf("got %+v, want ¥2×10^16 for owners and as much lost", got)
	}
	if _, err := simulate.Run(p, append(most, worst)); err == nil || !strings.Contains(err.Error(), "give fewer campaigns") {
		t.Errorf("one more: %v", err)
	}
}

func TestThePage(t *testing.T) {
	coats := campaign("coats", "2026-11-30", "2026-12-01", item("6902000000011", 6_000, 4_500, 10_000), item("6902000000028", 5_999, 5_900, 3))
	for name, p := range map[string]*v1alpha1.OwnerProgram{
		"of a lawful programme": program(t, signed),
		"of a forbidden ladder": program(t, func(s *v1alpha1.OwnerProgramSpec) {
			s.Rewards = []v1alpha1.Reward{{For: v1alpha1.ForRecruit, Count: 90, PayFen: 50_000}}
		}),
	} {
		t.Run(name, func(t *testing.T) {
			var page strings.Builder
			if err := run(t, p, coats).Print(&page, true); err != nil {
				t.Fatal(err)
			}
			golden(t, page.String())
		})
	}
}

func run(t testing.TB, p *v1alpha1.OwnerProgram, campaigns ...*v1alpha1.Campaign) simulate.Result {
	t.Helper()
	result, err := simulate.Run(p, campaigns)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func golden(t *testing.T, got string) {
	t.Helper()
	path := filepath.Join("testdata", t.Name()+".golden")
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("-want +got (go test -update writes what is got)\n%s", diff)
	}
}
