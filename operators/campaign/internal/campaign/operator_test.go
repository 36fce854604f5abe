package campaign

import (
	"fmt"

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
	snapshot := w.snapshot(behind)
	r := &reconcile{world: w, snapshot: snapshot, steps: Plan(snapshot, w.now), writes: writes}
	_ = r.hold() && r.apply() && r.tell(stops) && r.show() && r.list() && r.release()
}

// reconcile is what the controller does with a plan: each step tells whether the next one is taken.
type reconcile struct {
	*world
	snapshot Snapshot
	steps    Steps
	writes   int
}

// crashed counts a write, and tells that the operator dies before it. The next process does not know what
// this one has tried.
func (r *reconcile) crashed() bool {
	r.writes--
	if r.writes < 0 {
		r.attempted = nil
	}
	return r.writes < 0
}

// refused tells that the operator dies before a write of the object, or that the object has changed since
// it was read.
func (r *reconcile) refused() bool {
	return r.crashed() || r.snapshot.Campaign.ResourceVersion != r.object.ResourceVersion
}

// written is a write of the object that the API server took.
func (r *reconcile) written() {
	r.stored()
	r.snapshot.Campaign = r.object.DeepCopy()
}

func (r *reconcile) hold() bool {
	if !r.steps.Hold && r.steps.Note == "" {
		return true
	}
	if r.refused() {
		return false
	}
	r.object.Finalizers = []string{v1alpha1.Finalizer}
	if r.steps.Note != "" {
		r.object.Annotations = map[string]string{v1alpha1.LaneAnnotation: r.steps.Note}
	}
	r.say("operator  holds the object")
	r.written()
	return true
}

func (r *reconcile) apply() bool {
	for _, child := range r.steps.Children {
		if r.crashed() {
			return false
		}
		if fault := r.applyChild(child); fault != "" {
			r.snapshot.Pods.Fault = fault
		}
	}
	if r.snapshot.Pods.Fault != "" {
		r.steps = Plan(r.snapshot, r.now)
	}
	return true
}

func (r *reconcile) tell(stops bool) bool {
	if r.steps.Publish == nil {
		return true
	}
	if r.crashed() {
		return false
	}
	if stops {
		r.inHand, r.attempted = r.steps.Publish, nil
		r.say("operator  stands still with generation %d in hand; another takes over", r.inHand.GetGeneration())
		return false
	}
	if fault := r.publish(r.steps.Publish); fault != "" {
		r.snapshot.PublishFault, r.snapshot.Attempted = fault, r.attempted
		r.steps = Plan(r.snapshot, r.now)
	}
	return true
}

func (r *reconcile) show() bool {
	if r.steps.Status == nil || equality.Semantic.DeepEqual(*r.steps.Status, r.snapshot.Campaign.Status) {
		return true
	}
	if r.refused() {
		return false
	}
	r.writeStatus(r.steps.Status)
	r.written()
	return true
}

func (r *reconcile) list() bool {
	items := r.steps.Items
	if items == nil || r.snapshot.PublishFault != "" {
		return true
	}
	if r.refused() {
		return false
	}
	r.object.Spec.Items = items
	r.object.Generation++
	r.say("operator  writes %d units of %s to spec.items for %d fen", items[0].Units, items[0].SKU, items[0].PriceFen)
	r.written()
	return true
}

func (r *reconcile) release() bool {
	if !r.steps.Release || r.refused() {
		return false
	}
	r.checkReleased()
	r.object.Finalizers = nil
	r.say("operator  lets the object go")
	r.written()
	r.collect()
	return true
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

func (w *world) writeStatus(s *v1alpha1.CampaignStatus) {
	old := w.object.Status
	w.checkStatus(&old, s)
	w.object.Status = *s
	ready := meta.FindStatusCondition(s.Conditions, v1alpha1.ConditionReady)
	w.say("operator  shows %s, Ready=%s %s, sold %d, left %d", s.Phase, ready.Status, ready.Reason, s.SoldUnits, s.LeftUnits)
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
