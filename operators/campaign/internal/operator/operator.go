// Package operator wires the Campaign operator together. The program and the tests start the same.
package operator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
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
	"github.com/qingcang/qingcang/operators/campaign/internal/children"
	"github.com/qingcang/qingcang/operators/campaign/internal/controller"
	"github.com/qingcang/qingcang/operators/campaign/internal/metrics"
	"github.com/qingcang/qingcang/operators/campaign/internal/mirror"
	"github.com/qingcang/qingcang/operators/campaign/internal/stock"
)

// LeaseName is the lease that operators of one namespace share when --leader-elect is given.
const LeaseName = "campaign-operator.sale.qingcang.io"

const defaultLease = 15 * time.Second

// Config is what an operator is started with.
type Config struct {
	// ClusterName is how this operator signs what it publishes. It ends only campaigns that bear it,
	// so it must be unique among the clusters of one Kafka, and must never change.
	ClusterName string
	// Namespace is the only one whose objects are run.
	Namespace string
	// MinReturnWindow is the shortest return window that it publishes.
	MinReturnWindow time.Duration
	// MetricsAddr is where metrics are served, "0" for nowhere.
	MetricsAddr string
	// ProbeAddr is where /livez and /readyz are served, "0" for nowhere.
	ProbeAddr string
	// LeaderElect lets several replicas stand by; one works.
	LeaderElect bool
	// Lease is how long a leader that is gone keeps its place, 15 s if zero.
	Lease time.Duration
	// ResyncEvery is the pause between two looks for records whose object is gone.
	ResyncEvery time.Duration
	// OrderDeployment is the name of the order service's Deployment, whose pod template dedicated lanes are
	// made from. Without it they are refused.
	OrderDeployment string
	// Gateway that the routes of dedicated lanes are attached to, nil for no routes.
	Gateway *types.NamespacedName
	// GatewayHost is the host that these routes are for, empty for any.
	GatewayHost string
	// StrimziCluster is the Kafka resource whose operator makes the topics of dedicated lanes; without it
	// they are made over the Kafka protocol.
	StrimziCluster string
	// TopicReplicas and MinInSyncReplicas are those of the topics that it makes; 0 leaves them to the brokers.
	TopicReplicas, MinInSyncReplicas int
	Kafka                            eventkit.Config
	Kubernetes                       *rest.Config
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
	reading := metrics.NewReading(readTopics())
	topics := mirror.New(conn, cfg.ClusterName, reading, log)
	goods := stock.New(conn, reading, log)

	beginCounters()
	mgr, err := newManager(cfg, log)
	if err != nil {
		return err
	}
	if err := addProbes(mgr, topics); err != nil {
		return err
	}
	optional, err := lanesOfTheirOwn(mgr, cfg, log)
	if err != nil {
		return err
	}
	err = controller.Setup(ctx, mgr, topics, goods, controller.Options{
		Settings:    campaign.Settings{Cluster: cfg.ClusterName, MinReturnWindow: cfg.MinReturnWindow, Children: optional},
		Namespace:   cfg.Namespace,
		Partitions:  lanes.Partitions,
		ResyncEvery: cfg.ResyncEvery,
		Topics:      conn,
		Now:         time.Now,
	})
	if err != nil {
		return err
	}

	// The mirrors outlive the manager, whose last reconciles may still read them.
	group, ctx := errgroup.WithContext(ctx)
	mirrors, stopMirrors := context.WithCancel(context.WithoutCancel(ctx))
	for _, run := range []func(context.Context) error{
		topics.Run, goods.Run,
		func(ctx context.Context) error { reading.Run(ctx, conn); return nil },
	} {
		group.Go(func() error {
			if err := run(mirrors); mirrors.Err() == nil {
				return err
			}
			return nil
		})
	}
	group.Go(func() error {
		defer stopMirrors()
		return manage(ctx, mgr)
	})
	return group.Wait()
}

// readTopics are the topics that the operator reads, with their partitions.
func readTopics() map[string]int {
	read := map[string]int{}
	for _, name := range []string{mirror.DesiredTopic, mirror.ProgramTopic, mirror.StatusTopic, stock.Topic} {
		if t, ok := eventkit.TopicNamed(name); ok {
			read[name] = t.Partitions
		}
	}
	return read
}

