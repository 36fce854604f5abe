package view

import (
	"time"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
)

// Facts are what one look at the cluster found of a campaign.
type Facts struct {
	Campaign *v1alpha1.Campaign
	Around   Around
	// Pace is how fast it sells, as far as looks before this one can tell.
	Pace Pace
	// Fault is why the last look failed, empty while looks succeed; what is shown is then of LookedAt.
	Fault    string
	LookedAt time.Time
}

// Around is what runs for a campaign. Each list has a note in its place where it could not be read.
type Around struct {
	Pods     []corev1.Pod
	PodsNote string
	// Behind is how many entries of the lane are not applied yet by the slowest pod that says so, nil
	// where none does.
	Behind *int64

	Deployments  []appsv1.Deployment
	Autoscalers  []autoscalingv2.HorizontalPodAutoscaler
	Budgets      []policyv1.PodDisruptionBudget
	Routes       []unstructured.Unstructured // HTTPRoutes
	ChildrenNote string
}
