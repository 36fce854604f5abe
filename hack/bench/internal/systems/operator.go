package systems

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/qingcang/qingcang/hack/internal/poll"
	"github.com/qingcang/qingcang/hack/internal/stack"
	"github.com/qingcang/qingcang/proto/eventkit"
)

// Operator is the campaign operator with a control plane and a broker of its own. The brand's stock pool
// and the lanes are a stand-in that answers every desired state at once, because it is the operator that
// is measured.
type Operator struct {
	field   *Field
	plane   stack.ControlPlane
	kubectl string
	conn    *eventkit.Conn
	process stack.Process
	metrics string // address
	stop    context.CancelFunc
	stopped chan error
}

// The namespaces of the operator's campaigns, as its manifests have it, and of those made without it.
const (
	operatorNamespace = "qingcang"
	rawNamespace      = "raw"
)

const (
	operatorName = "operator"
	operatorUser = "campaign-operator"
)

// StartOperator brings everything up.
func (f *Field) StartOperator(ctx context.Context) (*Operator, error) {
	assets, err := stack.KubeAssets(ctx, f.root, f.progress)
	if err != nil {
		return nil, err
	}
	o := &Operator{field: f, kubectl: assets.Kubectl}
	if o.plane, err = stack.StartControlPlane(ctx, f.supervisor, assets, f.path("kube"), operatorUser); err != nil {
		return nil, err
	}
	if err := o.install(ctx); err != nil {
		return nil, err
	}
	free, err := addresses(3)
	if err != nil {
		return nil, err
	}
	broker, probes := free[0], free[1]
	o.metrics = free[2]
	err = f.supervisor.Start(ctx, stack.Process{
		Name: operatorName + "-broker", Path: f.binaries.Path("broker"), Args: []string{"-listen", broker, "-dir", f.path(operatorName, "broker")},
		Ready: stack.TCPReady(broker),
	})
	if err != nil {
		return nil, err
	}
	if o.conn, err = eventkit.Dial(eventkit.Config{Brokers: []string{broker}}); err != nil {
		return nil, err
	}
	if err := o.conn.Ensure(ctx, eventkit.Topics()...); err != nil {
		return nil, err
	}
	o.standIn(ctx)
	o.process = stack.Process{
		Name: operatorName, Path: f.binaries.Path("manager"),
		Args: []string{
			"--cluster-name", "bench", "--namespace", operatorNamespace,
			"--health-probe-bind-address", probes, "--metrics-bind-address", o.metrics,
		},
		Env:   []string{"KAFKA_BROKERS=" + broker, "KUBECONFIG=" + o.plane.Kubeconfig(operatorUser)},
		Ready: stack.HTTPReady("http://" + probes + "/readyz"),
	}
	return o, f.supervisor.Start(ctx, o.process)
}

// install applies what a cluster needs before an operator runs: its role bound in its namespace alone.
func (o *Operator) install(ctx context.Context) error {
	var objects strings.Builder
	for _, namespace := range []string{operatorNamespace, rawNamespace} {
		fmt.Fprintf(&objects, "apiVersion: v1\nkind: Namespace\nmetadata: {name: %s}\n---\n", namespace)
	}
	fmt.Fprintf(&objects, `apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: campaign-operator-user, namespace: %s}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: campaign-operator}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: %s}]
`, operatorNamespace, operatorUser)
	if _, err := o.admin(ctx, objects.String(), "apply", "-f", "-"); err != nil {
		return err
	}
	config := filepath.Join(o.field.root, "operators", "campaign", "config")
	if _, err := o.admin(ctx, "", "apply", "--server-side", "-f", filepath.Join(config, "crd"), "-f", filepath.Join(config, "rbac")); err != nil {
		return err
	}
	// Before it has any condition, "kubectl wait" fails at once.
	return poll.Within(ctx, time.Minute, func(ctx context.Context) error {
		_, err := o.admin(ctx, "", "wait", "--for=condition=Established", "--timeout=30s", "crd/campaigns.sale.qingcang.io")
		return err
	})
}

// admin runs kubectl as the administrator.
func (o *Operator) admin(ctx context.Context, stdin string, args ...string) (string, error) {
	var complaint strings.Builder
	command := exec.CommandContext(ctx, o.kubectl, append([]string{"--kubeconfig", o.plane.Kubeconfig(stack.AdminUser)}, args...)...)
	command.Stdin, command.Stderr = strings.NewReader(stdin), &complaint
	out, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("kubectl %s: %w: %s", args[0], err, strings.TrimSpace(complaint.String()))
	}
	return string(out), nil
}

// Ready creates n campaigns and returns how many seconds it took until the operator had made all Ready.
func (o *Operator) Ready(ctx context.Context, n int) (float64, error) {
	return o.campaigns(ctx, "ready", operatorNamespace, "ready", n)
}

// Raw makes n such objects without the operator, by the same writes.
func (o *Operator) Raw(ctx context.Context, n int) (float64, error) {
	return o.campaigns(ctx, "raw", rawNamespace, "raw", n)
}

// Clear deletes what Ready and Raw made.
func (o *Operator) Clear(ctx context.Context, n int) error {
	_, errReady := o.campaigns(ctx, "clear", operatorNamespace, "ready", n)
	_, errRaw := o.campaigns(ctx, "clear", rawNamespace, "raw", n)
	return errors.Join(errReady, errRaw)
}

// campaigns runs the peers' command of that name. It has a client of Kubernetes; this module has none.
func (o *Operator) campaigns(ctx context.Context, do, namespace, prefix string, n int) (float64, error) {
	out, err := o.field.output(ctx, filepath.Join(o.field.peers, "campaigns"), "-do", do, "-n", strconv.Itoa(n),
		"-namespace", namespace, "-prefix", prefix, "-kubeconfig", o.plane.Kubeconfig(stack.AdminUser))
	if err != nil {
		return 0, err
	}
	return strconv.ParseFloat(strings.TrimSpace(out), 64)
}

// Restart kills the operator and waits until another one serves.
func (o *Operator) Restart(ctx context.Context) error {
	if err := o.field.supervisor.Halt(operatorName); err != nil {
		return err
	}
	if err := o.field.supervisor.Release(operatorName); err != nil {
		return err
	}
	return o.field.supervisor.WaitReady(ctx, operatorName)
}

// PID is the operator's process.
func (o *Operator) PID() (int, error) { return o.field.supervisor.PID(operatorName) }

// Retire ends all processes for good.
func (o *Operator) Retire() error {
	o.stop()
	err := <-o.stopped
	o.conn.Close()
	return errors.Join(err, o.field.halt([]string{operatorName, operatorName + "-broker", stack.APIServerName, stack.EtcdName}))
}
