package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestRecordKnowsItsProcess(t *testing.T) {
	child := exec.Command("cat")
	input, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	r := record{PID: child.Process.Pid, Started: startOf(child.Process.Pid)}
	if !r.alive() {
		t.Errorf("process %d runs, and its record says that it does not", r.PID)
	}
	if other := (record{PID: r.PID, Started: r.Started + "0"}); other.alive() {
		t.Error("a process that started at another time is taken for the recorded one")
	}
	if err := errors.Join(input.Close(), child.Wait()); err != nil {
		t.Fatal(err)
	}
	if r.alive() {
		t.Error("a dead process is taken for alive")
	}
	if (record{}).alive() {
		t.Error("a record of nothing started is taken for alive")
	}
}

func TestADeadClusterIsNoCluster(t *testing.T) {
	h := home{dir: t.TempDir()}
	if _, err := h.running(); !errors.Is(err, errNoCluster) {
		t.Errorf("in an empty folder: got %v, want %v", err, errNoCluster)
	}
	if err := h.write(record{PID: os.Getpid(), Started: "long ago", Up: time.Now()}); err != nil {
		t.Fatal(err)
	}
	if _, err := h.running(); !errors.Is(err, errNoCluster) {
		t.Errorf("after its death: got %v, want %v", err, errNoCluster)
	}
	if err := h.write(record{PID: os.Getpid(), Started: startOf(os.Getpid())}); err != nil {
		t.Fatal(err)
	}
	if _, err := h.running(); err != nil {
		t.Errorf("while it runs: %v", err)
	}
}

func TestDownLeavesTheLogsAlone(t *testing.T) {
	h := home{dir: t.TempDir()}
	for _, dir := range []string{"logs", "etcd/member", "run"} {
		if err := os.MkdirAll(h.path(dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range []string{"lock", "logs/etcd.log"} {
		if err := os.WriteFile(h.path(file), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := h.write(record{}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"down in", "no cluster runs here"} {
		var said strings.Builder
		if err := down(t.Context(), h, &said); err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(said.String(), want) {
			t.Errorf("down says %q, want %q", said.String(), want)
		}
	}
	left, err := filepath.Glob(h.path("*"))
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{h.path("lock"), h.path("logs")}; strings.Join(left, " ") != strings.Join(want, " ") {
		t.Errorf("down leaves %v, want %v", left, want)
	}
	if _, err := os.Stat(h.path("logs", "etcd.log")); err != nil {
		t.Error(err)
	}
}

func TestOnlyOneCommandChangesACluster(t *testing.T) {
	h := home{dir: t.TempDir()}
	unlock, err := h.lock()
	if err != nil {
		t.Fatal(err)
	}
	if err := down(t.Context(), h, io.Discard); err == nil {
		t.Error("down does not wait for an up that is at work")
	}
	unlock()
	if err := down(t.Context(), h, io.Discard); err != nil {
		t.Errorf("after the other command has ended: %v", err)
	}
}

func TestAFolderOfSomebodyElseIsLeftAlone(t *testing.T) {
	h := home{dir: t.TempDir()}
	if err := os.WriteFile(h.path("cluster.json"), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, command := range map[string]func(context.Context, home, io.Writer) error{"up": up, "down": down} {
		if err := command(t.Context(), h, io.Discard); err == nil || !strings.Contains(err.Error(), "is not empty") {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if left, err := os.ReadDir(h.dir); err != nil || len(left) != 1 {
		t.Errorf("it has %v (%v)", left, err)
	}
}

func TestAFolderMustSuitTheNode(t *testing.T) {
	for name, dir := range map[string]string{
		"spaces are not quoted in its configuration": "/tmp/my cluster",
		"sockets have short paths":                   "/" + strings.Repeat("x", longestHome),
	} {
		if _, err := openHome(dir); err == nil {
			t.Errorf("%s: %q is taken", name, dir)
		}
	}
	if _, err := openHome(""); err != nil {
		t.Errorf("without a name: %v", err)
	}
}
