package campaign

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
)

// world is a simulated API server, broker, stock pool and lane around one campaign. Each actor takes
// one step when it is asked to, so that a story can run them in any order and crash them anywhere.
type world struct {
	t        *testing.T
	now      time.Time
	settings Settings
	object   *v1alpha1.Campaign // nil when gone
	topic    *campaignv1.Desired
	// broker is false while it takes nothing.
	broker bool
	lane   *campaignv1.Status
	// pool is what the brand has; a generation that asks for more is refused.
	pool int64
	log  strings.Builder
}

func newWorld(t *testing.T) *world {
	return &world{t: t, now: morning, settings: lawful, broker: true, pool: 10}
}

func (w *world) say(format string, args ...any) {
	fmt.Fprintf(&w.log, "%s  %s\n", w.now.Format("15:04:05"), fmt.Sprintf(format, args...))
}

// apply is kubectl apply of a new spec.
func (w *world) apply(what string, edits ...edit) {
	if w.object == nil {
		w.object = aCampaign(append([]edit{unheld}, edits...)...)
	} else {
		for _, e := range edits {
			e(w.object)
		}
		w.object.Generation++
	}
	w.say("user      applies %s", what)
}

func (w *world) delete() {
	if w.object == nil || w.object.DeletionTimestamp != nil {
		return
	}
	w.say("user      deletes the campaign")
	at := metav1.NewTime(w.now)
	w.object.DeletionTimestamp = &at
	w.object.Generation++
	w.collect()
}

// collect is what the API server does with a deleted object that nobody holds.
func (w *world) collect() {
	if w.object != nil && w.object.DeletionTimestamp != nil && len(w.object.Finalizers) == 0 {
		w.object = nil
		w.say("api       the object is gone")
	}
}

func (w *world) snapshot() Snapshot {
	return Snapshot{
		Settings: w.settings, Campaign: w.object.DeepCopy(), Published: w.topic, Lane: w.lane,
		Shared: []LaneUse{{Partition: 0, Campaigns: 1}, {Partition: 1}},
	}
}

// operate is one reconcile that crashes after the given number of writes.
func (w *world) operate(writes int) {
	if w.object == nil {
		return
	}
	crashed := func() bool { writes--; return writes < 0 }
	snapshot := w.snapshot()
	steps := Plan(snapshot, w.now)
	if steps.Hold {
		if crashed() {
			return
		}
		w.object.Finalizers = []string{v1alpha1.Finalizer}
		w.say("operator  holds the object")
	}
	if steps.Publish != nil {
		if crashed() {
			return
		}
		if w.broker {
			w.publish(steps.Publish)
		} else {
			snapshot.PublishFault = "no leader"
			steps = Plan(snapshot, w.now)
		}
	}
	if steps.Status != nil && !equality.Semantic.DeepEqual(*steps.Status, w.object.Status) {
		if crashed() {
			return
		}
		w.writeStatus(steps.Status)
	}
	if steps.Release {
		if crashed() {
			return
		}
		w.object.Finalizers = nil
		w.say("operator  lets the object go")
		w.collect()
	}
}

func (w *world) publish(d *campaignv1.Desired) {
	w.checkPublished(d)
	w.topic = d
	if d.GetClosed() {
		w.say("operator  publishes the end as generation %d", d.GetGeneration())
		return
	}
	past := ""
	if offsets := d.GetLane().GetSkipOffsets(); len(offsets) > 0 {
		past = fmt.Sprintf(", passing over %v", offsets)
	}
	w.say("operator  publishes generation %d in lane %d%s", d.GetGeneration(), d.GetLane().GetPartition(), past)
}

func (w *world) writeStatus(s *v1alpha1.CampaignStatus) {
	old := w.object.Status
	w.checkStatus(&old, s)
	w.object.Status = *s
	ready := meta.FindStatusCondition(s.Conditions, v1alpha1.ConditionReady)
	w.say("operator  shows %s, Ready=%s %s, sold %d, left %d", s.Phase, ready.Status, ready.Reason, s.SoldUnits, s.LeftUnits)
}

// answer is the order service and the brand's pool: the lane takes the newest generation in and the
// pool answers it.
func (w *world) answer() {
	if w.topic == nil || w.lane.GetGeneration() >= w.topic.GetGeneration() {
		return
	}
	if w.lane == nil {
		w.lane = &campaignv1.Status{Uid: w.topic.GetUid(), Phase: campaignv1.Status_PHASE_WAITING}
	}
	s := proto.CloneOf(w.lane)
	if s.Stopped != "" {
		if !slices.Contains(w.topic.GetLane().GetSkipOffsets(), badOffset) {
			return
		}
		s.Stopped = ""
		w.say("lane      passes over offset %d and goes on", badOffset)
	}
	s.Generation = w.topic.GetGeneration()
	var asked int64
	for _, i := range w.topic.GetItems() {
		asked += i.GetUnits()
	}
	s.Allocation = &campaignv1.Allocation{Generation: s.Generation, State: campaignv1.Allocation_STATE_ALLOCATED}
	if asked > w.pool {
		s.Allocation.State, s.Allocation.Reason = campaignv1.Allocation_STATE_REFUSED, "NotEnoughStock"
		w.say("pool      refuses generation %d: %d asked, %d there", s.Generation, asked, w.pool)
	} else {
		s.Units, s.LeftUnits = asked, asked-s.GetSoldUnits()
		w.say("pool      allocates generation %d", s.Generation)
	}
	w.lane = s
}

// badOffset is the entry at which a lane of the world stops.
const badOffset = 7

