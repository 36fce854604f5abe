package suite

import (
	"context"
	"io"
	"log/slog"
	"os/exec"
	"strings"
	"testing"

	"github.com/qingcang/qingcang/hack/internal/stack"
)

func TestAClusterThatIsThereIsAsItWasWhenTheSuiteLeaves(t *testing.T) {
	root, err := stack.Root()
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	assets, err := stack.KubeAssets(t.Context(), root, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	supervisor, err := stack.NewSupervisor(t.TempDir(), log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(supervisor.Stop)
	plane, err := stack.StartControlPlane(t.Context(), supervisor, assets, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}

	s := &Suite{Dir: t.TempDir(), Assets: assets, opts: Options{Root: root, Kubeconfig: plane.Kubeconfig(stack.AdminUser), Progress: io.Discard, Log: log}}
	crds := func() string { return mustKubectl(t, s.Kubectl, "get", "customresourcedefinitions", "-o", "name") }
	s.Kubeconfig = s.opts.Kubeconfig
	// One of the two is the cluster's own.
	if err := s.applyCRDs(t.Context(), s.crdFiles()[:1]); err != nil {
		t.Fatal(err)
	}
	before := crds()

	if err := s.joinCluster(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(crds(), "sale.qingcang.io"); got != 2 {
		t.Errorf("%d of the CRDs are there, want 2", got)
	}
	for name, test := range map[string]struct {
		args []string
		want string
	}{
		"it reads campaigns of its own namespace": {[]string{"list", "campaigns.sale.qingcang.io", "--namespace", s.Namespace}, "yes"},
		"it reads none of another":                {[]string{"list", "campaigns.sale.qingcang.io", "--namespace", "default"}, "no"},
		"it reads no Secret":                      {[]string{"get", "secrets", "--namespace", s.Namespace}, "no"},
	} {
		t.Run(name, func(t *testing.T) {
			args := append([]string{"--kubeconfig", s.operatorKubeconfig, "auth", "can-i"}, test.args...)
			out, _ := exec.CommandContext(t.Context(), assets.Kubectl, args...).Output() // a no is an error, too
			if got := strings.TrimSpace(string(out)); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
	again := &Suite{Dir: s.Dir, Assets: assets, opts: s.opts}
	if err := again.joinCluster(t.Context()); err != nil || again.Namespace != s.Namespace {
		t.Errorf("a second start has the namespace %s, want %s (%v)", again.Namespace, s.Namespace, err)
	}

	s.leaveCluster()
	if got := crds(); got != before {
		t.Errorf("it leaves the CRDs\n%swant\n%s", got, before)
	}
	if err := again.joinCluster(t.Context()); err != nil || again.Namespace == s.Namespace {
		t.Errorf("a start after that has the namespace %s, want another than %s (%v)", again.Namespace, s.Namespace, err)
	}
	// No controller runs here that would take the namespace away; it is marked to go.
	phase := mustKubectl(t, s.Kubectl, "get", "namespace", s.Namespace, "-o", "jsonpath={.status.phase}")
	if phase != "Terminating" {
		t.Errorf("its namespace is %s", phase)
	}
}

func mustKubectl(t *testing.T, kubectl func(context.Context, string, ...string) (string, error), args ...string) string {
	t.Helper()
	out, err := kubectl(t.Context(), "", args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}
