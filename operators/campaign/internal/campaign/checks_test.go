package campaign

import (
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
)

// checkPublished holds every record against what services rely on.
func (w *world) checkPublished(d *campaignv1.Desired) {
	w.t.Helper()
	switch {
	case d.GetLane().GetTopic() == SharedLanes && w.object.Annotations[v1alpha1.LaneAnnotation] != noteOf(d.GetLane().GetPartition()):
		w.fail("published in a lane that the object does not note: another operator could choose another")
	case len(w.object.Finalizers) == 0:
		w.fail("published while nothing holds the object: its end could be missed")
	case w.ended && !d.GetClosed():
		w.fail("published after the end")
	case d.GetGeneration() < w.heard.GetGeneration(),
		d.GetGeneration() == w.heard.GetGeneration() && !same(d, w.heard):
		w.fail("generation %d published after %d: its readers drop it", d.GetGeneration(), w.heard.GetGeneration())
	case d.GetGeneration() < d.GetSpecGeneration():
		w.fail("generation %d is under the object's %d", d.GetGeneration(), d.GetSpecGeneration())
	case d.GetSpecGeneration() < w.heard.GetSpecGeneration():
		w.fail("an older spec, %d, published after %d", d.GetSpecGeneration(), w.heard.GetSpecGeneration())
	case w.heard != nil && *laneStatus(d.GetLane()) != *laneStatus(w.heard.GetLane()):
		w.fail("the lane changed from %v to %v", w.heard.GetLane(), d.GetLane())
	case slices.ContainsFunc(w.heard.GetLane().GetSkipOffsets(), func(o int64) bool { return !slices.Contains(d.GetLane().GetSkipOffsets(), o) }):
		w.fail("a replica that starts would pass over %v no more, only %v", w.heard.GetLane().GetSkipOffsets(), d.GetLane().GetSkipOffsets())
	case d.GetReturnWindow().GetSeconds() < int64(LegalReturnWindow.Seconds()):
		w.fail("a return window of %d s was published", d.GetReturnWindow().GetSeconds())
	}
}

// checkReleased makes sure that no object goes whose end its readers do not know.
func (w *world) checkReleased() {
	w.t.Helper()
	if w.topic != nil && (!w.topic.GetClosed() || !w.heard.GetClosed()) {
		w.fail("let go, and not ended: the topic has %v, its readers %v", w.topic, w.heard)
	}
}

// checkStatus holds every status against what people rely on.
func (w *world) checkStatus(old, s *v1alpha1.CampaignStatus) {
	w.t.Helper()
	ready := meta.FindStatusCondition(s.Conditions, v1alpha1.ConditionReady)
	switch {
	case rank(old.Phase) >= rank(v1alpha1.PhaseLive) && rank(s.Phase) < rank(old.Phase):
		w.fail("the phase went back from %s to %s", old.Phase, s.Phase)
	case s.ObservedGeneration < old.ObservedGeneration:
		w.fail("a status of an older generation")
	case s.Revision < old.Revision:
		w.fail("the revision fell from %d to %d", old.Revision, s.Revision)
	case s.Phase == v1alpha1.PhaseLive && w.lane.GetOpenedAt() == nil:
		w.fail("Live before the lane opened")
	case ready.Status == metav1.ConditionTrue && !w.told():
		w.fail("Ready, but the services have been told something else than the spec: %v", w.topic)
	case old.Lane != nil && *old.Lane != *s.Lane:
		w.fail("the lane in the status changed")
	}
}

// checkConverged makes sure that what is published is what is wanted, for those who read the topic from
// its start and for those who have read it all along, that each child stands, and that the campaign is Ready
// unless the pool has not what it asks for.
func (w *world) checkConverged() {
	w.t.Helper()
	if w.object == nil || w.topic == nil || w.topic.GetClosed() {
		return
	}
	f := gather(w.snapshot(0), w.now)
	ready := meta.FindStatusCondition(w.object.Status.Conditions, v1alpha1.ConditionReady)
	refused := w.lane.GetAllocation().GetState() == campaignv1.Allocation_STATE_REFUSED && w.lane.GetPhase() != campaignv1.Status_PHASE_SETTLED
	switch {
	case w.object.Spec.Suspend && !w.topic.GetSuspended():
		w.fail("the spec suspends the sale and the services have not been told")
	case f.times.End.Before(w.topic.GetEndAt().AsTime()):
		w.fail("the spec ends the sale earlier than the services have been told")
	case !f.publishable(): // then the rest of the last record stays, whichever it is, until the spec is corrected
	case w.heard.GetGeneration() != w.topic.GetGeneration() || !same(w.heard, w.topic):
		w.fail("the topic ends with generation %d, and its readers know %d", w.topic.GetGeneration(), w.heard.GetGeneration())
	case !same(f.want, w.topic):
		w.fail("it is published as %v, want %v", w.topic, f.want)
	case dedicated(w.object) && len(w.kinds) != len(w.settings.Children.Kinds()):
		w.fail("%d kinds of children stand, want one of each of %v", len(w.kinds), w.settings.Children.Kinds())
	case refused && w.gained && w.asked() <= w.pool:
		w.fail("the pool would give %d of its %d units and is not asked again", w.asked(), w.pool)
	case !refused && ready.Status != metav1.ConditionTrue:
		w.fail("it stays Ready=%s %s: %s", ready.Status, ready.Reason, ready.Message)
	}
}

// told tells whether campaigns.v1 says what the spec says. The start of a sale that has opened is history.
func (w *world) told() bool {
	times, err := w.object.Spec.Schedule()
	want := desired(w.object, times, w.settings.Cluster, w.topic.GetLane())
	if w.lane.GetOpenedAt() != nil {
		want.StartAt = w.topic.GetStartAt()
	}
	return err == nil && w.topic != nil && same(want, w.topic)
}

// checkQuiet makes sure that a second look at the same world writes nothing, nor any look before the plan
// wants to be woken, and that nothing is gone whose end its readers do not know.
func (w *world) checkQuiet() {
	w.t.Helper()
	if w.object == nil {
		if w.topic != nil && (!w.topic.GetClosed() || !w.heard.GetClosed()) {
			w.fail("the object is gone and its campaign was not ended: the topic has %v, its readers %v", w.topic, w.heard)
		}
		return
	}
	last := Plan(w.snapshot(0), w.now).WakeAt.Add(-time.Second)
	if last.Before(w.now) { // it is not woken at all
		last = w.now.Add(30 * 24 * time.Hour)
	}
	for _, now := range []time.Time{w.now, last} {
		w.checkIdle(now)
	}
}

// checkIdle makes sure that a plan writes nothing.
func (w *world) checkIdle(now time.Time) {
	w.t.Helper()
	steps := Plan(w.snapshot(0), now)
	if steps.Hold || steps.Publish != nil || steps.Release || len(steps.Children) > 0 && w.quota == "" || steps.Items != nil {
		w.fail("a second plan at %s still acts: %+v", now, steps)
	}
	if w.quota == "" && steps.Status != nil && !equality.Semantic.DeepEqual(*steps.Status, w.object.Status) {
		w.fail("a second plan at %s writes another status: %v", now, steps.Status)
	}
}

func (w *world) fail(format string, args ...any) {
	w.t.Helper()
	w.t.Fatalf("%s\nafter:\n%s", fmt.Sprintf(format, args...), w.log.String())
}
