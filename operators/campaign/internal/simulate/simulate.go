package simulate

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
)

// Result is what a programme can cost at most.
type Result struct {
	Program string `json:"program"`
	// Depth is what was reckoned with: no programme pays more than two levels.
	Depth int `json:"depth"`
	// Breaches are rules of law that the programme breaks. What they would pay is in no figure, because
	// it can never be paid.
	Breaches  []Breach          `json:"breaches"`
	Campaigns []CampaignOutcome `json:"campaigns"`
	Months    []Month           `json:"months"`
	// CanLose tells that the platform's part of some item can be under 0.
	CanLose bool `json:"canLose"`
}

// Run reckons a programme over campaigns. Its error names everything that cannot be reckoned with.
func Run(p *v1alpha1.OwnerProgram, campaigns []*v1alpha1.Campaign) (Result, error) {
	ranks, err := ranksOf(p)
	faults := []error{err}
	var terms []Campaign
	for _, c := range campaigns {
		t, err := campaignOf(c)
		faults = append(faults, err)
		terms = append(terms, t)
	}
	if err := cmp.Or(errors.Join(faults...), summable(terms)); err != nil {
		return Result{}, err
	}
	out := Result{
		Program: p.Name, Depth: min(int(depthOf(p.Spec)), deepest), Breaches: Breaches(p), Campaigns: []CampaignOutcome{},
	}
	for _, c := range terms {
		o := over(c, ranks, out.Depth)
		out.Campaigns = append(out.Campaigns, o)
		out.CanLose = out.CanLose || len(o.Losing) > 0
	}
	out.Months, err = months(terms, out.Campaigns)
	return out, err
}

// depthOf is the programme's depth; left out it is 1.
func depthOf(spec v1alpha1.OwnerProgramSpec) int32 { return max(1, spec.Depth) }

func at(list string, i int) string { return fmt.Sprintf("%s[%d]", list, i) }
