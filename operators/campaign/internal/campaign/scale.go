package campaign

import (
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
	"github.com/qingcang/qingcang/operators/campaign/internal/children"
)

// Pods is what stands in the cluster of a dedicated lane.
type Pods struct {
	// Order is the order service's own Deployment, nil while it is not there.
	Order *appsv1.Deployment
	// Live are the campaign's children as they stand, by kind.
	Live map[schema.GroupVersionKind]*unstructured.Unstructured
	// Fault says which child the API server has just refused, and why; with it the plan applies none.
	Fault string
}

// scale is a dedicated lane's size.
type scale struct {
	wanted, ready int32
	children      []*unstructured.Unstructured
	// fault is why a child is not there; stuck is why the Deployment makes no progress.
	fault, stuck string
}

// scaled sizes a campaign's own lane, nil if it has none here.
func scaled(s Snapshot, f facts) *scale {
	d := s.Campaign.Spec.Lane.Dedicated
	if d == nil || s.Settings.Children.OrderDeployment == "" || f.want.GetLane().GetTopic() == SharedLanes {
		return nil
	}
	live := s.Pods.Live[children.Deployment]
	sized := &scale{wanted: f.replicas(d.Replicas), ready: children.Ready(live), fault: s.Pods.Fault, stuck: stuck(live)}
	var err error
	sized.children, err = children.Of(s.Settings.Children, children.Lane{
		Campaign: s.Campaign, Topic: f.want.GetLane().GetTopic(), Order: s.Pods.Order,
		Replicas: sized.wanted, MaxReplicas: d.MaxReplicas, Ready: sized.ready,
	})
	switch {
	case sized.fault != "":
	case err != nil:
		sized.fault = err.Error()
	case s.Pods.Order == nil:
		sized.fault = fmt.Sprintf("there is no Deployment %s to make the lane's pods from", s.Settings.Children.OrderDeployment)
	}
	return sized
}

// stuck is why a Deployment makes no progress, in the words of its controller; empty while it does.
func stuck(deployment *unstructured.Unstructured) string {
	if status, _, message, _ := children.Condition(deployment, "ReplicaFailure"); status == "True" {
		return message
	}
	if status, _, message, _ := children.Condition(deployment, "Progressing"); status == "False" {
		return message
	}
	return ""
}

// replicas is the least number of pods now. They stand ready from the warm-up on whether or not the
// stock is allocated: it may come a second before the start. A sale that has opened keeps them whatever
// has become of its start in the spec.
func (f facts) replicas(r v1alpha1.LaneReplicas) int32 {
	switch phase := f.phase(); {
	case rank(phase) > rank(v1alpha1.PhaseLive):
		return r.After
	case phase == v1alpha1.PhaseLive, f.warm():
		return r.During
	default:
		return r.Before
	}
}

// children are those to apply: of a campaign that may be published, what does not stand as wanted. The
// garbage collector is not worked against.
func (f facts) children(s Snapshot) []*unstructured.Unstructured {
	if f.scale == nil || s.Pods.Fault != "" || s.Published == nil && !f.publishable() || goesWithChildren(s.Campaign) {
		return nil
	}
	var list []*unstructured.Unstructured
	for _, want := range f.scale.children {
		if !children.Stands(want, s.Pods.Live[want.GroupVersionKind()]) {
			list = append(list, want)
		}
	}
	return list
}

// goesWithChildren tells whether somebody deletes a campaign and waits for its children to go first.
func goesWithChildren(c *v1alpha1.Campaign) bool {
	return !c.DeletionTimestamp.IsZero() && slices.Contains(c.Finalizers, metav1.FinalizerDeleteDependents)
}

// await is what must come about before this spec can be published, empty for nothing: a newer copy of the
// object than the one that is known here, or the lane's topic, where Strimzi makes it. A topic whose lane
// was published once stands for good.
func (f facts) await(s Snapshot) string {
	switch {
	case stale(s.Campaign.Generation, s.Published), stale(s.Campaign.Generation, s.Newest):
		return "a newer generation of the object was published before: waiting for the API server to show it"
	case s.Published != nil || s.Settings.Children.StrimziCluster == "" || f.want.GetLane().GetTopic() == SharedLanes:
		return ""
	}
	status, _, message, _ := children.Condition(s.Pods.Live[children.KafkaTopic], "Ready")
	switch {
	case status == "True":
		return ""
	case message == "":
		return fmt.Sprintf("waiting for Strimzi to make the lane's topic: KafkaTopic %s is not ready", children.Name(s.Campaign))
	default:
		return fmt.Sprintf("waiting for Strimzi to make the lane's topic: KafkaTopic %s is not ready: %s", children.Name(s.Campaign), bounded(message))
	}
}

// scaled is what is to be said of the pods. They never gate a sale.
func (f facts) scaled() verdict {
	switch {
	case f.want.GetLane().GetTopic() == SharedLanes:
		return yes(v1alpha1.ReasonSharedPool, "the shared pool runs its lane")
	case f.scale == nil:
		return no(v1alpha1.ReasonDedicatedUnavailable, "this operator runs without --order-deployment; the shared pool runs the lane")
	case f.scale.fault != "":
		return no(v1alpha1.ReasonChildRefused, bounded(f.scale.fault))
	case f.scale.ready >= f.scale.wanted:
		return yes(v1alpha1.ReasonAsWanted, fmt.Sprintf("%d pods answer, %d are wanted", f.scale.ready, f.scale.wanted))
	}
	missing := fmt.Sprintf("%d of %d pods answer; the shared pool does the rest", f.scale.ready, f.scale.wanted)
	if f.scale.stuck != "" {
		return no(v1alpha1.ReasonPodsMissing, missing+": "+bounded(f.scale.stuck))
	}
	return verdict{metav1.ConditionUnknown, v1alpha1.ReasonRollingOut, missing}
}
