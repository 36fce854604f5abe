package campaign

import (
	"fmt"
	"regexp"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
)

// verdict is what a rule says of a condition.
type verdict struct {
	status  metav1.ConditionStatus
	reason  string
	message string
}

func yes(reason, message string) verdict { return verdict{metav1.ConditionTrue, reason, message} }
func no(reason, message string) verdict  { return verdict{metav1.ConditionFalse, reason, message} }
func pending(message string) verdict {
	return verdict{metav1.ConditionUnknown, v1alpha1.ReasonPending, message}
}

// refuse says why the operator itself does not publish this spec, nil when it does. What runs already
// goes on as it was published, but for what stops it.
func (f facts) refuse(s Snapshot, promised *campaignv1.Desired, unreadable error) *verdict {
	window := s.Campaign.Spec.ReturnWindow
	least, asker := s.leastWindow()
	falls := f.refuseBroken(promised)
	var v verdict
	switch {
	case s.final():
		v = no(v1alpha1.ReasonEnded, "the end of this campaign was published before and is final: delete it and make another")
	case unreadable != nil:
		v = no(v1alpha1.ReasonTimeUnreadable, bounded(unreadable.Error())+": write the times with their offsets, or correct timeZone")
	case window.Duration.Duration < least:
		v = no(v1alpha1.ReasonWindowTooShort, fmt.Sprintf(
			"returnWindow.duration is %s, at least %s is needed%s: make it longer", window.Duration.Duration, least, asker))
	case f.want.GetReturnWindow().GetFrom() == campaignv1.ReturnWindow_FROM_SIGNING && least >= LegalReturnWindow:
		v = no(v1alpha1.ReasonWindowTooShort,
			"a return window that begins at Signing may end before the seventh day: set returnWindow.from to NextMidnight")
	case falls != nil:
		return falls
	case f.selection != nil:
		v = pending("the goods are not selected yet")
	case dedicated(s.Campaign) && s.Settings.Children.OrderDeployment == "" && s.Published == nil:
		v = no(v1alpha1.ReasonDedicatedUnavailable,
			"this operator runs without --order-deployment and cannot run lanes of their own: take spec.lane.dedicated out")
	default:
		return refuseUntried(s)
	}
	return &v
}

// leastWindow is the shortest return window that is published here, and who asks for it beside the law. An
// operator that was loosened for a demo is loosened for its programmes too.
func (s Snapshot) leastWindow() (least time.Duration, asker string) {
	least = s.Settings.MinReturnWindow
	if least >= LegalReturnWindow && s.Program.Window > least {
		return s.Program.Window, " by OwnerProgram " + s.Program.Name
	}
	return least, ""
}

// refuseUntried holds the goods against the trial index that the campaign asks for.
func refuseUntried(s Snapshot) *verdict {
	least := s.Campaign.Spec.Admission.MinTrialIndexTenths
	if least == 0 {
		return nil
	}
	if !s.Stock.Known {
		v := pending("the trial index of the goods is being read")
		return &v
	}
	if skus := untried(s.Campaign, s.Stock); len(skus) > 0 {
		v := no(v1alpha1.ReasonTrialIndexTooLow, fmt.Sprintf(
			"a trial index of %s is needed: %s; take them out of spec.items or have them tried", score(least), named(skus)))
		return &v
	}
	return nil
}

func (f facts) published() verdict {
	switch {
	case f.publishFault != "": // also of what stops the sale of a refused spec
		return no(v1alpha1.ReasonPublishFailed, "campaigns.v1 could not be written, it is tried again: "+bounded(f.publishFault))
	case f.refusal != nil:
		return verdict{f.refusal.status, f.refusal.reason, f.refusal.message + f.meanwhile()}
	case f.awaits != "":
		return pending(f.awaits)
	case f.generation == 0:
		return pending("nothing is published yet")
	default:
		return yes(v1alpha1.ReasonPublished, "the services have been told")
	}
}

func (f facts) allocated() verdict {
	answer := f.lane.GetAllocation()
	switch {
	case f.unpublished():
		return pending("this generation is not published")
	case f.lane.GetPhase() == campaignv1.Status_PHASE_SETTLED: // retired from its lane, which takes no answer in any more
		return yes(v1alpha1.ReasonAllocated, "the campaign is settled and needs no stock any more")
	case answer.GetGeneration() != f.generation: // what is not asked yet is not answered either
		return pending("waiting for the brand's stock pool to answer")
	case answer.GetState() == campaignv1.Allocation_STATE_REFUSED:
		return f.refused(answer)
	case answer.GetState() == campaignv1.Allocation_STATE_ALLOCATED:
		return yes(v1alpha1.ReasonAllocated, "the brand's pool gave the stock")
	default:
		return pending("waiting for the brand's stock pool to answer")
	}
}

