// Package field is where a siege takes place: broker, database, a simulated WeChat Pay and two
// replicas of the order service, each a process of its own, with a faulty link before each of what
// they need. It drives them as the world outside does: by their public interfaces and their topics.
package field

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/qingcang/qingcang/hack/internal/offers"
	"github.com/qingcang/qingcang/hack/internal/stack"
	"github.com/qingcang/qingcang/proto/eventkit"
)

// The processes by their names in the supervisor.
const (
	Broker    = "broker"
	Database  = "database"
	Simulator = "sim"
	ReplicaA  = "order-a"
	ReplicaB  = "order-b"
	front     = "proxy"
)

// stopTimeout is what is left to stores whose data nobody will read.
const stopTimeout = 2 * time.Second

// Replicas are the order service.
var Replicas = []string{ReplicaA, ReplicaB}

// Other is the replica that is not this one.
func Other(replica string) string {
	if replica == ReplicaA {
		return ReplicaB
	}
	return ReplicaA
}

// Options of a field.
type Options struct {
	// Root is the repository, Dir a folder for data and logs.
	Root, Dir string
	// Previous is the commit of a release before this one, which the replicas begin with; empty for none.
	Previous string
	// Mutant is a bug to plant in the order service, without "mutant_"; empty for none.
	Mutant string
	// Kafka runs three brokers of Apache Kafka in place of the embedded one, without a link before them.
	Kafka bool
	// SmallDisk mounts a file system of this many bytes for broker and database each; 0 is none.
	SmallDisk int64
	Progress  io.Writer
	Log       *slog.Logger
}

// Field is a running field.
type Field struct {
	// Conn reaches the broker past its link where there is one.
	Conn *eventkit.Conn
	// Shop is where buyers order.
	Shop *Shop
	// Kafka is set where Options.Kafka is.
	Kafka *stack.Kafka

	opts       Options
	binaries   binaries
	supervisor *stack.Supervisor
	links      *Links
	addresses  addresses
	mongo      *mongo.Client
	scraper    *http.Client
	offers     *offers.Desk
	unmount    []func() error
}

// addresses are host:port.
type addresses struct {
	sim, simLink, database, databaseLink, broker, brokerLink, front string
	replicas, metrics                                               map[string]string
}

// Start builds what runs and brings it up. Stop must be called, also after an error.
func Start(ctx context.Context, o Options) (*Field, error) {
	f := &Field{opts: o, scraper: &http.Client{Timeout: 2 * time.Second}}
	var err error
	if f.supervisor, err = stack.NewSupervisor(f.path("logs"), o.Log); err != nil {
		return f, err
	}
	for _, step := range []struct {
		what string
		run  func(context.Context) error
	}{
		{"binaries", f.build},
		{"keys and ports", f.prepare},
		{"simulator and database", f.startStores},
		{"broker", f.startBroker},
		{"connections", f.connect},
		{"replicas", f.startReplicas},
	} {
		if err := step.run(ctx); err != nil {
			return f, fmt.Errorf("start the field: %s: %w", step.what, err)
		}
	}
	return f, nil
}

// Stop ends every process.
func (f *Field) Stop() error {
	var errs []error
	if f.mongo != nil {
		errs = append(errs, f.mongo.Disconnect(context.Background()))
	}
	if f.supervisor != nil {
		f.supervisor.Stop()
	}
	if f.links != nil {
		f.links.close()
	}
	if f.Conn != nil {
		f.Conn.Close()
	}
	for _, unmount := range f.unmount {
		errs = append(errs, unmount())
	}
	return errors.Join(errs...)
}

func (f *Field) path(parts ...string) string {
	return filepath.Join(append([]string{f.opts.Dir}, parts...)...)
}

// LogFile is what a process has written.
func (f *Field) LogFile(process string) string { return f.supervisor.LogFile(process) }

func (f *Field) prepare(context.Context) error {
	if err := makeKeys(f.path("keys")); err != nil {
		return err
	}
	ports, err := stack.FreePorts(9)
	if err != nil {
		return err
	}
	at := func(i int) string { return fmt.Sprintf("127.0.0.1:%d", ports[i]) }
	f.addresses = addresses{
		sim: at(0), database: at(1), broker: at(2), brokerLink: at(3), front: at(4),
		replicas: map[string]string{ReplicaA: at(5), ReplicaB: at(6)},
		metrics:  map[string]string{ReplicaA: at(7), ReplicaB: at(8)},
	}
	f.links = newLinks()
	if f.addresses.simLink, err = f.links.add(Simulator, "127.0.0.1:0", f.addresses.sim); err != nil {
		return err
	}
	if f.addresses.databaseLink, err = f.links.add(Database, "127.0.0.1:0", f.addresses.database); err != nil {
		return err
	}
	if f.Shop, err = newShop(f.path("keys"), f.addresses); err != nil {
		return err
	}
	if f.opts.Kafka {
		return nil
	}
	// The broker tells its clients this address, so it cannot be found while it is bound.
	_, err = f.links.add(Broker, f.addresses.brokerLink, f.addresses.broker)
	return err
}

