package campaign

import (
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
)

// facts are a snapshot with what follows from it, so that each rule asks and none computes.
type facts struct {
	campaign *v1alpha1.Campaign
	lane     *campaignv1.Status
	heardAt  time.Time
	now      time.Time
	times    v1alpha1.Schedule
	// items are what the selector comes to, nil when there is nothing to resolve or no result.
	items []v1alpha1.Item
	// selection is why spec.items does not stand yet, nil when it does.
	selection *verdict
	// want is the desired state of this spec, without its generation.
	want *campaignv1.Desired
	// refusal is why this spec is not published, nil when it may be.
	refusal *verdict
	// record is what is to stand in campaigns.v1: want, or of a refused spec what stops its sale; nil to
	// leave it. standing is what stands there, nil when nothing does.
	record, standing *campaignv1.Desired
	// awaits is what must come about before this spec can be published, empty for nothing.
	awaits string
	// generation is the newest that campaigns.v1 holds or will hold, 0 for none.
	generation int64
	// revision is the newest that may stand there, confirmed or not.
	revision int64
	// publishFault is why it could not be published just now.
	publishFault string
	// publishedAt is when the newest generation was published: now, if the status does not remember, because
	// the operator was killed between the two.
	publishedAt time.Time
	// scale is what a dedicated lane is to have and has, nil for the shared pool.
	scale *scale
}

func gather(s Snapshot, now time.Time) facts {
	f := facts{
		campaign: s.Campaign, lane: s.Lane, heardAt: s.HeardAt, now: now,
		generation:   s.Published.GetGeneration(),
		standing:     s.Published,
		revision:     s.newest(),
		publishFault: s.PublishFault,
		publishedAt:  now,
	}
	times, unreadable := s.Campaign.Spec.Schedule()
	f.times = times
	if selecting(s.Campaign) {
		items, why := resolve(s.Campaign, s.Stock)
		f.items, f.selection = items, &why
	}
	f.want = desired(s.Campaign, times, s.Settings.Cluster, lane(s))
	promised := f.promised(s)
	f.keep(promised)
	f.refusal = f.refuse(s, promised, unreadable)
	if f.selection != nil && f.refusal.reason == v1alpha1.ReasonAlreadyOpen {
		f.items, f.selection = nil, f.refusal // what is put back is not resolved anew
	}
	f.record = f.want
	if f.refusal != nil {
		f.record = f.stopping(s)
	}
	f.awaits = f.await(s)
	if at := s.Campaign.Status.PublishedAt; at != nil && s.Campaign.Status.Revision >= f.generation {
		f.publishedAt = at.Time
	}
	f.scale = scaled(s, f)
	return f
}

// publishable tells whether this spec is to stand in campaigns.v1 as a whole.
func (f facts) publishable() bool { return f.refusal == nil }

// after returns the facts as they are once d is published, which happens before the status is written.
func (f facts) after(d *campaignv1.Desired) facts {
	if d != nil {
		f.standing, f.generation, f.publishedAt = d, d.GetGeneration(), f.now
	}
	return f
}

// status is the whole status, made anew from the facts; only the times at which conditions changed
// come from the old one.
func (f facts) status() *v1alpha1.CampaignStatus {
	old := f.campaign.Status.DeepCopy()
	status := &v1alpha1.CampaignStatus{
		ObservedGeneration: f.campaign.Generation,
		Revision:           max(f.generation, f.revision),
		Phase:              f.phase(),
		StartsAt:           wall(f.times.Start),
		EndsAt:             wall(f.times.End),
		Conditions:         old.Conditions,
		Lane:               old.Lane,
		PublishedAt:        old.PublishedAt,
		Units:              f.lane.GetUnits(),
		SoldUnits:          f.lane.GetSoldUnits(),
		HeldUnits:          f.lane.GetHeldUnits(),
		LeftUnits:          f.lane.GetLeftUnits(),
		PaidOrders:         f.lane.GetPaidOrders(),
		FinalOrders:        f.lane.GetFinalOrders(),
		LaneOffset:         max(f.lane.GetOffset(), 0),
		ReportedAt:         old.ReportedAt,
		OpenedAt:           moment(f.lane.GetOpenedAt()),
		ClosedAt:           moment(f.lane.GetClosedAt()),
	}
	if f.generation > 0 || f.publishable() {
		// Also when publishing has just failed: the broker may hold the record all the same, and the
		// next attempt must not name another lane.
		status.Lane = laneStatus(f.want.GetLane())
	}
	if f.generation > 0 {
		at := stamp(f.publishedAt)
		status.PublishedAt = &at
	}
	if !f.heardAt.IsZero() {
		at := stamp(f.heardAt)
		status.ReportedAt = &at
	}
	if f.scale != nil {
		status.Scale = &v1alpha1.LaneScale{Wanted: f.scale.wanted, Ready: f.scale.ready}
	}
	f.judge(status)
	return f.worth(old, status)
}

// ReportPause is how old the time of the last report may become while it alone changes.
const ReportPause = 30 * time.Second

// worth returns the old status where the new one only repeats it: a report that changes nothing, or the
// lane's offset that other campaigns move, is not worth a write. While a sale runs people look at how old
// the figures are, so then it is worth one from time to time.
func (f facts) worth(old, status *v1alpha1.CampaignStatus) *v1alpha1.CampaignStatus {
	repeated := status.DeepCopy()
	repeated.LaneOffset, repeated.ReportedAt = old.LaneOffset, old.ReportedAt
	if !equality.Semantic.DeepEqual(repeated, old) {
		return status
	}
	selling := status.Phase == v1alpha1.PhaseLive || status.Phase == v1alpha1.PhaseDraining
	if selling && old.ReportedAt != nil && f.heardAt.Sub(old.ReportedAt.Time) >= ReportPause {
		return status
	}
	return repeated
}

// judge sets the conditions, the deepest first: each later one may rest on those before it.
func (f facts) judge(status *v1alpha1.CampaignStatus) {
	f.set(status, v1alpha1.ConditionSelected, f.selected())
	f.set(status, v1alpha1.ConditionPublished, f.published())
	f.set(status, v1alpha1.ConditionAllocated, f.allocated())
	f.set(status, v1alpha1.ConditionLaneRunning, f.laneRunning(status))
	f.set(status, v1alpha1.ConditionScaled, f.scaled())
	f.set(status, v1alpha1.ConditionReady, f.ready(status))
}

func (f facts) set(status *v1alpha1.CampaignStatus, condition string, v verdict) {
	meta.SetStatusCondition(&status.Conditions, metav1.Condition{
		Type: condition, Status: v.status, Reason: v.reason, Message: v.message,
		ObservedGeneration: f.campaign.Generation, LastTransitionTime: stamp(f.now),
	})
}

// wakeAt is the next moment at which time alone changes the plan; more are others that do.
func (f facts) wakeAt(status *v1alpha1.CampaignStatus, more ...time.Time) time.Time {
	var next time.Time
	for _, at := range append(more, f.warmAt(), f.answerDue(status), f.openDue(status), f.closeDue(status)) {
		if at.After(f.now) && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	return next
}

// wall is a time as people of its zone write it, empty for none.
func wall(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.DateTime)
}

func moment(t *timestamppb.Timestamp) *metav1.Time {
	if t == nil {
		return nil
	}
	at := stamp(t.AsTime())
	return &at
}
