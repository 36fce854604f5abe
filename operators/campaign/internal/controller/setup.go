package controller

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
	"github.com/qingcang/qingcang/operators/campaign/internal/campaign"
	"github.com/qingcang/qingcang/operators/campaign/internal/mirror"
	"github.com/qingcang/qingcang/operators/campaign/internal/stock"
)

const (
	// workers reconcile that many campaigns at once: each waits for the broker and the API server most of
	// its time.
	workers = 16
	// A reconcile that failed is tried again after retryFirst, then twice as long, to retryMost.
	retryFirst = 100 * time.Millisecond
	retryMost  = 30 * time.Second
	// reconcileTimeout bounds one reconcile: a broker answers a write within 10 s or not at all.
	reconcileTimeout = 30 * time.Second
	// syncTimeout bounds the wait for caches and topics at the start, after which the process ends and is
	// started again.
	syncTimeout = 2 * time.Minute
)

// Options are what the controllers are told by their process.
type Options struct {
	Settings campaign.Settings
	// Namespace is the only one whose objects are run.
	Namespace string
	// Partitions of the shared lanes.
	Partitions int
	// ResyncEvery is the pause between two looks for records whose object is gone.
	ResyncEvery time.Duration
	// Topics makes the topics of dedicated lanes.
	Topics Topics
	Now    func() time.Time
}

// Setup adds the controllers and the resync to the manager.
func Setup(ctx context.Context, mgr ctrl.Manager, m *mirror.Mirror, s *stock.Mirror, o Options) error {
	if err := mgr.GetFieldIndexer().IndexField(ctx, &v1alpha1.Campaign{}, brandField, brandOf); err != nil {
		return fmt.Errorf("index campaigns by brand: %w", err)
	}
	if err := setupCampaigns(mgr, m, s, o); err != nil {
		return fmt.Errorf("set up the campaign controller: %w", err)
	}
	if err := setupPrograms(mgr, m, o); err != nil {
		return fmt.Errorf("set up the programme controller: %w", err)
	}
	if err := mgr.Add(&census{cache: mgr.GetCache(), stock: s, namespace: o.Namespace}); err != nil {
		return fmt.Errorf("add the census: %w", err)
	}
	err := mgr.Add(&resync{
		cache: mgr.GetCache(), live: mgr.GetAPIReader(), mirror: m,
		cluster: o.Settings.Cluster, namespace: o.Namespace, every: o.ResyncEvery,
	})
	if err != nil {
		return fmt.Errorf("add the resync: %w", err)
	}
	return nil
}

func setupCampaigns(mgr ctrl.Manager, m *mirror.Mirror, s *stock.Mirror, o Options) error {
	r := &Reconciler{
		client: mgr.GetClient(), mirror: m, stock: s, topics: o.Topics, recorder: mgr.GetEventRecorder("campaign-operator"),
		settings: o.Settings, partitions: o.Partitions, now: o.Now,
	}
	b := ctrl.NewControllerManagedBy(mgr).
		Named("campaign").
		For(&v1alpha1.Campaign{}, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&v1alpha1.OwnerProgram{}, everyCampaign(mgr.GetCache(), o.Namespace),
			builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		WatchesRawSource(&changes{mirror: m, stock: s, cache: mgr.GetCache(), namespace: o.Namespace, report: r.reportParked})
	for _, kind := range o.Settings.Children.Kinds() {
		b = b.Watches(ofKind(kind), ofChild(mgr.GetCache(), o.Namespace, o.Settings.Children.OrderDeployment))
	}
	return b.WithOptions(options()).Complete(r)
}

func setupPrograms(mgr ctrl.Manager, m *mirror.Mirror, o Options) error {
	r := &Programs{
		client: mgr.GetClient(), records: m.Programs, recorder: mgr.GetEventRecorder("campaign-operator"),
		cluster: o.Settings.Cluster, now: o.Now,
	}
	return ctrl.NewControllerManagedBy(mgr).
		Named("ownerprogram").
		For(&v1alpha1.OwnerProgram{}, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		WatchesRawSource(&programChanges{mirror: m, namespace: o.Namespace}).
		WithOptions(options()).
		Complete(r)
}

func options() controller.Options {
	return controller.Options{
		MaxConcurrentReconciles: workers,
		ReconciliationTimeout:   reconcileTimeout,
		CacheSyncTimeout:        syncTimeout,
		RateLimiter: workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](
			retryFirst, retryMost),
	}
}

// brandField is the index by which a brand's campaigns are found.
const brandField = "spec.brandId"

func brandOf(object client.Object) []string {
	if c, ok := object.(*v1alpha1.Campaign); ok {
		return []string{c.Spec.BrandID}
	}
	return nil
}

func request(name types.NamespacedName) reconcile.Request {
	return reconcile.Request{NamespacedName: name}
}
