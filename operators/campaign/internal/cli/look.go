package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
	"github.com/qingcang/qingcang/operators/campaign/internal/children"
	"github.com/qingcang/qingcang/operators/campaign/internal/view"
)

// listMost bounds what is read of one kind; a lane has a handful.
const listMost = 100

// orderPods are the labels of which the shared pool's pods bear one.
var orderPods = []client.MatchingLabels{
	{"app.kubernetes.io/name": "order"},
	{"app.kubernetes.io/component": "order"},
}

var routeKind = schema.GroupVersionKind{Group: "gateway.networking.k8s.io", Version: "v1", Kind: "HTTPRouteList"}

// around reads what runs for a campaign. What cannot be read is said in its place: who may look at
// campaigns need not be allowed to look at pods.
func (c *cluster) around(ctx context.Context, sale *v1alpha1.Campaign) view.Around {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var a view.Around
	lane := sale.Status.Lane
	if lane == nil {
		return a
	}
	own := client.MatchingLabels{children.UIDLabel: string(sale.UID)}
	if lane.Topic == v1alpha1.SharedLanes {
		a.Pods, a.PodsNote = c.lanePods(ctx, orderPods)
	} else {
		a.Pods, a.PodsNote = c.lanePods(ctx, []client.MatchingLabels{own})
		a.ChildrenNote = note(c.children(ctx, own, &a))
	}
	a.Behind = c.behind(ctx, a.Pods, lane)
	return a
}

func (c *cluster) lanePods(ctx context.Context, selectors []client.MatchingLabels) ([]corev1.Pod, string) {
	var pods []corev1.Pod
	seen := map[string]bool{}
	for _, selector := range selectors {
		list := &corev1.PodList{}
		if err := c.list(ctx, list, selector); err != nil {
			return nil, note(err)
		}
		for _, p := range list.Items {
			if !seen[p.Name] {
				pods, seen[p.Name] = append(pods, p), true
			}
		}
	}
	if len(pods) == 0 {
		return nil, "none in this namespace"
	}
	return pods, ""
}

func (c *cluster) children(ctx context.Context, own client.MatchingLabels, a *view.Around) error {
	deployments, autoscalers := &appsv1.DeploymentList{}, &autoscalingv2.HorizontalPodAutoscalerList{}
	budgets, routes := &policyv1.PodDisruptionBudgetList{}, &unstructured.UnstructuredList{}
	routes.SetGroupVersionKind(routeKind)
	var faults []error
	for _, list := range []client.ObjectList{deployments, autoscalers, budgets, routes} {
		if err := c.list(ctx, list, own); err != nil && !meta.IsNoMatchError(err) { // Gateway API is optional
			faults = append(faults, err)
		}
	}
	a.Deployments, a.Autoscalers, a.Budgets, a.Routes = deployments.Items, autoscalers.Items, budgets.Items, routes.Items
	return errors.Join(faults...)
}

func (c *cluster) list(ctx context.Context, into client.ObjectList, labels client.MatchingLabels) error {
	return c.List(ctx, into, client.InNamespace(c.namespace), labels, client.Limit(listMost))
}

// note is an error in a line's place.
func note(err error) string {
	switch {
	case err == nil:
		return ""
	case apierrors.IsForbidden(err):
		return "you may not list them"
	default:
		return fmt.Sprintf("cannot be read: %v", err)
	}
}

// facts are a campaign and all around it, seen now.
func (c *cluster) facts(ctx context.Context, name string) (view.Facts, error) {
	sale, err := c.campaign(ctx, name)
	if err != nil {
		return view.Facts{}, err
	}
	return view.Facts{Campaign: sale, Around: c.around(ctx, sale), LookedAt: time.Now()}, nil
}
