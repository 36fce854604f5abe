package campaign

import (
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"

	"github.com/qingcang/qingcang/operators/campaign/internal/children"
)

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

// hear is what readers do with what was written: an older generation than they know is dropped.
func (w *world) hear() {
	w.ended = w.ended || w.topic.GetClosed()
	if w.topic.GetGeneration() > w.heard.GetGeneration() {
		w.heard = w.topic
	}
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

// stop is an entry that the lane cannot let count. Of what is settled the lane says nothing more.
func (w *world) stop() {
	settled := w.lane.GetPhase() == campaignv1.Status_PHASE_SETTLED
	if w.lane == nil || settled || w.lane.GetStopped() != "" || slices.Contains(w.heard.GetLane().GetSkipOffsets(), badOffset) {
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
