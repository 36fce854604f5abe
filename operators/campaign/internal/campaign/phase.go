package campaign

import (
	"slices"
	"time"

	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
)

// phases in their order.
var phases = []v1alpha1.Phase{
	v1alpha1.PhasePreview, v1alpha1.PhaseWarming, v1alpha1.PhaseLive,
	v1alpha1.PhaseDraining, v1alpha1.PhaseAfterSale, v1alpha1.PhaseSettled,
}

// Phases are the names of all, in their order.
func Phases() []string {
	names := make([]string, 0, len(phases))
	for _, p := range phases {
		names = append(names, string(p))
	}
	return names
}

// lanePhases are the phases that only the lane can bring about.
var lanePhases = map[campaignv1.Status_Phase]v1alpha1.Phase{
	campaignv1.Status_PHASE_OPEN:     v1alpha1.PhaseLive,
	campaignv1.Status_PHASE_DRAINING: v1alpha1.PhaseDraining,
	campaignv1.Status_PHASE_DRAINED:  v1alpha1.PhaseAfterSale,
	campaignv1.Status_PHASE_SETTLED:  v1alpha1.PhaseSettled,
}

// phase is how far the campaign has gone. Before the lane opens it, the clock and the stock decide;
// a start that is moved away brings Preview back. From Live on it follows the lane, forward only: an
// order service that begins to read its lane anew does not reopen a sale in anybody's list.
func (f facts) phase() v1alpha1.Phase {
	was := f.campaign.Status.Phase
	now, decided := lanePhases[f.lane.GetPhase()]
	if !decided {
		now = v1alpha1.PhasePreview
		if f.stocked() && f.warm() {
			now = v1alpha1.PhaseWarming
		}
	}
	if rank(was) >= rank(v1alpha1.PhaseLive) && rank(was) > rank(now) {
		return was
	}
	return now
}

func rank(p v1alpha1.Phase) int { return slices.Index(phases, p) }

// warm tells whether the start is near or over.
func (f facts) warm() bool { return !f.times.Start.IsZero() && !f.now.Before(f.warmAt()) }

// warmAt is zero where the start cannot be read.
func (f facts) warmAt() time.Time {
	if f.times.Start.IsZero() {
		return time.Time{}
	}
	return f.times.Start.Add(-WarmUp)
}

// stocked tells whether some generation of the campaign was given its stock.
func (f facts) stocked() bool {
	return f.lane.GetUnits() > 0 || f.lane.GetAllocation().GetState() == campaignv1.Allocation_STATE_ALLOCATED
}
