package view

import (
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/utils/ptr"
)

// Child is an object that the operator made for the campaign.
type Child struct {
	Kind string `json:"kind"`
	Name string `json:"name"`
	// State is a few words, for example "2 of 2 ready".
	State string `json:"state"`
	// OK is false where the state is not what it should be.
	OK bool `json:"ok"`
}

func children(a Around) []Child {
	out := []Child{}
	for _, d := range a.Deployments {
		out = append(out, deployment(d))
	}
	for _, h := range a.Autoscalers {
		out = append(out, autoscaler(h))
	}
	for _, b := range a.Budgets {
		out = append(out, budget(b))
	}
	for _, r := range a.Routes {
		out = append(out, route(r))
	}
	return out
}

func deployment(d appsv1.Deployment) Child {
	want, have := ptr.Deref(d.Spec.Replicas, 1), d.Status.ReadyReplicas
	return Child{Kind: "Deployment", Name: d.Name, State: fmt.Sprintf("%d of %d ready", have, want), OK: have >= want}
}

func autoscaler(h autoscalingv2.HorizontalPodAutoscaler) Child {
	least := ptr.Deref(h.Spec.MinReplicas, 1)
	return Child{
		Kind: "HorizontalPodAutoscaler", Name: h.Name, OK: h.Status.CurrentReplicas >= least,
		State: fmt.Sprintf("%d replicas, at least %d, at most %d", h.Status.CurrentReplicas, least, h.Spec.MaxReplicas),
	}
}

func budget(b policyv1.PodDisruptionBudget) Child {
	return Child{
		Kind: "PodDisruptionBudget", Name: b.Name, OK: b.Status.CurrentHealthy >= b.Status.DesiredHealthy,
		State: fmt.Sprintf("%d may go, %d of %d healthy", b.Status.DisruptionsAllowed, b.Status.CurrentHealthy, b.Status.DesiredHealthy),
	}
}

// route reads an HTTPRoute. A route without a word from any gateway is not served by one.
func route(r unstructured.Unstructured) Child {
	child := Child{Kind: "HTTPRoute", Name: r.GetName(), State: "no gateway has taken it yet"}
	parents, _, err := unstructured.NestedSlice(r.Object, "status", "parents")
	if err != nil {
		return child
	}
	for _, parent := range parents {
		status, ok := parent.(map[string]any)
		if !ok {
			continue
		}
		conditions, _, err := unstructured.NestedSlice(status, "conditions")
		if err != nil {
			continue
		}
		for _, c := range conditions {
			is, ok := c.(map[string]any)
			if !ok || is["type"] != "Accepted" {
				continue
			}
			child.OK = is["status"] == "True"
			child.State = fmt.Sprint(is["reason"])
		}
	}
	return child
}
