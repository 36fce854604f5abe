package controller

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
	"github.com/qingcang/qingcang/operators/campaign/internal/campaign"
	"github.com/qingcang/qingcang/operators/campaign/internal/children"
	"github.com/qingcang/qingcang/operators/campaign/internal/stock"
)

// gather puts together all that is known of a campaign.
func (r *Reconciler) gather(ctx context.Context, c *v1alpha1.Campaign) (campaign.Snapshot, error) {
	uid := string(c.UID)
	s := campaign.Snapshot{Settings: r.settings, Campaign: c}
	s.Published, _ = r.mirror.Campaigns.Of(uid)
	s.Newest, s.Ended = r.mirror.Campaigns.Newest(uid)
	s.Attempted, _ = r.mirror.Campaigns.Attempted(uid)
	s.Lane, s.HeardAt = r.mirror.Lane(uid)
	s.Stock = r.stockOf(c, s)
	if s.Published == nil {
		s.Shared = r.sharedUse()
	}
	var err error
	if s.Program, err = r.programWindow(ctx, c.Namespace); err != nil {
		return s, err
	}
	s.Pods, err = r.podsOf(ctx, c)
	return s, err
}

// stockOf looks at as much of the brand's stock as the plan needs.
func (r *Reconciler) stockOf(c *v1alpha1.Campaign, s campaign.Snapshot) stock.View {
	switch campaign.StockNeeded(c, s.Lane) {
	case campaign.BrandStock:
		return r.stock.Brand(c.Spec.BrandID, string(c.UID))
	case campaign.ItemsStock:
		skus := make([]string, 0, len(c.Spec.Items))
		for _, i := range c.Spec.Items {
			skus = append(skus, i.SKU)
		}
		return r.stock.Of(c.Spec.BrandID, string(c.UID), skus)
	default:
		return stock.View{}
	}
}

// programWindow finds the programme with the longest return window; there are few.
func (r *Reconciler) programWindow(ctx context.Context, namespace string) (campaign.ProgramWindow, error) {
	var list v1alpha1.OwnerProgramList
	var longest campaign.ProgramWindow
	if err := r.client.List(ctx, &list, client.InNamespace(namespace), client.UnsafeDisableDeepCopy); err != nil {
		return longest, fmt.Errorf("list programmes: %w", err)
	}
	for i := range list.Items {
		p := &list.Items[i]
		if w := p.Spec.ReturnWindow.Duration; p.DeletionTimestamp.IsZero() && w > longest.Window {
			longest = campaign.ProgramWindow{Name: p.Name, Window: w}
		}
	}
	return longest, nil
}

// podsOf looks at what stands in the cluster of a lane of its own.
func (r *Reconciler) podsOf(ctx context.Context, c *v1alpha1.Campaign) (campaign.Pods, error) {
	kinds := r.settings.Children.Kinds()
	if c.Spec.Lane.Dedicated == nil || len(kinds) == 0 {
		return campaign.Pods{}, nil
	}
	pods := campaign.Pods{Live: map[schema.GroupVersionKind]*unstructured.Unstructured{}}
	for _, kind := range kinds {
		child, err := r.read(ctx, kind, client.ObjectKey{Namespace: c.Namespace, Name: children.Name(c)})
		switch {
		case err != nil:
			return pods, err
		case child == nil:
		case !children.Owned(child, c):
			pods.Fault = fmt.Sprintf("%s %s is there already and is not this campaign's: delete or rename it", kind.Kind, child.GetName())
		default:
			pods.Live[kind] = child
		}
	}
	order, err := r.read(ctx, children.Deployment, client.ObjectKey{Namespace: c.Namespace, Name: r.settings.Children.OrderDeployment})
	if err != nil || order == nil {
		return pods, err
	}
	pods.Order = &appsv1.Deployment{}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(order.Object, pods.Order); err != nil {
		return pods, fmt.Errorf("read the order service's Deployment: %w", err)
	}
	return pods, nil
}

// read returns an object of the cache, nil if it is not there or its kind has gone.
func (r *Reconciler) read(ctx context.Context, kind schema.GroupVersionKind, key client.ObjectKey) (*unstructured.Unstructured, error) {
	object := &unstructured.Unstructured{}
	object.SetGroupVersionKind(kind)
	switch err := r.client.Get(ctx, key, object); {
	case err == nil:
		return object, nil
	case apierrors.IsNotFound(err), meta.IsNoMatchError(err):
		return nil, nil
	default:
		return nil, fmt.Errorf("read %s %s: %w", kind.Kind, key.Name, err)
	}
}