// refused passes the pool's own words on: its reason is the one that tells people what to change.
func (f facts) refused(answer *campaignv1.Allocation) verdict {
	reason := answer.GetReason()
	if !conditionReason.MatchString(reason) {
		reason = v1alpha1.ReasonRefused
	}
	message := bounded(answer.GetMessage())
	if message == "" {
		message = "the brand's pool refused the stock"
	}
	if f.lane.GetUnits() > 0 {
		message += " (the sale goes on with what it has)"
	}
	return no(reason, message)
}

// conditionReason is what the API server takes as the reason of a condition.
var conditionReason = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,99}$`)

func (f facts) laneRunning(status *v1alpha1.CampaignStatus) verdict {
	late := func(due time.Time) bool { return !due.IsZero() && !f.now.Before(due) }
	switch {
	case f.lane.GetStopped() != "":
		return no(v1alpha1.ReasonLaneStopped, "the lane stands still: "+bounded(f.lane.GetStopped()))
	case f.generation == 0:
		return pending("nothing is published yet")
	case late(f.answerDue(status)):
		return no(v1alpha1.ReasonLaneSilent, fmt.Sprintf(
			"the lane has not taken generation %d in for %s: look at the order service and the broker", f.generation, Grace))
	case !f.answerDue(status).IsZero():
		return pending("waiting for the lane to take this generation in")
	case late(f.openDue(status)):
		return no(v1alpha1.ReasonLaneSilent, "startAt is over and the lane has not opened the sale: look at the order service")
	case late(f.closeDue(status)):
		return no(v1alpha1.ReasonLaneSilent, "endAt is over and the lane has not closed the sale: look at the order service")
	default:
		return yes(v1alpha1.ReasonRunning, "the lane follows")
	}
}

// ready is the deepest of what is wrong, else what is awaited, else that all is as wanted.
func (f facts) ready(status *v1alpha1.CampaignStatus) verdict {
	causes := []string{v1alpha1.ConditionSelected, v1alpha1.ConditionPublished, v1alpha1.ConditionLaneRunning, v1alpha1.ConditionAllocated}
	if rank(status.Phase) < rank(v1alpha1.PhaseDraining) { // a sale that has closed needs no pods of its own
		causes = append(causes, v1alpha1.ConditionScaled)
	}
	for _, state := range []metav1.ConditionStatus{metav1.ConditionFalse, metav1.ConditionUnknown} {
		for _, name := range causes {
			if c := meta.FindStatusCondition(status.Conditions, name); c.Status == state {
				return no(c.Reason, c.Message)
			}
		}
	}
	if !f.campaign.DeletionTimestamp.IsZero() {
		return yes(v1alpha1.ReasonEndingOnTime, "the object was deleted; spec.deletionPolicy lets the sale run to spec.endAt")
	}
	if f.campaign.Spec.Suspend {
		return yes(v1alpha1.ReasonSuspended, "spec.suspend keeps it from taking new orders")
	}
	return yes(v1alpha1.ReasonAsWanted, "the campaign is as its spec says")
}

// unpublished tells whether campaigns.v1 lacks this generation of the spec.
func (f facts) unpublished() bool { return f.refusal != nil || f.publishFault != "" || f.awaits != "" }

// answerDue is when the lane must have taken in what was published, zero when it has. A settled
// campaign is retired from its lane and takes nothing in any more.
func (f facts) answerDue(status *v1alpha1.CampaignStatus) time.Time {
	answered := f.lane.GetGeneration() >= f.generation || f.lane.GetPhase() == campaignv1.Status_PHASE_SETTLED
	if answered || f.generation == 0 || status.PublishedAt == nil {
		return time.Time{}
	}
	return status.PublishedAt.Add(Grace)
}

// openDue is when the lane must have opened the sale, zero when it has or need not. The stock may
// come after the start, so the later of the two counts.
func (f facts) openDue(status *v1alpha1.CampaignStatus) time.Time {
	c := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionAllocated)
	waits := f.lane.GetPhase() == campaignv1.Status_PHASE_WAITING && !f.times.Start.IsZero()
	if !waits || f.campaign.Spec.Suspend || c == nil || c.Status != metav1.ConditionTrue {
		return time.Time{}
	}
	return later(f.times.Start, c.LastTransitionTime.Time).Add(Grace)
}

// closeDue is when the lane must have closed the sale, zero when it is not open. An end that was set
// to a time in the past counts from its publication.
func (f facts) closeDue(status *v1alpha1.CampaignStatus) time.Time {
	if f.lane.GetPhase() != campaignv1.Status_PHASE_OPEN || status.PublishedAt == nil || f.times.End.IsZero() {
		return time.Time{}
	}
	return later(f.times.End, status.PublishedAt.Time).Add(Grace)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// messageLimit bounds what others say in a condition; the API server takes 32,768 characters.
const messageLimit = 1_000

func bounded(text string) string {
	runes := []rune(text)
	if len(runes) <= messageLimit {
		return text
	}
	return string(runes[:messageLimit]) + "…"
}
