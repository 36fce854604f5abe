package controller

import (
	"context"
	"fmt"
	"time"

	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
	"github.com/qingcang/qingcang/operators/campaign/internal/campaign"
	"github.com/qingcang/qingcang/operators/campaign/internal/mirror"
)

const (
	// workers reconcile that many campaigns at once; one waits for the broker while others go on.
	workers = 4
	// countsPause gathers the changes of counts during a sale into one status write: the API server
	// checks all items each time, about 25 ms for a thousand.
	countsPause = 2 * time.Second
	// A reconcile that failed is tried again after retryFirst, then twice as long, to retryMost.
	retryFirst = 100 * time.Millisecond
	retryMost  = 30 * time.Second
	// reconcileTimeout bounds one reconcile: a broker answers a write within 10 s or not at all.
	reconcileTimeout = 30 * time.Second
)

// Options are what the controller is told by its process.
type Options struct {
	Settings campaign.Settings
	// Namespace is the only one whose campaigns are run.
	Namespace string
	// Partitions of the shared lanes.
	Partitions int
	// ResyncEvery is the pause between two looks for campaigns whose object is gone.
	ResyncEvery time.Duration
	Now         func() time.Time
}

// Setup adds the controller and its resync to the manager.
func Setup(mgr ctrl.Manager, m *mirror.Mirror, o Options) error {
	r := &Reconciler{
		client: mgr.GetClient(), mirror: m, recorder: mgr.GetEventRecorder("campaign-operator"),
		settings: o.Settings, partitions: o.Partitions, now: o.Now,
	}
	err := ctrl.NewControllerManagedBy(mgr).
		Named("campaign").
		For(&v1alpha1.Campaign{}, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		WatchesRawSource(&changes{mirror: m, namespace: o.Namespace}).
		WithOptions(controller.Options{
			MaxConcurrentReconciles: workers,
			ReconciliationTimeout:   reconcileTimeout,
			RateLimiter: workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](
				retryFirst, retryMost),
		}).
		Complete(r)
	if err != nil {
		return fmt.Errorf("set up the controller: %w", err)
	}
	return mgr.Add(&resync{
		cache: mgr.GetCache(), live: mgr.GetAPIReader(), mirror: m,
		cluster: o.Settings.Cluster, namespace: o.Namespace, every: o.ResyncEvery,
	})
}

// changes queues a campaign when its lane says something new. It counts as synced, and so lets the
// workers begin, when both topics have been read: a plan made before would publish again what stands
// there already.
type changes struct {
	mirror    *mirror.Mirror
	namespace string
}

// Start begins to queue changes. What changed before is in the mirror when the queue's first
// campaigns, those of the informer, are planned after WaitForSync.
func (s *changes) Start(_ context.Context, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
	s.mirror.OnChange(func(c mirror.Change) {
		switch {
		case c.Campaign.Namespace != s.namespace:
		case c.Decisive:
			queue.Add(reconcile.Request{NamespacedName: c.Campaign})
		default:
			queue.AddAfter(reconcile.Request{NamespacedName: c.Campaign}, countsPause)
		}
	})
	return nil
}

// WaitForSync waits until the mirror is complete.
func (s *changes) WaitForSync(ctx context.Context) error { return s.mirror.WaitReady(ctx) }