func (f *Field) startStores(ctx context.Context) error {
	for _, name := range []string{Database, Broker} {
		if f.opts.SmallDisk > 0 {
			unmount, err := mountSmall(f.path(name), f.opts.SmallDisk)
			if err != nil {
				return err
			}
			f.unmount = append(f.unmount, unmount)
		}
	}
	err := f.supervisor.Start(ctx, stack.Process{
		Name: Simulator, Path: f.binaries.path("sim"), Args: []string{"-listen", f.addresses.sim, "-dir", f.path("sim")},
		Ready: stack.HTTPReady("http://" + f.addresses.sim + "/readyz"), StopTimeout: stopTimeout,
	})
	if err != nil {
		return err
	}
	return f.supervisor.Start(ctx, stack.Process{
		Name: Database, Path: f.binaries.embedded.Path("ferretdb"), Args: []string{"-listen", f.addresses.database, "-dir", f.path(Database)},
		Ready: stack.TCPReady(f.addresses.database), StopTimeout: stopTimeout,
	})
}

func (f *Field) startBroker(ctx context.Context) error {
	if !f.opts.Kafka {
		return f.supervisor.Start(ctx, stack.Process{
			Name: Broker, Path: f.binaries.embedded.Path("broker"),
			Args:  []string{"-listen", f.addresses.broker, "-advertise", f.addresses.brokerLink, "-dir", f.path(Broker)},
			Ready: stack.TCPReady(f.addresses.broker), StopTimeout: stopTimeout,
		})
	}
	jars, err := stack.FetchKafka(ctx, f.opts.Root, f.opts.Progress)
	if err != nil {
		return err
	}
	f.Kafka, err = stack.StartKafka(ctx, f.supervisor, jars, f.path("kafka"))
	return err
}

// brokers is what clients are told.
func (f *Field) brokers() string {
	if f.opts.Kafka {
		return f.Kafka.Addresses()
	}
	return f.addresses.brokerLink
}

func (f *Field) connect(ctx context.Context) error {
	var err error
	if f.Conn, err = eventkit.Dial(eventkit.Config{Brokers: strings.Split(f.brokers(), ",")}); err != nil {
		return err
	}
	f.offers = offers.New(f.Conn)
	f.mongo, err = mongo.Connect(options.Client().ApplyURI("mongodb://" + f.addresses.database).SetTimeout(10 * time.Second))
	if err != nil {
		return err
	}
	return f.Conn.Ensure(ctx, eventkit.Topics()...)
}

func (f *Field) startReplicas(ctx context.Context) error {
	started := make(chan error, len(Replicas))
	for _, name := range Replicas {
		process := stack.Process{
			Name: name, Path: f.binaries.path(name), Env: f.environment(name),
			Ready: stack.HTTPReady(f.url(name) + "/readyz"),
		}
		go func() { started <- f.supervisor.Start(ctx, process) }()
	}
	var errs []error
	for range Replicas {
		errs = append(errs, <-started)
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	// Notices of WeChat Pay go to whoever is there.
	return f.supervisor.Start(ctx, stack.Process{
		Name: front, Path: f.binaries.path("proxy"),
		Args:  []string{"-listen", f.addresses.front, f.url(ReplicaA), f.url(ReplicaB)},
		Ready: stack.HTTPReady("http://" + f.addresses.front + "/readyz"),
	})
}

func (f *Field) url(replica string) string { return "http://" + f.addresses.replicas[replica] }

// The merchant of the simulated WeChat Pay.
const (
	merchantSerial = "5157F09EFDC096DE15EBE81A47057A7232F1B8E1"
	platformKeyID  = "PUB_KEY_ID_0116000000002026112200000000000001"
)

func (f *Field) environment(replica string) []string {
	host, port, _ := strings.Cut(f.addresses.metrics[replica], ":")
	return []string{
		"HTTP_ADDR=" + f.addresses.replicas[replica], "INSTANCE=" + replica, "LOG_LEVEL=debug",
		"MONGODB_URI=mongodb://" + f.addresses.databaseLink + "/?maxPoolSize=8", "MONGODB_DATABASE=order",
		"KAFKA_BROKERS=" + f.brokers(),
		"BUYER_TOKEN_KEYS_FILE=" + f.path("keys", "buyer"), "SHARE_TOKEN_KEYS_FILE=" + f.path("keys", "share"),
		"WECHATPAY_MCH_ID=1900000109", "WECHATPAY_APP_ID=wxd678efh567hg6787", "WECHATPAY_CERT_SERIAL=" + merchantSerial,
		"WECHATPAY_PRIVATE_KEY_FILE=" + f.path("sim", "merchant_key.pem"),
		"WECHATPAY_APIV3_KEY_FILE=" + f.path("sim", "apiv3.key"),
		"WECHATPAY_PLATFORM_PUBLIC_KEY_FILE=" + f.path("sim", "platform_public.pem"),
		"WECHATPAY_PLATFORM_PUBLIC_KEY_ID=" + platformKeyID,
		"WECHATPAY_NOTIFY_URL=http://" + f.addresses.front + "/v1/wechatpay/notices",
		"SIMULATOR_ADDR=" + f.addresses.simLink,
		"OTEL_METRICS_EXPORTER=prometheus", "OTEL_EXPORTER_PROMETHEUS_HOST=" + host, "OTEL_EXPORTER_PROMETHEUS_PORT=" + port,
	}
}

// makeDir makes a folder that only we read.
func makeDir(path string) error {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return fmt.Errorf("make a folder: %w", err)
	}
	return nil
}
