package view

import (
	"time"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
)

// The sale of these tests opens at eight in the evening in Shanghai and lasts two hours.
var (
	start = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	end   = start.Add(2 * time.Hour)
)

func when(t time.Time) *metav1.Time { return new(metav1.NewTime(t)) }

// coats is a campaign that the operator has published and nothing else has happened to.
func coats(changes ...func(*v1alpha1.Campaign)) *v1alpha1.Campaign {
	c := &v1alpha1.Campaign{
		ObjectMeta: metav1.ObjectMeta{Namespace: "sales", Name: "coats", UID: "5f3a9c10-0000-4000-8000-000000000000", Generation: 1},
		Spec: v1alpha1.CampaignSpec{
			Title: "Autumn coats 秋装清仓", TimeZone: "Asia/Shanghai",
			StartAt: "2026-11-24T20:00:00", EndAt: "2026-11-24T22:00:00",
			Hold: metav1.Duration{Duration: 15 * time.Minute},
		},
		Status: v1alpha1.CampaignStatus{
			ObservedGeneration: 1, Phase: v1alpha1.PhasePreview,
			Lane: &v1alpha1.Lane{Topic: v1alpha1.SharedLanes, Partition: 3},
		},
	}
	for _, change := range changes {
		change(c)
	}
	return c
}

func phase(p v1alpha1.Phase) func(*v1alpha1.Campaign) {
	return func(c *v1alpha1.Campaign) { c.Status.Phase = p }
}

func stock(sold, held, left int64) func(*v1alpha1.Campaign) {
	return func(c *v1alpha1.Campaign) {
		s := &c.Status
		s.Units, s.SoldUnits, s.HeldUnits, s.LeftUnits = sold+held+left, sold, held, left
	}
}

func orders(paid, final int64) func(*v1alpha1.Campaign) {
	return func(c *v1alpha1.Campaign) { c.Status.PaidOrders, c.Status.FinalOrders = paid, final }
}

func reported(at time.Time) func(*v1alpha1.Campaign) {
	return func(c *v1alpha1.Campaign) { c.Status.ReportedAt = when(at) }
}

func says(kind string, status metav1.ConditionStatus, reason, message string) func(*v1alpha1.Campaign) {
	return func(c *v1alpha1.Campaign) {
		c.Status.Conditions = append(c.Status.Conditions, metav1.Condition{
			Type: kind, Status: status, Reason: reason, Message: message, LastTransitionTime: metav1.NewTime(start),
		})
	}
}

func asWanted(c *v1alpha1.Campaign) {
	says(v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonAsWanted, "the campaign is as its spec says")(c)
}

func dedicated(c *v1alpha1.Campaign) {
	c.Status.Lane = &v1alpha1.Lane{Topic: "lane." + string(c.UID)}
}

func podNamed(name, node string, ready bool, restarts int32, waiting string) corev1.Pod {
	status := corev1.ConditionFalse
	if ready {
		status = corev1.ConditionTrue
	}
	p := corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, CreationTimestamp: metav1.NewTime(start.Add(-10 * time.Minute))},
		Spec:       corev1.PodSpec{NodeName: node},
		Status: corev1.PodStatus{
			Phase:             corev1.PodRunning,
			Conditions:        []corev1.PodCondition{{Type: corev1.PodReady, Status: status}},
			ContainerStatuses: []corev1.ContainerStatus{{RestartCount: restarts}},
		},
	}
	if waiting != "" {
		p.Status.ContainerStatuses[0].State.Waiting = &corev1.ContainerStateWaiting{Reason: waiting}
	}
	return p
}

// lanePool is what stands around a dedicated lane of three, one of whose pods crashes.
func lanePool() Around {
	name := metav1.ObjectMeta{Name: "lane-coats-5f3a9c10"}
	route := unstructured.Unstructured{Object: map[string]any{
		"metadata": map[string]any{"name": name.Name},
		"status": map[string]any{"parents": []any{map[string]any{
			"conditions": []any{map[string]any{"type": "Accepted", "status": "True", "reason": "Accepted"}},
		}}},
	}}
	return Around{
		Pods: []corev1.Pod{
			podNamed("lane-coats-5f3a9c10-c", "node-2", false, 4, "CrashLoopBackOff"),
			podNamed("lane-coats-5f3a9c10-a", "node-1", true, 0, ""),
			podNamed("lane-coats-5f3a9c10-b", "node-2", true, 1, ""),
		},
		Behind: new(int64(12)),
		Deployments: []appsv1.Deployment{{
			ObjectMeta: name, Spec: appsv1.DeploymentSpec{Replicas: new(int32(3))}, Status: appsv1.DeploymentStatus{ReadyReplicas: 2},
		}},
		Autoscalers: []autoscalingv2.HorizontalPodAutoscaler{{
			ObjectMeta: name,
			Spec:       autoscalingv2.HorizontalPodAutoscalerSpec{MinReplicas: new(int32(3)), MaxReplicas: 6},
			Status:     autoscalingv2.HorizontalPodAutoscalerStatus{CurrentReplicas: 3},
		}},
		Budgets: []policyv1.PodDisruptionBudget{{
			ObjectMeta: name,
			Status:     policyv1.PodDisruptionBudgetStatus{DisruptionsAllowed: 0, CurrentHealthy: 2, DesiredHealthy: 2},
		}},
		Routes: []unstructured.Unstructured{route},
	}
}
