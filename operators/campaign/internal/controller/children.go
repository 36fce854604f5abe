package controller

import (
	"context"
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
	"github.com/qingcang/qingcang/operators/campaign/internal/children"
	"github.com/qingcang/qingcang/operators/campaign/internal/metrics"
)

// The rights of the optional kinds stand here too: a role may name kinds that a cluster does not know.
//
// +kubebuilder:rbac:groups=apps,resources=deployments,verbs=get;list;watch;create;patch
// +kubebuilder:rbac:groups="",resources=services,verbs=get;list;watch;create;patch
// +kubebuilder:rbac:groups=autoscaling,resources=horizontalpodautoscalers,verbs=get;list;watch;create;patch
// +kubebuilder:rbac:groups=policy,resources=poddisruptionbudgets,verbs=get;list;watch;create;patch
// +kubebuilder:rbac:groups=gateway.networking.k8s.io,resources=httproutes,verbs=get;list;watch;create;patch
// +kubebuilder:rbac:groups=kafka.strimzi.io,resources=kafkatopics,verbs=get;list;watch;create;patch

// applyAll applies children, each whatever becomes of the others.
func (r *Reconciler) applyAll(ctx context.Context, c *v1alpha1.Campaign, list []*unstructured.Unstructured) error {
	var faults []error
	for _, child := range list {
		if err := r.apply(ctx, c, child); err != nil {
			faults = append(faults, err)
		}
	}
	return errors.Join(faults...)
}

func (r *Reconciler) apply(ctx context.Context, c *v1alpha1.Campaign, child *unstructured.Unstructured) error {
	kind := child.GetKind()
	wanted := client.ApplyConfigurationFromUnstructured(child)
	if err := r.client.Apply(ctx, wanted, client.FieldOwner(children.Manager), client.ForceOwnership); err != nil {
		metrics.ChildFailures.WithLabelValues(kind).Inc()
		r.warn(c, v1alpha1.ReasonChildRefused, fmt.Sprintf("%s %s: %v", kind, child.GetName(), err))
		return fmt.Errorf("%s %s: %w", kind, child.GetName(), err)
	}
	metrics.ChildWrites.WithLabelValues(kind).Inc()
	return nil
}

// itemsManager owns spec.items where they were resolved from a selector.
const itemsManager = "campaign-operator-items"

// itemsOf is a campaign with nothing but its items to apply. The uid keeps it from making a new object
// of one that has just gone, the version from writing over what somebody has changed since.
func itemsOf(c *v1alpha1.Campaign, items []v1alpha1.Item) runtime.ApplyConfiguration {
	list := make([]any, 0, len(items))
	for _, i := range items {
		list = append(list, map[string]any{
			"sku": i.SKU, "priceFen": i.PriceFen, "settlementFen": i.SettlementFen, "units": i.Units,
		})
	}
	u := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{"items": list}}}
	u.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("Campaign"))
	u.SetNamespace(c.Namespace)
	u.SetName(c.Name)
	u.SetUID(c.UID)
	u.SetResourceVersion(c.ResourceVersion)
	return client.ApplyConfigurationFromUnstructured(u)
}
