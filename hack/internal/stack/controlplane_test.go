package stack_test

import (
	"context"
	"io"
	"log/slog"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/qingcang/qingcang/hack/internal/stack"
)

func TestAControlPlaneRemembersAndTellsItsUsersApart(t *testing.T) {
	root, err := stack.Root()
	if err != nil {
		t.Fatal(err)
	}
	assets, err := stack.KubeAssets(t.Context(), root, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()

	first, plane := startPlane(t, assets, dir)
	kubectl(t, assets, plane.Kubeconfig(stack.AdminUser), "create", "namespace", "sale")
	first.Stop()

	supervisor, plane := startPlane(t, assets, dir)
	if got := kubectl(t, assets, plane.Kubeconfig(stack.AdminUser), "get", "namespace", "sale", "-o", "name"); got != "namespace/sale" {
		t.Errorf("after a restart there is %q, want the namespace", got)
	}
	if got := kubectl(t, assets, plane.Kubeconfig("operator"), "auth", "whoami", "-o", "jsonpath={.status.userInfo.username}"); got != "operator" {
		t.Errorf("the operator is %q", got)
	}
	if out, err := exec.CommandContext(t.Context(), assets.Kubectl, "--kubeconfig", plane.Kubeconfig("operator"), "get", "namespaces").CombinedOutput(); err == nil {
		t.Errorf("the operator may read without being allowed to: %s", out)
	}

	for _, name := range []string{stack.EtcdName, stack.APIServerName} {
		if err := supervisor.Kill(name); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	if err := supervisor.WaitReady(ctx, stack.APIServerName); err != nil {
		t.Fatal(err)
	}
	if got := kubectl(t, assets, plane.Kubeconfig(stack.AdminUser), "get", "namespace", "sale", "-o", "name"); got != "namespace/sale" {
		t.Errorf("after both were killed there is %q, want the namespace", got)
	}
}

func startPlane(t *testing.T, assets stack.Assets, dir string) (*stack.Supervisor, stack.ControlPlane) {
	t.Helper()
	supervisor, err := stack.NewSupervisor(t.TempDir(), slog.New(slog.NewTextHandler(t.Output(), nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(supervisor.Stop)
	plane, err := stack.StartControlPlane(t.Context(), supervisor, assets, dir, "operator")
	if err != nil {
		t.Fatal(err)
	}
	return supervisor, plane
}

func kubectl(t *testing.T, assets stack.Assets, kubeconfig string, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), assets.Kubectl, append([]string{"--kubeconfig", kubeconfig}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("kubectl %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}
