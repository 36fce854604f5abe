// Package operator wires the Campaign operator together. The program and the tests start the same.
package operator

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/go-logr/logr"
	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/qingcang/qingcang/proto/eventkit"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
	"github.com/qingcang/qingcang/operators/campaign/internal/campaign"
	"github.com/qingcang/qingcang/operators/campaign/internal/controller"
	"github.com/qingcang/qingcang/operators/campaign/internal/mirror"
)

// LeaseName is the lease that operators of one namespace share when --leader-elect is given.
const LeaseName = "campaign-operator.sale.qingcang.io"

// Config is what an operator is started with.
type Config struct {
	// ClusterName is how this operator signs what it publishes. It ends only campaigns that bear it,
	// so it must be unique among the clusters of one Kafka, and must never change.
	ClusterName string
	// Namespace is the only one whose campaigns are run.
	Namespace string
	// MinReturnWindow is the shortest return window that it publishes.
	MinReturnWindow time.Duration
	// MetricsAddr is where metrics are served, "0" for nowhere.
	MetricsAddr string
	// ProbeAddr is where /livez and /readyz are served, "0" for nowhere.
	ProbeAddr string
	// LeaderElect lets several replicas stand by; one works.
	LeaderElect bool
	// ResyncEvery is the pause between two looks for campaigns whose object is gone.
	ResyncEvery time.Duration
	Kafka       eventkit.Config
	Kubernetes  *rest.Config
}

// Run runs an operator until ctx ends.
func Run(ctx context.Context, cfg Config, log *slog.Logger) error {
	lanes, ok := eventkit.TopicNamed(campaign.SharedLanes)
	if !ok {
		return fmt.Errorf("topic %s is not in the list of topics", campaign.SharedLanes)
	}
	conn, err := eventkit.Dial(cfg.Kafka)
	if err != nil {
		return err
	}
	defer conn.Close()
	topics := mirror.New(conn, cfg.ClusterName, log)

	mgr, err := newManager(cfg, log)
	if err != nil {
		return err
	}
	if err := addProbes(mgr, topics); err != nil {
		return err
	}
	err = controller.Setup(mgr, topics, controller.Options{
		Settings:    campaign.Settings{Cluster: cfg.ClusterName, MinReturnWindow: cfg.MinReturnWindow},
		Namespace:   cfg.Namespace,
		Partitions:  lanes.Partitions,
		ResyncEvery: cfg.ResyncEvery,
		Now:         time.Now,
	})
	if err != nil {
		return err
	}

	// The mirror outlives the manager, whose last reconciles may still read it.
	group, ctx := errgroup.WithContext(ctx)
	reading, stopReading := context.WithCancel(context.WithoutCancel(ctx))
	group.Go(func() error {
		if err := topics.Run(reading); reading.Err() == nil {
			return err
		}
		return nil
	})
	group.Go(func() error {
		defer stopReading()
		return mgr.Start(ctx)
	})
	return group.Wait()
}

// newManager makes the manager. It caches the campaigns of one namespace without their managed
// fields, and nothing else of the cluster.
func newManager(cfg Config, log *slog.Logger) (ctrl.Manager, error) {
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		return nil, fmt.Errorf("register the campaign kinds: %w", err)
	}
	mgr, err := ctrl.NewManager(cfg.Kubernetes, ctrl.Options{
		Scheme: scheme,
		Logger: logr.FromSlogHandler(log.Handler()),
		Cache: cache.Options{
			DefaultNamespaces: map[string]cache.Config{cfg.Namespace: {}},
			DefaultTransform:  cache.TransformStripManagedFields(),
		},
		Client: client.Options{
			// A reconcile that reads the status from before its own last write would tell people the
			// same change twice.
			Cache: &client.CacheOptions{EnableReadYourWritesConsistency: ptr.To(true)},
		},
		// Several operators run in one process in tests; names of controllers are for metrics only.
		Controller:              config.Controller{SkipNameValidation: ptr.To(true)},
		Metrics:                 server.Options{BindAddress: cfg.MetricsAddr},
		HealthProbeBindAddress:  cfg.ProbeAddr,
		LivenessEndpointName:    "/livez",
		ReadinessEndpointName:   "/readyz",
		LeaderElection:          cfg.LeaderElect,
		LeaderElectionID:        LeaseName,
		LeaderElectionNamespace: cfg.Namespace,
		// The process ends when Run returns, so the next one need not wait for the lease to run out.
		LeaderElectionReleaseOnCancel: true,
	})
	if err != nil {
		return nil, fmt.Errorf("reach the Kubernetes API: %w", err)
	}
	return mgr, nil
}

// addProbes makes /livez and /readyz. A broker that went away later does not make the operator
// unready: it waits for it, and a restart would not bring it back.
func addProbes(mgr ctrl.Manager, topics *mirror.Mirror) error {
	if err := mgr.AddHealthzCheck("ping", func(*http.Request) error { return nil }); err != nil {
		return fmt.Errorf("add the liveness check: %w", err)
	}
	err := mgr.AddReadyzCheck("topics", func(*http.Request) error {
		if !topics.Ready() {
			return fmt.Errorf("%s and %s are not read yet", mirror.DesiredTopic, mirror.StatusTopic)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("add the readiness check: %w", err)
	}
	return nil
}
