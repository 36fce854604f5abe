package controller

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
	"github.com/qingcang/qingcang/operators/campaign/internal/campaign"
	"github.com/qingcang/qingcang/operators/campaign/internal/children"
	"github.com/qingcang/qingcang/operators/campaign/internal/mirror"
	"github.com/qingcang/qingcang/operators/campaign/internal/stock"
)

const (
	// countsPause gathers the changes of counts during a sale into one status write: the API server
	// checks all items each time, about 25 ms for a thousand.
	countsPause = 2 * time.Second
	// countsRate bounds the status writes a second for counts, of all campaigns together.
	countsRate = 50
)

// changes queues a campaign when its lane says something new, or its brand has something new to give. It
// counts as synced, and so lets the workers begin, when the topics of desired states and statuses have been
// read: a plan made before would publish again what stands there already. For stock nobody waits: who needs
// it is looked at again.
type changes struct {
	mirror    *mirror.Mirror
	stock     *stock.Mirror
	cache     client.Reader
	namespace string
	report    func(ctx context.Context, name types.NamespacedName, cause mirror.Cause)
}

type queue = workqueue.TypedRateLimitingInterface[reconcile.Request]

// Start begins to queue changes. What changed before is in the mirror when the queue's first
// campaigns, those of the informer, are planned after WaitForSync.
func (s *changes) Start(ctx context.Context, q queue) error {
	s.mirror.OnChange(func(c mirror.Change) {
		switch {
		case c.Campaign.Namespace != s.namespace:
		case c.Parked != "":
			s.report(ctx, c.Campaign, c.Parked)
		case c.Decisive:
			q.Add(request(c.Campaign))
		default:
			q.AddAfter(request(c.Campaign), pauseFor(s.mirror.Open()))
		}
	})
	s.mirror.Campaigns.OnOlder(func(name types.NamespacedName) {
		if name.Namespace == s.namespace {
			q.Add(request(name))
		}
	})
	s.stock.OnChange(func(brandID string) { s.queueBrand(ctx, q, brandID) })
	return nil
}

// pauseFor is how long the counts of a campaign are gathered while so many campaigns sell.
func pauseFor(selling int) time.Duration {
	return max(countsPause, time.Duration(selling)*time.Second/countsRate)
}

// queueBrand queues those campaigns of a brand, of every brand if it is empty, that wait for stock.
func (s *changes) queueBrand(ctx context.Context, q queue, brandID string) {
	in := []client.ListOption{client.InNamespace(s.namespace), client.UnsafeDisableDeepCopy}
	if brandID != "" {
		in = append(in, client.MatchingFields{brandField: brandID})
	}
	var list v1alpha1.CampaignList
	if err := s.cache.List(ctx, &list, in...); err != nil {
		return // the caches are not filled yet, and then every campaign is queued
	}
	for i := range list.Items {
		c := &list.Items[i]
		if lane, _ := s.mirror.Lane(string(c.UID)); campaign.StockNeeded(c, lane) != campaign.NoStock {
			q.Add(request(client.ObjectKeyFromObject(c)))
		}
	}
}

// WaitForSync waits until the mirror is complete.
func (s *changes) WaitForSync(ctx context.Context) error { return s.mirror.WaitReady(ctx) }

// reportParked tells people of a record that names their campaign and is not obeyed.
func (r *Reconciler) reportParked(ctx context.Context, name types.NamespacedName, cause mirror.Cause) {
	c := &v1alpha1.Campaign{}
	// Who reads the topic does not wait for the cache to catch up with what was written.
	if err := r.client.Get(ctx, name, c, client.DisableReadYourWritesConsistency); err != nil {
		return // it is counted and logged in any case
	}
	r.warn(c, "RecordParked", fmt.Sprintf(
		"A record of %s under this campaign's key is not obeyed (%s): only the order service may write that topic", mirror.StatusTopic, cause))
}

// programChanges lets the workers begin when programs.v1 has been read.
type programChanges struct {
	mirror    *mirror.Mirror
	namespace string
}

// Start queues a programme whose record an older one has replaced.
func (s *programChanges) Start(_ context.Context, q queue) error {
	s.mirror.Programs.OnOlder(func(name types.NamespacedName) {
		if name.Namespace == s.namespace {
			q.Add(request(name))
		}
	})
	return nil
}

// WaitForSync waits until the mirror is complete.
func (s *programChanges) WaitForSync(ctx context.Context) error { return s.mirror.WaitReady(ctx) }

func ofKind(kind schema.GroupVersionKind) client.Object {
	object := &unstructured.Unstructured{}
	object.SetGroupVersionKind(kind)
	return object
}

// ofChild maps a child to its campaign, and the order service's Deployment to every campaign that has pods
// made from it.
func ofChild(cache client.Reader, namespace, orderDeployment string) handler.EventHandler {
	return handler.EnqueueRequestsFromMapFunc(func(ctx context.Context, object client.Object) []reconcile.Request {
		if name := object.GetAnnotations()[children.CampaignAnnotation]; name != "" {
			return []reconcile.Request{request(types.NamespacedName{Namespace: object.GetNamespace(), Name: name})}
		}
		if object.GetName() != orderDeployment {
			return nil
		}
		return campaignsOf(ctx, cache, namespace, func(c *v1alpha1.Campaign) bool { return c.Spec.Lane.Dedicated != nil })
	})
}

// everyCampaign maps a programme to all campaigns: its return window is asked of each.
func everyCampaign(cache client.Reader, namespace string) handler.EventHandler {
	return handler.EnqueueRequestsFromMapFunc(func(ctx context.Context, _ client.Object) []reconcile.Request {
		return campaignsOf(ctx, cache, namespace, func(*v1alpha1.Campaign) bool { return true })
	})
}

func campaignsOf(ctx context.Context, cache client.Reader, namespace string, which func(*v1alpha1.Campaign) bool) []reconcile.Request {
	var list v1alpha1.CampaignList
	if err := cache.List(ctx, &list, client.InNamespace(namespace), client.UnsafeDisableDeepCopy); err != nil {
		return nil // the caches are not filled yet, and then every campaign is queued
	}
	var requests []reconcile.Request
	for i := range list.Items {
		if which(&list.Items[i]) {
			requests = append(requests, request(client.ObjectKeyFromObject(&list.Items[i])))
		}
	}
	return requests
}
