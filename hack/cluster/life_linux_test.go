package main

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/qingcang/qingcang/hack/internal/poll"
)

// A whole life takes minutes and root: it is played when this is set.
const lifeKey = "QINGCANG_REAL_CLUSTER"

// The test binary plays the node's first process and its supervisor, as the
// command does.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && (os.Args[1] == initCommand || os.Args[1] == superviseCommand) {
		main()
		return
	}
	os.Exit(m.Run())
}

// The cluster is started in a network of the test's own, so that it neither
// meets nor disturbs one that is up on this machine.
func TestLifeOfACluster(t *testing.T) {
	switch os.Getenv(lifeKey) {
	case "":
		t.Skipf("takes minutes and root; set %s=1", lifeKey)
	case "apart":
		playLife(t)
		return
	}
	apart := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	apart.Env = append(os.Environ(), lifeKey+"=apart")
	apart.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	said, err := apart.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, said)
	}
}

func playLife(t *testing.T) {
	// Not t.TempDir: a path with the test's name in it would be too long.
	dir, err := os.MkdirTemp("", "qc")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	h := home{dir: dir}
	command := func(name, want string) {
		t.Helper()
		var said strings.Builder
		do := map[string]func(context.Context) error{
			"up":   func(ctx context.Context) error { return up(ctx, h, &said) },
			"down": func(ctx context.Context) error { return down(ctx, h, &said) },
		}[name]
		err := do(t.Context())
		t.Logf("%s\n%s", name, &said)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !strings.Contains(said.String(), want) {
			t.Fatalf("%s does not say %q", name, want)
		}
	}
	if err := each(t.Context(), "ip link set lo up"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(forwarding, []byte("0"), 0o600); err != nil { // it may begin as the machine's
		t.Fatal(err)
	}
	t.Cleanup(func() { // a failure in the middle must not leave a cluster
		ctx := context.WithoutCancel(t.Context())
		if err := h.clear(ctx, os.Stdout); err != nil {
			t.Error(err)
		}
	})

	command("up", "KUBECONFIG="+h.kubeconfig())
	command("up", "up already")
	for _, name := range []string{"kubelet", "containerd", "kube-apiserver"} {
		killAndAwait(t, h, name)
	}
	r, err := h.running()
	if err != nil {
		t.Fatal(err)
	}
	if err := kill(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	for name, program := range r.Programs {
		if got := running(r, program); strings.HasPrefix(got, "pid") {
			t.Errorf("%s outlives the node: %s", name, got)
		}
	}
	command("up", "up in") // over what the dead one left
	command("down", "down in")
	command("down", "no cluster runs here")
	checkNothingLeft(t, h)
}

// killAndAwait kills a program as the kernel does when memory is short, and
// waits for its successor.
func killAndAwait(t *testing.T, h home, name string) {
	t.Helper()
	r, err := h.running()
	if err != nil {
		t.Fatal(err)
	}
	before := running(r, r.Programs[name])
	pid, err := strconv.Atoi(strings.TrimPrefix(before, "pid "))
	if err != nil {
		t.Fatalf("%s: %s", name, before)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	err = poll.Until(ctx, func(ctx context.Context) error {
		if after := running(r, r.Programs[name]); after == before || !strings.HasPrefix(after, "pid") {
			return errors.New(name + " is " + after)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	k := kubectl{path: r.Programs["kubectl"], config: h.kubeconfig()}
	if err := poll.Until(ctx, func(ctx context.Context) error { return k.waitNode(ctx, h.settings(r.Programs)) }); err != nil {
		t.Errorf("after the death of %s: %v", name, err)
	}
}

func checkNothingLeft(t *testing.T, h home) {
	t.Helper()
	if _, err := net.InterfaceByName(machineLink); err == nil {
		t.Errorf("the link %s is left", machineLink)
	}
	tables, err := output(t.Context(), nil, "nft", "list", "tables")
	if err != nil || tables != "" {
		t.Errorf("tables are left: %q, %v", tables, err)
	}
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(mounts), h.dir) {
		t.Errorf("mounts are left:\n%s", mounts)
	}
	groups, err := cgroupMounts()
	if err != nil {
		t.Fatal(err)
	}
	for _, mount := range groups {
		if _, err := os.Stat(filepath.Join(mount, h.cgroup())); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("a cgroup is left in %s: %v", mount, err)
		}
	}
	setting, err := os.ReadFile(forwarding)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.TrimSpace(string(setting)); got != "0" {
		t.Errorf("forwarding is %s and was 0", got)
	}
}
