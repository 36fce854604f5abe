package campaign

import (
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
)

// facts are a snapshot with what follows from it, so that each rule asks and none computes.
type facts struct {
	campaign *v1alpha1.Campaign
	lane     *campaignv1.Status
	now      time.Time
	times    v1alpha1.Schedule
	// want is the desired state of this spec.
	want *campaignv1.Desired
	// refusal is why this spec is not published, nil when it may be.
	refusal *verdict
	// generation is the newest that campaigns.v1 holds or will hold, 0 for none.
	generation int64
	// publishFault is why it could not be published just now.
	publishFault string
	// publishedAt is when the newest generation was published, as far as the status remembers.
	publishedAt time.Time
}

func gather(s Snapshot, now time.Time) facts {
	times, unreadable := s.Campaign.Spec.Schedule()
	f := facts{
		campaign: s.Campaign, lane: s.Lane, now: now, times: times,
		want:         desired(s.Campaign, times, s.Settings.Cluster, lane(s)),
		generation:   s.Published.GetGeneration(),
		publishFault: s.PublishFault,
		publishedAt:  now,
	}
	f.refusal = refusal(s, unreadable)
	if f.refusal == nil && f.publishFault == "" {
		f.generation = max(f.generation, s.Campaign.Generation)
	}
	if at := s.Campaign.Status.PublishedAt; at != nil {
		f.publishedAt = at.Time
	}
	return f
}

// status is the whole status, made anew from the facts; only the times at which conditions changed
// come from the old one. Publish is what is published before the status is written, if anything.
func (f facts) status(publish *campaignv1.Desired) *v1alpha1.CampaignStatus {
	if publish != nil {
		f.publishedAt = f.now
	}
	old := f.campaign.Status.DeepCopy()
	status := &v1alpha1.CampaignStatus{
		ObservedGeneration: f.campaign.Generation,
		Phase:              f.phase(),
		StartsAt:           local(f.times.Start),
		EndsAt:             local(f.times.End),
		Conditions:         old.Conditions,
		Lane:               old.Lane,
		PublishedAt:        old.PublishedAt,
		Units:              f.lane.GetUnits(),
		SoldUnits:          f.lane.GetSoldUnits(),
		HeldUnits:          f.lane.GetHeldUnits(),
		LeftUnits:          f.lane.GetLeftUnits(),
		PaidOrders:         f.lane.GetPaidOrders(),
		FinalOrders:        f.lane.GetFinalOrders(),
	}
	if f.generation > 0 || f.refusal == nil {
		// Also when publishing has just failed: the broker may hold the record all the same, and the
		// next attempt must not name another lane.
		status.Lane = laneStatus(f.want.GetLane())
	}
	if f.generation > 0 {
		at := stamp(f.publishedAt)
		status.PublishedAt = &at
	}
	if at := f.lane.GetOpenedAt(); at != nil {
		opened := stamp(at.AsTime())
		status.OpenedAt = &opened
	}
	if at := f.lane.GetClosedAt(); at != nil {
		closed := stamp(at.AsTime())
		status.ClosedAt = &closed
	}
	f.judge(status)
	return status
}

// local is a time as people read it in its campaign's zone.
func local(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.DateTime)
}

// judge sets the conditions, the deepest first: each later one may rest on those before it.
func (f facts) judge(status *v1alpha1.CampaignStatus) {
	f.set(status, v1alpha1.ConditionPublished, f.published())
	f.set(status, v1alpha1.ConditionAllocated, f.allocated())
	f.set(status, v1alpha1.ConditionLaneRunning, f.laneRunning(status))
	f.set(status, v1alpha1.ConditionReady, f.ready(status))
}

func (f facts) set(status *v1alpha1.CampaignStatus, condition string, v verdict) {
	meta.SetStatusCondition(&status.Conditions, metav1.Condition{
		Type: condition, Status: v.status, Reason: v.reason, Message: v.message,
		ObservedGeneration: f.campaign.Generation, LastTransitionTime: stamp(f.now),
	})
}

// wakeAt is the next moment at which time alone changes the phase or a condition.
func (f facts) wakeAt(status *v1alpha1.CampaignStatus) time.Time {
	var next time.Time
	for _, at := range []time.Time{f.warmAt(), f.answerDue(status), f.openDue(status), f.closeDue(status)} {
		if at.After(f.now) && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	return next
}
