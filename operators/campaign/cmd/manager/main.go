// Command manager runs the Campaign operator.
//
//	manager --cluster-name demo --namespace qingcang
//
// It finds the API server as every Kubernetes client does (--kubeconfig, KUBECONFIG, in the cluster),
// and Kafka by KAFKA_BROKERS and the other KAFKA_ variables.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/caarlos0/env/v11"
	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/qingcang/qingcang/operators/campaign/internal/campaign"
	"github.com/qingcang/qingcang/operators/campaign/internal/operator"
	"github.com/qingcang/qingcang/operators/campaign/internal/version"
)

const (
	exitFailed = 1
	// exitConfig tells a supervisor that starting again will not help.
	exitConfig = 2
	// resyncEvery bounds how long a campaign outlives an object that lost its finalizer.
	resyncEvery = time.Minute
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	context.AfterFunc(ctx, stop) // a second signal kills at once
	os.Exit(run(ctx))
}

func run(ctx context.Context) int {
	cfg, level, err := configure()
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "campaign-operator: configuration: %s\n", strings.ReplaceAll(err.Error(), "\n", "; "))
		return exitConfig
	}
	log := slog.New(slog.NewJSONHandler(os.Stdout, &slog.HandlerOptions{Level: level})).With("service", "campaign-operator")
	setCollector()
	ctrl.SetLogger(logr.FromSlogHandler(log.Handler()))
	klog.SetSlogLogger(log)

	log.Info("starting", "version", version.Running(), "cluster", cfg.ClusterName, "namespace", cfg.Namespace)
	if err := operator.Run(ctx, cfg, log); err != nil && ctx.Err() == nil {
		log.Error("stopped by an error", "err", err)
		return exitFailed
	}
	log.Info("stopped")
	return 0
}

// configure reads flags and environment and names everything that is wrong with them at once.
func configure() (operator.Config, slog.Level, error) {
	cfg := operator.Config{ResyncEvery: resyncEvery}
	// controller-runtime keeps --kubeconfig in the process's own flag set.
	flags := flag.CommandLine
	flags.Init("manager", flag.ContinueOnError)
	flags.StringVar(&cfg.ClusterName, "cluster-name", "", "`name` of this cluster, unique among those of one Kafka; it must never change")
	flags.StringVar(&cfg.Namespace, "namespace", "", "the `namespace` whose campaigns are run")
	flags.DurationVar(&cfg.MinReturnWindow, "min-return-window", campaign.LegalReturnWindow,
		"shortest return `window` that is allowed; under 168h, which only demos and tests may, windows may begin at signing too")
	flags.StringVar(&cfg.MetricsAddr, "metrics-bind-address", "0", "`address` of the metrics, 0 for none")
	flags.StringVar(&cfg.ProbeAddr, "health-probe-bind-address", ":8081", "`address` of /livez and /readyz, 0 for none")
	flags.BoolVar(&cfg.LeaderElect, "leader-elect", false, "let several replicas stand by")
	flags.StringVar(&cfg.OrderDeployment, "order-deployment", "", "`name` of the order service's Deployment, whose pods dedicated lanes copy; without it they are refused")
	flags.StringVar(&cfg.StrimziCluster, "strimzi-cluster", "", "`name` of the Kafka resource in which topics of dedicated lanes are made as KafkaTopics; without it they are made over the Kafka protocol")
	flags.IntVar(&cfg.TopicReplicas, "strimzi-replicas", 0, "`number` of replicas of these KafkaTopics; 0 leaves it to the brokers")
	flags.IntVar(&cfg.MinInSyncReplicas, "strimzi-min-insync-replicas", 0, "`number` of replicas that must have a write before it counts; 0 leaves it to the brokers")
	gateway := flags.String("gateway", "", "`namespace/name` of the Gateway that routes of dedicated lanes are attached to")
	flags.StringVar(&cfg.GatewayHost, "gateway-host", "", "`host` that these routes are for, which is the one of the order service's own route; any host when empty")
	if err := flags.Parse(os.Args[1:]); err != nil {
		return cfg, 0, err
	}

	var faults []error
	if *gateway != "" {
		namespace, name, ok := strings.Cut(*gateway, "/")
		if !ok || namespace == "" || name == "" || strings.Contains(name, "/") {
			faults = append(faults, errors.New("--gateway is written namespace/name"))
		}
		cfg.Gateway = &types.NamespacedName{Namespace: namespace, Name: name}
	}
	if cfg.TopicReplicas < 0 || cfg.MinInSyncReplicas < 0 || cfg.TopicReplicas > 0 && cfg.MinInSyncReplicas > cfg.TopicReplicas {
		faults = append(faults, errors.New("--strimzi-min-insync-replicas is 0 to --strimzi-replicas"))
	}
	if cfg.ClusterName == "" {
		faults = append(faults, errors.New("--cluster-name is missing"))
	}
	if cfg.Namespace == "" {
		faults = append(faults, errors.New("--namespace is missing"))
	}
	if cfg.MinReturnWindow < time.Second {
		faults = append(faults, errors.New("--min-return-window is at least 1s"))
	}
	var level slog.Level
	if name := os.Getenv("LOG_LEVEL"); name != "" {
		faults = append(faults, level.UnmarshalText([]byte(name)))
	}
	faults = append(faults, env.Parse(&cfg.Kafka))
	var err error
	if cfg.Kubernetes, err = ctrl.GetConfig(); err != nil {
		faults = append(faults, fmt.Errorf("no way to the Kubernetes API: %w", err))
	}
	return cfg, level, errors.Join(faults...)
}
