package campaign

import (
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
	"github.com/qingcang/qingcang/operators/campaign/internal/children"
)

// operate is one reconcile that crashes after the given number of writes.
func (w *world) operate(writes int) { w.reconcile(writes, 0, false) }

// reconcile is one reconcile with a cache so many writes behind, that crashes after a number of writes,
// or stops right before it publishes and wakes up later.
func (w *world) reconcile(writes, behind int, stops bool) {
	if w.object == nil {
		return
	}
	crashed := func() bool {
		writes--
		if writes == -1 {
			w.attempted = nil // the next process does not know
		}
		return writes < 0
	}
	snapshot := w.snapshot(behind)
	conflict := func() bool { return snapshot.Campaign.ResourceVersion != w.object.ResourceVersion }
	steps := Plan(snapshot, w.now)
	if steps.Hold {
		if crashed() || conflict() {
			return
		}
		w.object.Finalizers = []string{v1alpha1.Finalizer}
		w.say("operator  holds the object")
		w.stored()
		snapshot.Campaign = w.object.DeepCopy()
	}
	for _, child := range steps.Children {
		if crashed() {
			return
		}
		if fault := w.applyChild(child); fault != "" {
			snapshot.Pods.Fault = fault
		}
	}
	if snapshot.Pods.Fault != "" {
		steps = Plan(snapshot, w.now)
	}
	if steps.Publish != nil {
		if crashed() {
			return
		}
		if stops {
			w.inHand = steps.Publish
			w.attempted = nil
			w.say("operator  stands still with generation %d in hand; another takes over", steps.Publish.GetGeneration())
			return
		}
		if fault := w.publish(steps.Publish); fault != "" {
			snapshot.PublishFault, snapshot.Attempted = fault, w.attempted
			steps = Plan(snapshot, w.now)
		}
	}
	if steps.Status != nil && !equality.Semantic.DeepEqual(*steps.Status, snapshot.Campaign.Status) {
		if crashed() || conflict() {
			return
		}
		w.writeStatus(steps.Status)
		w.stored()
		snapshot.Campaign = w.object.DeepCopy()
	}
	if steps.Items != nil && snapshot.PublishFault == "" {
		if crashed() || conflict() {
			return
		}
		w.object.Spec.Items = steps.Items
		w.object.Generation++
		w.say("operator  writes %d units of %s to spec.items for %d fen", steps.Items[0].Units, steps.Items[0].SKU, steps.Items[0].PriceFen)
		w.stored()
	}
	if steps.Release {
		if crashed() || conflict() {
			return
		}
		w.checkReleased()
		w.object.Finalizers = nil
		w.say("operator  lets the object go")
		w.stored()
		w.collect()
	}
}

// wake is the operator that stood still going on where it was.
func (w *world) wake() {
	if w.inHand == nil {
		return
	}
	w.topic, w.inHand = w.inHand, nil
	w.say("operator  that stood still writes generation %d", w.topic.GetGeneration())
	w.hear()
}

// resync ends a record whose object is gone.
func (w *world) resync() {
	if w.topic == nil || w.broker != well {
		return
	}
	lives := func(string) bool { return w.object != nil }
	for range Orphans([]*campaignv1.Desired{w.topic}, w.settings.Cluster, "sales", lives) {
		w.topic = Closing(w.topic, w.heard.GetGeneration())
		w.say("operator  ends the orphan as generation %d", w.topic.GetGeneration())
		w.hear()
	}
}

// applyChild is server-side apply.
func (w *world) applyChild(child *unstructured.Unstructured) (fault string) {
	kind := child.GroupVersionKind()
	if w.quota != "" && kind == children.Deployment {
		return kind.Kind + " " + child.GetName() + ": " + w.quota
	}
	if known := w.kinds[kind]; known != nil && known.GetName() != child.GetName() {
		w.fail("a second %s, %s beside %s", kind.Kind, child.GetName(), known.GetName())
	}
	if child.GetOwnerReferences()[0].UID != w.object.UID {
		w.fail("the %s is not the campaign's own", kind.Kind)
	}
	child = child.DeepCopy()
	if known := w.kinds[kind]; known != nil {
		child.Object["status"] = known.Object["status"]
	}
	w.kinds[kind] = child
	least := ""
	if kind == children.Autoscaler {
		n, _, _ := unstructured.NestedInt64(child.Object, "spec", "minReplicas")
		least = fmt.Sprintf(" for at least %d pods", n)
	}
	w.say("operator  applies the %s%s", kind.Kind, least)
	return ""
}

// kubelet lets as many pods run as the autoscaler asks for at least.
func (w *world) kubelet() {
	hpa, deployment := w.kinds[children.Autoscaler], w.kinds[children.Deployment]
	if hpa == nil || deployment == nil {
		return
	}
	n, _, _ := unstructured.NestedInt64(hpa.Object, "spec", "minReplicas")
	if zero, set, _ := unstructured.NestedInt64(deployment.Object, "spec", "replicas"); set {
		n = zero
	}
	if int64(children.Ready(deployment)) == n {
		return
	}
	deployment = deployment.DeepCopy()
	deployment.Object["status"] = map[string]any{"readyReplicas": n}
	w.kinds[children.Deployment] = deployment
	w.say("kubelet   runs %d pods", n)
}