// beginCounters shows every counter at 0.
func beginCounters() {
	written := []string{mirror.DesiredTopic, mirror.ProgramTopic}
	for _, c := range []*prometheus.CounterVec{metrics.Published, metrics.PublishFailures, metrics.OrphansEnded} {
		metrics.Begin(c, written)
	}
	metrics.Begin(metrics.Parked, slices.Sorted(maps.Keys(readTopics())), mirror.Causes())
	metrics.Begin(metrics.PhaseChanges, campaign.Phases())
	metrics.Begin(metrics.StatusWrites, []string{"Campaign", "OwnerProgram"})
	kinds := []string{
		children.Deployment.Kind, children.Service.Kind, children.Autoscaler.Kind, children.Budget.Kind,
		children.Route.Kind, children.KafkaTopic.Kind,
	}
	metrics.Begin(metrics.ChildWrites, kinds)
	metrics.Begin(metrics.ChildFailures, kinds)
}

// lanesOfTheirOwn finds out what dedicated lanes can have in this cluster.
func lanesOfTheirOwn(mgr ctrl.Manager, cfg Config, log *slog.Logger) (children.Settings, error) {
	s := children.Settings{
		OrderDeployment: cfg.OrderDeployment, Gateway: cfg.Gateway, GatewayHost: cfg.GatewayHost,
		StrimziCluster: cfg.StrimziCluster, TopicPrefix: cfg.Kafka.TopicPrefix,
		TopicReplicas: cfg.TopicReplicas, MinInSyncReplicas: cfg.MinInSyncReplicas,
	}
	knows := func(kind schema.GroupVersionKind) (bool, error) {
		_, err := mgr.GetRESTMapper().RESTMapping(kind.GroupKind(), kind.Version)
		if meta.IsNoMatchError(err) {
			return false, nil
		}
		return err == nil, err
	}
	if s.Gateway != nil {
		known, err := knows(children.Route)
		if err != nil {
			return s, fmt.Errorf("look for the kind HTTPRoute: %w", err)
		}
		if !known {
			log.Warn("the cluster does not know HTTPRoute, so lanes get no routes of their own; restart when it does")
			s.Gateway = nil
		}
	}
	if s.StrimziCluster != "" {
		known, err := knows(children.KafkaTopic)
		if err != nil {
			return s, fmt.Errorf("look for the kind KafkaTopic: %w", err)
		}
		if !known {
			return s, errors.New("--strimzi-cluster is given, and the cluster does not know KafkaTopic of kafka.strimzi.io/v1: install Strimzi 0.49 or newer, or take the flag out")
		}
	}
	return s, nil
}

// newManager makes the manager. It caches the objects of one namespace without what nothing is planned
// from, and nothing else of the cluster.
func newManager(cfg Config, log *slog.Logger) (ctrl.Manager, error) {
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		return nil, fmt.Errorf("register the campaign kinds: %w", err)
	}
	kubernetes := rest.CopyConfig(cfg.Kubernetes)
	if kubernetes.QPS == 0 {
		// The API server's own priority and fairness shares it out; a client that counts to 20 a second would
		// take minutes for what a thousand campaigns need when a broker comes back.
		kubernetes.QPS = -1
	}
	lease := cmp.Or(cfg.Lease, defaultLease)
	renew, retry := lease*2/3, lease*2/15
	mgr, err := ctrl.NewManager(kubernetes, ctrl.Options{
		Scheme: scheme,
		Logger: logr.FromSlogHandler(log.Handler()),
		Cache: cache.Options{
			DefaultNamespaces: map[string]cache.Config{cfg.Namespace: {}},
			DefaultTransform:  controller.Outline(cfg.OrderDeployment),
		},
		Client: client.Options{
			Cache: &client.CacheOptions{
				// A reconcile that reads the status from before its own last write would tell people the
				// same change twice.
				EnableReadYourWritesConsistency: ptr.To(true),
				Unstructured:                    true, // children
			},
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
		LeaseDuration:           &lease,
		RenewDeadline:           &renew,
		RetryPeriod:             &retry,
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
			return fmt.Errorf("%s, %s and %s are not read yet", mirror.DesiredTopic, mirror.ProgramTopic, mirror.StatusTopic)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("add the readiness check: %w", err)
	}
	return nil
}
