package suite

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/qingcang/qingcang/hack/internal/stack"
)

// serviceMemory is the soft memory limit of each of our own processes. The whole suite, database
// and broker included, is to stay under 1 GiB.
const serviceMemory = "GOMEMLIMIT=56MiB"

// The merchant of the simulated WeChat Pay.
const (
	MerchantID     = "1900000109"
	AppID          = "wxd678efh567hg6787"
	MerchantSerial = "5157F09EFDC096DE15EBE81A47057A7232F1B8E1"
	PlatformKeyID  = "PUB_KEY_ID_0116000000002026112200000000000001"
)

func (s *Suite) startSimulators(ctx context.Context) error {
	return s.Supervisor.Start(ctx, stack.Process{
		Name: "sim", Path: s.binaries.Path("sim"), Env: []string{serviceMemory},
		Args:  []string{"-listen", s.ports.address("sim"), "-dir", s.path("data", "sim")},
		Ready: stack.HTTPReady(s.Simulator + "/readyz"),
	})
}

// startServices brings all services up at once: none needs another to start.
func (s *Suite) startServices(ctx context.Context) error {
	processes := []stack.Process{
		s.service("brand-intake", "brand-intake", s.staff(), s.vault("brand-intake")),
		s.service("catalog", "catalog", s.staff(), s.tokens("SHARE")),
		s.service("store-owner", "store-owner", s.tokens("BUYER", "OWNER", "SHARE"), s.vault("store-owner"), s.wechatPay(s.StoreOwner), s.wechatLogin()),
		s.service("order", "order-a", s.staff(), s.tokens("BUYER", "SHARE"), s.wechatPay(s.Order)),
		s.service("order", "order-b", s.staff(), s.tokens("BUYER", "SHARE"), s.wechatPay(s.Order)),
		s.service("fulfilment", "fulfilment", s.staff(), s.tokens("BUYER"), s.vault("fulfilment")),
	}
	errs := make([]error, len(processes))
	var wg sync.WaitGroup
	for i, p := range processes {
		wg.Go(func() { errs[i] = s.Supervisor.Start(ctx, p) })
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return s.Supervisor.Start(ctx, stack.Process{
		Name: "proxy", Path: s.binaries.Path("proxy"), Env: []string{serviceMemory},
		Args:  []string{"-listen", s.ports.address("order"), s.ports.url("order-a"), s.ports.url("order-b")},
		Ready: stack.HTTPReady(s.Order + "/readyz"),
	})
}

// service is one replica of a service; instance is its process's name.
func (s *Suite) service(name, instance string, parts ...map[string]string) stack.Process {
	env := map[string]string{
		"HTTP_ADDR": s.ports.address(instance), "INSTANCE": instance,
		"MONGODB_URI": s.Embedded.MongoURI, "MONGODB_DATABASE": name, "KAFKA_BROKERS": s.Embedded.Brokers,
		"LOG_LEVEL": "info",
	}
	for _, part := range parts {
		maps.Copy(env, part)
	}
	process := stack.Process{
		Name: instance, Path: s.binaries.Path(name), Env: []string{serviceMemory},
		Ready: stack.HTTPReady(s.ports.url(instance) + "/readyz"),
	}
	for _, key := range slices.Sorted(maps.Keys(env)) {
		process.Env = append(process.Env, key+"="+env[key])
	}
	if s.opts.Metrics {
		s.measure(&process)
	}
	return process
}

func (s *Suite) staff() map[string]string {
	return map[string]string{"OIDC_ISSUER": s.Simulator + "/oidc", "OIDC_AUDIENCE": "qingcang"}
}

func (s *Suite) vault(name string) map[string]string {
	return map[string]string{"VAULT_KEY_FILE": s.path("keys", "vault-"+name)}
}

func (s *Suite) tokens(audiences ...string) map[string]string {
	files := map[string]string{"BUYER": "buyer", "OWNER": "owner", "SHARE": "share"}
	out := map[string]string{}
	for _, a := range audiences {
		out[a+"_TOKEN_KEYS_FILE"] = s.path("keys", files[a])
	}
	return out
}

func (s *Suite) wechatPay(notices string) map[string]string {
	return map[string]string{
		"WECHATPAY_MCH_ID": MerchantID, "WECHATPAY_APP_ID": AppID, "WECHATPAY_CERT_SERIAL": MerchantSerial,
		"WECHATPAY_PRIVATE_KEY_FILE":         s.path("data", "sim", "merchant_key.pem"),
		"WECHATPAY_APIV3_KEY_FILE":           s.path("data", "sim", "apiv3.key"),
		"WECHATPAY_PLATFORM_PUBLIC_KEY_FILE": s.path("data", "sim", "platform_public.pem"),
		"WECHATPAY_PLATFORM_PUBLIC_KEY_ID":   PlatformKeyID,
		"WECHATPAY_NOTIFY_URL":               notices + "/v1/wechatpay/notices",
		"SIMULATOR_ADDR":                     s.Simulator,
	}
}

func (s *Suite) wechatLogin() map[string]string {
	return map[string]string{"WECHAT_LOGIN_APP_ID": AppID, "WECHAT_LOGIN_SECRET_FILE": s.path("keys", "wechat-login-secret")}
}

func (s *Suite) startOperator(ctx context.Context) error {
	args := []string{
		"--cluster-name", clusterName, "--namespace", s.Namespace,
		"--health-probe-bind-address", s.ports.address("operator"),
	}
	if s.opts.Metrics {
		args = append(args, "--metrics-bind-address", s.ports.address(metricsPort("operator")))
	}
	if s.opts.MinReturnWindow > 0 {
		args = append(args, "--min-return-window", s.opts.MinReturnWindow.String())
	}
	return s.Supervisor.Start(ctx, stack.Process{
		Name: "operator", Path: s.binaries.Path("manager"), Args: args,
		Env: []string{
			serviceMemory, "KAFKA_BROKERS=" + s.Embedded.Brokers,
			"KUBECONFIG=" + s.operatorKubeconfig,
		},
		Ready: stack.HTTPReady(s.ports.url("operator") + "/readyz"),
	})
}