func (w *world) publish(d *campaignv1.Desired) (fault string) {
	if w.broker == down {
		w.attempted = d
		return "no leader"
	}
	w.checkPublished(d)
	w.topic = d
	w.hear()
	if w.broker == deaf {
		w.attempted = d
		w.say("broker    takes generation %d and does not say so", d.GetGeneration())
		return "timed out"
	}
	w.attempted = nil
	if d.GetClosed() {
		w.say("operator  publishes the end as generation %d", d.GetGeneration())
		return ""
	}
	past := ""
	if offsets := d.GetLane().GetSkipOffsets(); len(offsets) > 0 {
		past = fmt.Sprintf(", passing over %v", offsets)
	}
	if d.GetSuspended() {
		past += ", suspended"
	}
	if end := d.GetEndAt().AsTime(); end.Before(two) {
		past += end.Format(", until 15:04")
	}
	lane := fmt.Sprintf("lane %d", d.GetLane().GetPartition())
	if d.GetLane().GetTopic() != SharedLanes {
		lane = "a lane of its own"
	}
	w.say("operator  publishes generation %d in %s%s", d.GetGeneration(), lane, past)
	return ""
}

// hear is what readers do with what was written: an older generation than they know is dropped.
func (w *world) hear() {
	w.ended = w.ended || w.topic.GetClosed()
	if w.topic.GetGeneration() > w.heard.GetGeneration() {
		w.heard = w.topic
	}
}

func (w *world) writeStatus(s *v1alpha1.CampaignStatus) {
	old := w.object.Status
	w.checkStatus(&old, s)
	w.object.Status = *s
	ready := meta.FindStatusCondition(s.Conditions, v1alpha1.ConditionReady)
	w.say("operator  shows %s, Ready=%s %s, sold %d, left %d", s.Phase, ready.Status, ready.Reason, s.SoldUnits, s.LeftUnits)
}

// answer is the order service and the brand's pool: the lane takes the newest generation in and the
// pool answers it. A settled campaign is retired from its lane and takes nothing in any more.
func (w *world) answer() {
	if w.heard == nil || w.lane.GetGeneration() >= w.heard.GetGeneration() || w.lane.GetPhase() == campaignv1.Status_PHASE_SETTLED {
		return
	}
	if w.lane == nil {
		w.lane = &campaignv1.Status{Uid: w.heard.GetUid(), Phase: campaignv1.Status_PHASE_WAITING}
	}
	s := proto.CloneOf(w.lane)
	if s.Stopped != "" {
		if !slices.Contains(w.heard.GetLane().GetSkipOffsets(), badOffset) {
			return
		}
		s.Stopped = ""
		w.say("lane      passes over offset %d and goes on", badOffset)
	}
	s.Generation = w.heard.GetGeneration()
	asked := w.asked()
	s.Allocation = &campaignv1.Allocation{Generation: s.Generation, State: campaignv1.Allocation_STATE_ALLOCATED}
	if asked > w.pool {
		s.Allocation.State, s.Allocation.Reason = campaignv1.Allocation_STATE_REFUSED, "NotEnoughStock"
		w.refused, w.gained = s.Generation, false
		w.say("pool      refuses generation %d: %d asked, %d there", s.Generation, asked, w.pool)
	} else {
		w.refused = 0
		s.Units, s.LeftUnits = asked, asked-s.GetSoldUnits()
		s.Items = []*campaignv1.ItemStatus{{Sku: "C1", Units: asked}}
		w.say("pool      allocates generation %d", s.Generation)
	}
	w.lane = s
}

// asked is how many units the newest generation wants.
func (w *world) asked() (units int64) {
	for _, i := range w.heard.GetItems() {
		units += i.GetUnits()
	}
	return units
}

// badOffset is the entry at which a lane of the world stops.
const badOffset = 7

// stop is an entry that the lane cannot let count.
func (w *world) stop() {
	if w.lane == nil || w.lane.GetStopped() != "" || slices.Contains(w.heard.GetLane().GetSkipOffsets(), badOffset) {
		return
	}
	w.lane = proto.CloneOf(w.lane)
	w.lane.Stopped = fmt.Sprintf("at offset %d: bad checksum", badOffset)
	w.say("lane      stops at offset %d", badOffset)
}

// mend is what operations do about a lane that stands still: they name the entry in a campaign of that lane,
// in this one while it is there.
func (w *world) mend() {
	switch {
	case w.lane.GetStopped() == "":
	case w.object != nil:
		w.apply("skipOffsets [7]", passingOver(badOffset))
	default:
		w.lane = proto.CloneOf(w.lane)
		w.lane.Stopped = ""
		w.say("lane      passes over offset %d, which another campaign names", badOffset)
	}
}

// tick is the lane's clock: it opens, closes and drains the campaign by what it last took in.
func (w *world) tick() {
	if w.lane == nil || w.lane.GetStopped() != "" {
		return
	}
	s := proto.CloneOf(w.lane)
	over := w.heard.GetClosed() || !w.now.Before(w.heard.GetEndAt().AsTime())
	switch {
	case s.Phase == campaignv1.Status_PHASE_WAITING && over:
		s.Phase, s.ClosedAt, s.LeftUnits = campaignv1.Status_PHASE_DRAINED, at(w.now), 0
		w.say("lane      drains a campaign that never opened")
	case s.Phase == campaignv1.Status_PHASE_WAITING && s.Units > 0 && !w.now.Before(w.heard.GetStartAt().AsTime()):
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