// stop is an entry that the lane cannot let count.
func (w *world) stop() {
	if w.lane == nil {
		return
	}
	w.lane = proto.CloneOf(w.lane)
	w.lane.Stopped = fmt.Sprintf("at offset %d: bad checksum", badOffset)
	w.say("lane      stops at offset %d", badOffset)
}

// tick is the lane's clock: it opens, closes and drains the campaign by what it last took in.
func (w *world) tick() {
	if w.lane == nil || w.lane.GetStopped() != "" {
		return
	}
	s := proto.CloneOf(w.lane)
	over := w.topic.GetClosed() || !w.now.Before(w.topic.GetEndAt().AsTime())
	switch {
	case s.Phase == campaignv1.Status_PHASE_WAITING && over:
		s.Phase, s.ClosedAt, s.LeftUnits = campaignv1.Status_PHASE_DRAINED, at(w.now), 0
		w.say("lane      drains a campaign that never opened")
	case s.Phase == campaignv1.Status_PHASE_WAITING && s.Units > 0 && !w.now.Before(w.topic.GetStartAt().AsTime()):
		s.Phase, s.OpenedAt = campaignv1.Status_PHASE_OPEN, at(w.now)
		w.say("lane      opens")
	case s.Phase == campaignv1.Status_PHASE_OPEN && over:
		s.Phase, s.ClosedAt = campaignv1.Status_PHASE_DRAINING, at(w.now)
		w.say("lane      closes")
	case s.Phase == campaignv1.Status_PHASE_DRAINING:
		s.Phase, s.LeftUnits = campaignv1.Status_PHASE_DRAINED, 0
		w.say("lane      is drained")
	case s.Phase == campaignv1.Status_PHASE_DRAINED:
		s.Phase, s.FinalOrders = campaignv1.Status_PHASE_SETTLED, s.PaidOrders
		w.say("lane      is settled")
	default:
		return
	}
	w.lane = s
}

// sell is a buyer who pays for a unit.
func (w *world) sell() {
	if w.lane.GetPhase() != campaignv1.Status_PHASE_OPEN || w.lane.GetLeftUnits() == 0 || w.lane.GetStopped() != "" {
		return
	}
	s := proto.CloneOf(w.lane)
	s.SoldUnits, s.LeftUnits, s.PaidOrders = s.SoldUnits+1, s.LeftUnits-1, s.PaidOrders+1
	w.lane = s
	w.say("buyer     pays for a unit")
}

// checkPublished holds every record against what services rely on.
func (w *world) checkPublished(d *campaignv1.Desired) {
	w.t.Helper()
	switch {
	case len(w.object.Finalizers) == 0:
		w.fail("published while nothing holds the object: its end could be missed")
	case w.topic.GetClosed():
		w.fail("published after the end")
	case w.topic != nil && d.GetGeneration() <= w.topic.GetGeneration():
		w.fail("generation %d published after %d", d.GetGeneration(), w.topic.GetGeneration())
	case w.topic != nil && *laneStatus(d.GetLane()) != *laneStatus(w.topic.GetLane()):
		w.fail("the lane changed from %v to %v", w.topic.GetLane(), d.GetLane())
	case slices.ContainsFunc(w.topic.GetLane().GetSkipOffsets(), func(o int64) bool { return !slices.Contains(d.GetLane().GetSkipOffsets(), o) }):
		w.fail("a replica that starts would pass over %v no more, only %v", w.topic.GetLane().GetSkipOffsets(), d.GetLane().GetSkipOffsets())
	case d.GetReturnWindow().GetSeconds() < int64(LegalReturnWindow.Seconds()):
		w.fail("a return window of %d s was published", d.GetReturnWindow().GetSeconds())
	}
}

// checkStatus holds every status against what people rely on.
func (w *world) checkStatus(old, s *v1alpha1.CampaignStatus) {
	w.t.Helper()
	ready := meta.FindStatusCondition(s.Conditions, v1alpha1.ConditionReady)
	switch {
	case rank(old.Phase) >= rank(v1alpha1.PhaseLive) && rank(s.Phase) < rank(old.Phase):
		w.fail("the phase went back from %s to %s", old.Phase, s.Phase)
	case s.Phase == v1alpha1.PhaseLive && w.lane.GetOpenedAt() == nil:
		w.fail("Live before the lane opened")
	case ready.Status == metav1.ConditionTrue && !w.told():
		w.fail("Ready, but the services have been told something else than the spec: %v", w.topic)
	case old.Lane != nil && *old.Lane != *s.Lane:
		w.fail("the lane in the status changed")
	}
}

// told tells whether campaigns.v1 says what the spec says.
func (w *world) told() bool {
	times, err := w.object.Spec.Schedule()
	want := desired(w.object, times, w.settings.Cluster, w.topic.GetLane())
	return err == nil && w.topic != nil && same(want, w.topic)
}

// checkQuiet makes sure that a second look at the same world writes nothing, and that nothing is
// gone whose end is not published.
func (w *world) checkQuiet() {
	w.t.Helper()
	if w.object == nil {
		if w.topic != nil && !w.topic.GetClosed() {
			w.fail("the object is gone and its campaign was not ended")
		}
		return
	}
	steps := Plan(w.snapshot(), w.now)
	if steps.Hold || steps.Publish != nil || steps.Release {
		w.fail("a second plan still acts: %+v", steps)
	}
	if steps.Status != nil && !equality.Semantic.DeepEqual(*steps.Status, w.object.Status) {
		w.fail("a second plan writes another status")
	}
}

func (w *world) fail(format string, args ...any) {
	w.t.Helper()
	w.t.Fatalf("%s\nafter:\n%s", fmt.Sprintf(format, args...), w.log.String())
}
