// Package suite runs all of Qingcang on one machine: database, broker, control plane, simulators,
// the five services (two replicas of order behind a proxy) and the operator, each a process of its
// own under one supervisor. It hands out addresses and log-ins, and knows nothing of what goes on
// inside.
package suite

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/qingcang/qingcang/hack/internal/stack"
	"github.com/qingcang/qingcang/proto/eventkit"
)

// Options say how a suite is run.
type Options struct {
	// Root is the repository, Dir where this suite keeps what it remembers.
	Root, Dir string
	// MinReturnWindow is what the operator lets a campaign's return window shrink to; 0 is the law's.
	MinReturnWindow time.Duration
	// KafkaBrokers is a Kafka that has none of the suite's topics yet, host:port with commas; the
	// embedded broker runs when it is empty.
	KafkaBrokers string
	// Kubeconfig is an administrator's way to a cluster that is there; the embedded control plane runs
	// when it is empty. The suite takes away from a cluster what it brought.
	Kubeconfig string
	// Metrics lets every process of the product serve its metrics.
	Metrics  bool
	Progress io.Writer
	Log      *slog.Logger
}

// Suite is a running suite.
type Suite struct {
	Addresses
	Supervisor *stack.Supervisor
	Assets     stack.Assets
	// Kubeconfig is the administrator's.
	Kubeconfig string
	// Embedded are the database and the broker; the broker is Options.KafkaBrokers where that is set.
	Embedded stack.Embedded
	// Namespace is where the operator looks for campaigns.
	Namespace string
	// Dir holds data, keys and logs.
	Dir string

	opts               Options
	binaries           stack.Binaries
	ports              ports
	operatorKubeconfig string
	// joined says that a cluster which was there has something of this suite, crds which CRDs it brought.
	joined bool
	crds   []string
}

// Addresses are the base URLs that people and partners use.
type Addresses struct {
	BrandIntake, Catalog, StoreOwner, Order, Fulfilment, Simulator string
}

// Namespace of the campaigns in the embedded control plane, and the cluster's name in the desired states.
const (
	namespace   = "qingcang"
	clusterName = "demo"
)

// Start builds what is not built yet and brings everything up. The caller stops the suite, also
// after an error.
func Start(ctx context.Context, o Options) (*Suite, error) {
	s := &Suite{opts: o, Dir: o.Dir, Namespace: namespace}
	var err error
	if s.Assets, err = s.findKubectl(ctx); err != nil {
		return s, err
	}
	if s.binaries, err = stack.Build(ctx, o.Root, o.Progress); err != nil {
		return s, err
	}
	if s.Supervisor, err = stack.NewSupervisor(filepath.Join(o.Dir, "logs"), o.Log); err != nil {
		return s, err
	}
	plane := s.startPlane
	if o.Kubeconfig != "" {
		plane = s.joinCluster
	}
	for _, step := range []struct {
		what string
		run  func(context.Context) error
	}{
		{"ports and keys", s.prepare},
		{"database and broker", s.startEmbedded},
		{"control plane", plane},
		{"simulators", s.startSimulators},
		{"services", s.startServices},
		{"operator", s.startOperator},
	} {
		started := time.Now()
		if err := step.run(ctx); err != nil {
			return s, fmt.Errorf("start the %s: %w", step.what, err)
		}
		_, _ = fmt.Fprintf(o.Progress, "  %-22s up after %.1f s\n", step.what, time.Since(started).Seconds())
	}
	return s, nil
}

// Root is the repository that the suite was built from.
func (s *Suite) Root() string { return s.opts.Root }

// Stop leaves a cluster that is not the suite's own, and ends every process, the youngest first.
func (s *Suite) Stop() {
	s.leaveCluster()
	if s.Supervisor != nil {
		s.Supervisor.Stop()
	}
}

func (s *Suite) prepare(context.Context) error {
	if err := MakeKeys(s.path("keys")); err != nil {
		return err
	}
	var err error
	if s.ports, err = loadPorts(s.path("ports.json")); err != nil {
		return err
	}
	s.Addresses = Addresses{
		BrandIntake: s.ports.url("brand-intake"), Catalog: s.ports.url("catalog"), StoreOwner: s.ports.url("store-owner"),
		Order: s.ports.url("order"), Fulfilment: s.ports.url("fulfilment"), Simulator: s.ports.url("sim"),
	}
	return nil
}

func (s *Suite) startEmbedded(ctx context.Context) error {
	var err error
	if s.opts.KafkaBrokers != "" {
		s.Embedded.Brokers = s.opts.KafkaBrokers
		s.Embedded.MongoURI, err = stack.StartDatabase(ctx, s.Supervisor, s.binaries, s.path("data"))
	} else {
		s.Embedded, err = stack.StartEmbedded(ctx, s.Supervisor, s.binaries, s.path("data"))
	}
	if err != nil {
		return err
	}
	conn, err := eventkit.Dial(eventkit.Config{Brokers: strings.Split(s.Embedded.Brokers, ",")})
	if err != nil {
		return err
	}
	defer conn.Close()
	return conn.Ensure(ctx, eventkit.Topics()...)
}

func (s *Suite) path(parts ...string) string {
	return filepath.Join(append([]string{s.Dir}, parts...)...)
}

// DefaultDir is where a demo that is to survive its end keeps its data.
func DefaultDir() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find the user's cache folder: %w", err)
	}
	return filepath.Join(cache, "qingcang", "demo"), nil
}
