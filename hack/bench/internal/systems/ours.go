package systems

import (
	"context"
	"fmt"

	"github.com/qingcang/qingcang/hack/internal/stack"
	"github.com/qingcang/qingcang/proto/eventkit"
)

// Ours is one replica of the order service with a broker and a database of its own.
type Ours struct {
	System
	// Brokers is where the broker itself listens.
	Brokers string
	conn    *eventkit.Conn
	log     *recounter
	filled  int64 // orders that Fill has written
}

// Options of an order service.
type Options struct {
	Name string
	// Env is added to the service's environment.
	Env []string
	// Wide is what it sells beside the sales that every run has.
	Wide Wide
	// Through, if set, gives the address by which the service reaches the broker.
	Through func(broker string) (string, error)
}

// StartOurs brings up simulators (whose only work here is to have made the keys of WeChat Pay),
// database, broker and order service, and opens the sales. The processes get the memory they want,
// as every peer does.
func (f *Field) StartOurs(ctx context.Context, o Options) (*Ours, error) {
	free, err := addresses(4)
	if err != nil {
		return nil, err
	}
	sim, database, broker, order := free[0], free[1], free[2], free[3]
	us := &Ours{Brokers: broker}
	us.System = System{
		Name: o.Name, Address: order, Store: broker, field: f, recount: us.recount,
		processes: []string{o.Name, o.Name + "-broker", o.Name + "-database"},
	}
	for _, process := range []stack.Process{
		{
			Name: o.Name + "-sim", Path: f.binaries.Path("sim"), Args: []string{"-listen", sim, "-dir", f.path(o.Name, "sim")},
			Ready: stack.HTTPReady("http://" + sim + "/readyz"),
		}, {
			Name: o.Name + "-database", Path: f.binaries.Path("ferretdb"), Args: []string{"-listen", database, "-dir", f.path(o.Name, "database")},
			Ready: stack.TCPReady(database),
		}, {
			Name: o.Name + "-broker", Path: f.binaries.Path("broker"), Args: []string{"-listen", broker, "-dir", f.path(o.Name, "broker")},
			Ready: stack.TCPReady(broker),
		},
	} {
		if err := f.supervisor.Start(ctx, process); err != nil {
			return nil, err
		}
	}
	if us.conn, err = eventkit.Dial(eventkit.Config{Brokers: []string{broker}}); err != nil {
		return nil, err
	}
	us.log = newRecounter(us.conn)
	if err := us.conn.Ensure(ctx, eventkit.Topics()...); err != nil {
		return nil, err
	}
	if o.Through != nil {
		if broker, err = o.Through(broker); err != nil {
			return nil, err
		}
	}
	err = f.supervisor.Start(ctx, stack.Process{
		Name: o.Name, Path: f.binaries.Path("order"), Ready: stack.HTTPReady("http://" + order + "/readyz"),
		Env: append(f.orderEnv(o.Name, order, database, broker, sim), o.Env...),
	})
	if err != nil {
		return nil, err
	}
	return us, us.openSales(ctx, o.Wide)
}

// The merchant of the simulated WeChat Pay.
const (
	merchantSerial = "5157F09EFDC096DE15EBE81A47057A7232F1B8E1"
	platformKeyID  = "PUB_KEY_ID_0116000000002026112200000000000001"
)

func (f *Field) orderEnv(name, order, database, broker, sim string) []string {
	return []string{
		"HTTP_ADDR=" + order, "INSTANCE=" + name, "LOG_LEVEL=info",
		fmt.Sprintf("MONGODB_URI=mongodb://%s/?maxPoolSize=8", database), "MONGODB_DATABASE=order",
		"KAFKA_BROKERS=" + broker,
		"BUYER_TOKEN_KEYS_FILE=" + f.key("buyer"), "SHARE_TOKEN_KEYS_FILE=" + f.key("share"),
		"WECHATPAY_MCH_ID=1900000109", "WECHATPAY_APP_ID=wxd678efh567hg6787", "WECHATPAY_CERT_SERIAL=" + merchantSerial,
		"WECHATPAY_PRIVATE_KEY_FILE=" + f.path(name, "sim", "merchant_key.pem"),
		"WECHATPAY_APIV3_KEY_FILE=" + f.path(name, "sim", "apiv3.key"),
		"WECHATPAY_PLATFORM_PUBLIC_KEY_FILE=" + f.path(name, "sim", "platform_public.pem"),
		"WECHATPAY_PLATFORM_PUBLIC_KEY_ID=" + platformKeyID,
		"WECHATPAY_NOTIFY_URL=http://" + order + "/v1/wechatpay/notices", "SIMULATOR_ADDR=" + sim,
	}
}
