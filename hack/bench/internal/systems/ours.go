package systems

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/qingcang/qingcang/hack/internal/offers"
	"github.com/qingcang/qingcang/hack/internal/stack"
	"github.com/qingcang/qingcang/proto/eventkit"
)

// Ours is the order service, one replica or more, with a broker and a database of its own.
type Ours struct {
	System
	// Brokers is where the brokers themselves listen, as KAFKA_BROKERS has it.
	Brokers string
	conn    *eventkit.Conn
	log     *recounter
	filled  int64 // orders that Fill has written

	offers *offers.Desk

	first   stack.Process // of the first replica
	anew    int           // how often it was started without what it had saved
	helpers []string      // processes that are not charged: simulators, listeners
}

// Options of an order service.
type Options struct {
	Name string
	// Env is added to the service's environment.
	Env []string
	// Wide is what it sells beside the sales that every run has.
	Wide Wide
	// BriefHold is how long the sale Brief holds; 0 is an hour.
	BriefHold time.Duration
	// Through, if set, gives the address by which the service reaches the broker.
	Through func(broker string) (string, error)
	// Beside is the number of replicas beside the first.
	Beside int
	// Kafka has three brokers of Apache Kafka instead of the embedded one.
	Kafka bool
}

const defaultHold = time.Hour

// StartOurs brings up simulators (whose only work here is to have made the keys of WeChat Pay),
// database, broker and order service, and opens the sales. The processes get the memory they want,
// as every peer does.
func (f *Field) StartOurs(ctx context.Context, o Options) (*Ours, error) {
	if o.BriefHold == 0 {
		o.BriefHold = defaultHold
	}
	us := &Ours{System: System{Name: o.Name, field: f}}
	us.System.recount = us.recount
	database, sim, err := f.startStores(ctx, us, o)
	if err != nil {
		return nil, err
	}
	if us.conn, err = eventkit.Dial(eventkit.Config{Brokers: strings.Split(us.Brokers, ",")}); err != nil {
		return nil, err
	}
	us.log, us.offers = newRecounter(us.conn), offers.New(us.conn)
	if err := us.conn.Ensure(ctx, eventkit.Topics()...); err != nil {
		return nil, err
	}
	brokers := us.Brokers
	if o.Through != nil {
		if brokers, err = o.Through(brokers); err != nil {
			return nil, err
		}
	}
	if err := f.startReplicas(ctx, us, o, database, brokers, sim); err != nil {
		return nil, err
	}
	return us, us.openSales(ctx, o)
}

// startStores brings up what the replicas share.
func (f *Field) startStores(ctx context.Context, us *Ours, o Options) (database, sim string, err error) {
	free, err := addresses(3)
	if err != nil {
		return "", "", err
	}
	sim, database, us.Brokers = free[0], free[1], free[2]
	processes := []stack.Process{{
		Name: o.Name + "-sim", Path: f.binaries.Path("sim"), Args: []string{"-listen", sim, "-dir", f.path(o.Name, "sim")},
		Ready: stack.HTTPReady("http://" + sim + "/readyz"),
	}, {
		Name: o.Name + "-database", Path: f.binaries.Path("ferretdb"), Args: []string{"-listen", database, "-dir", f.path(o.Name, "database")},
		Ready: stack.TCPReady(database),
	}}
	us.processes, us.helpers = []string{o.Name + "-database"}, []string{o.Name + "-sim"}
	if !o.Kafka {
		processes = append(processes, stack.Process{
			Name: o.Name + "-broker", Path: f.binaries.Path("broker"), Args: []string{"-listen", us.Brokers, "-dir", f.path(o.Name, "broker")},
			Ready: stack.TCPReady(us.Brokers),
		})
		us.processes = append(us.processes, o.Name+"-broker")
	}
	for _, process := range processes {
		if err := f.supervisor.Start(ctx, process); err != nil {
			return "", "", err
		}
	}
	if o.Kafka {
		return database, sim, f.startKafka(ctx, us)
	}
	return database, sim, nil
}

// startKafka runs the three brokers of hack/kafka. There is one such cluster in a run.
func (f *Field) startKafka(ctx context.Context, us *Ours) error {
	jars, err := stack.FetchKafka(ctx, f.root, f.progress)
	if err != nil {
		return err
	}
	cluster, err := stack.StartKafka(ctx, f.supervisor, jars, f.path(us.Name, "kafka"))
	if err != nil {
		return err
	}
	us.Brokers = cluster.Addresses()
	for broker := range stack.KafkaBrokers {
		us.processes = append(us.processes, fmt.Sprintf("kafka-%d", broker+1))
	}
	return nil
}

// startReplicas runs the service itself. Its replicas are charged first.
func (f *Field) startReplicas(ctx context.Context, us *Ours, o Options, database, brokers, sim string) error {
	free, err := addresses(1 + o.Beside)
	if err != nil {
		return err
	}
	us.Address, us.Beside = free[0], free[1:]
	var names []string
	for i, at := range free {
		name := o.Name
		if i > 0 {
			name = fmt.Sprintf("%s-%d", o.Name, i+1)
		}
		process := stack.Process{
			Name: name, Path: f.binaries.Path("order"), Ready: stack.HTTPReady("http://" + at + "/readyz"),
			Env: append(f.orderEnv(o.Name, name, at, database, brokers, sim), o.Env...),
		}
		if err := f.supervisor.Start(ctx, process); err != nil {
			return err
		}
		if i == 0 {
			us.first = process
		}
		names = append(names, name)
	}
	us.processes = append(names, us.processes...)
	return nil
}

// The merchant of the simulated WeChat Pay.
const (
	merchantSerial = "5157F09EFDC096DE15EBE81A47057A7232F1B8E1"
	platformKeyID  = "PUB_KEY_ID_0116000000002026112200000000000001"
)

func (f *Field) orderEnv(name, instance, order, database, brokers, sim string) []string {
	return []string{
		"HTTP_ADDR=" + order, "INSTANCE=" + instance, "LOG_LEVEL=info",
		fmt.Sprintf("MONGODB_URI=mongodb://%s/?maxPoolSize=8", database), "MONGODB_DATABASE=order",
		"KAFKA_BROKERS=" + brokers,
		"BUYER_TOKEN_KEYS_FILE=" + f.key("buyer"), "SHARE_TOKEN_KEYS_FILE=" + f.key("share"),
		"WECHATPAY_MCH_ID=1900000109", "WECHATPAY_APP_ID=wxd678efh567hg6787", "WECHATPAY_CERT_SERIAL=" + merchantSerial,
		"WECHATPAY_PRIVATE_KEY_FILE=" + f.path(name, "sim", "merchant_key.pem"),
		"WECHATPAY_APIV3_KEY_FILE=" + f.path(name, "sim", "apiv3.key"),
		"WECHATPAY_PLATFORM_PUBLIC_KEY_FILE=" + f.path(name, "sim", "platform_public.pem"),
		"WECHATPAY_PLATFORM_PUBLIC_KEY_ID=" + platformKeyID,
		"WECHATPAY_NOTIFY_URL=http://" + order + "/v1/wechatpay/notices", "SIMULATOR_ADDR=" + sim,
	}
}
