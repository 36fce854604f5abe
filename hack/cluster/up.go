package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/qingcang/qingcang/hack/internal/stack"
)

// up starts a cluster, unless one runs, and returns when it has passed its check.
func up(ctx context.Context, h home, progress io.Writer) error {
	unlock, err := h.lock()
	if err != nil {
		return err
	}
	defer unlock()
	r, err := h.running()
	switch {
	case err == nil && !r.Up.IsZero():
		fmt.Fprintf(progress, "up already, since %s\nKUBECONFIG=%s\n", r.Up.Format(time.DateTime), h.kubeconfig())
		return nil
	case err != nil && !errors.Is(err, errNoCluster):
		return err
	}
	began := time.Now()
	if err := h.prepare(ctx, progress); err != nil {
		return err
	}
	err = h.start(ctx, progress)
	if err == nil {
		err = h.furnish(ctx, progress)
	}
	if ctx.Err() != nil {
		fmt.Fprintln(progress, "interrupted; removing what was started")
		return errors.Join(context.Cause(ctx), h.clear(context.WithoutCancel(ctx), progress))
	}
	if err != nil {
		// What was started is left to be looked at: the next up or down takes it away.
		return fmt.Errorf("%w\nthe logs are in %s; \"down\" removes what was started", err, h.logs())
	}
	fmt.Fprintf(progress, "up in %.0f s\nKUBECONFIG=%s\n", time.Since(began).Seconds(), h.kubeconfig())
	return nil
}

// prepare builds what is missing, removes what an earlier cluster left, and
// writes down what this one is made of.
func (h home) prepare(ctx context.Context, progress io.Writer) error {
	if err := require(ctx, progress, append(runRequirements(), buildRequirements()...)); err != nil {
		return err
	}
	root, err := stack.Root()
	if err != nil {
		return err
	}
	programs, err := buildPrograms(ctx, root, progress)
	if err != nil {
		return err
	}
	if err := h.clear(ctx, progress); err != nil {
		return err
	}
	if err := requireNetwork(ctx); err != nil {
		return err
	}
	for _, dir := range []string{h.logs(), h.path("run")} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	if err := h.writeConfig(programs); err != nil {
		return err
	}
	if err := h.writeImages(ctx, root, programs); err != nil {
		return err
	}
	return h.write(record{Programs: programs})
}

// start runs the node in namespaces of its own and returns when its programs are ready.
func (h home) start(ctx context.Context, progress io.Writer) error {
	if err := h.borrow(ctx); err != nil {
		return err
	}
	told, tell, err := os.Pipe()
	if err != nil {
		return err
	}
	defer told.Close() //nolint:errcheck // it is only read
	pid, linked, err := h.spawn(tell)
	if err := errors.Join(err, tell.Close()); err != nil {
		return err
	}
	if err := each(ctx, fmt.Sprintf("ip link set %s netns %d", nodeLink, pid)); err != nil {
		return err
	}
	if err := linked.Close(); err != nil {
		return err
	}
	context.AfterFunc(ctx, func() { _ = told.SetReadDeadline(time.Now()) })
	var said bytes.Buffer
	if _, err := io.Copy(io.MultiWriter(&said, progress), told); err != nil {
		return fmt.Errorf("wait for the node: %w", err)
	}
	if !strings.HasSuffix(said.String(), allRun) {
		return fmt.Errorf("the node did not start; see the end of %s", h.path("logs", "node.log"))
	}
	return nil
}

// spawn starts the node's first process, writes it down, and returns what to
// close when the node has its link.
func (h home) spawn(tell *os.File) (pid int, linked io.Closer, err error) {
	log, err := os.Create(h.path("logs", "node.log"))
	if err != nil {
		return 0, nil, err
	}
	defer log.Close() //nolint:errcheck // the node writes to it, not we
	node := exec.Command("/proc/self/exe", initCommand, "-dir", h.dir)
	node.Dir, node.Stdout, node.Stderr = "/", log, log
	node.ExtraFiles = []*os.File{tell}
	node.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // it outlives this command and its terminal
	ownNamespaces(node.SysProcAttr)
	if linked, err = node.StdinPipe(); err != nil {
		return 0, nil, err
	}
	if err := node.Start(); err != nil {
		return 0, nil, fmt.Errorf("make the namespaces of the node: %w", err)
	}
	r, err := h.read()
	if err != nil {
		return 0, nil, err
	}
	pid = node.Process.Pid
	r.PID, r.Started = pid, startOf(pid)
	return pid, linked, errors.Join(h.write(r), node.Process.Release())
}

// furnish loads the cluster's own images, starts DNS, and checks that a pod is
// reached by the name of its Service.
func (h home) furnish(ctx context.Context, progress io.Writer) error {
	r, err := h.running()
	if err != nil {
		return err
	}
	images, err := filepath.Glob(h.path("images", "*.tar"))
	if err != nil {
		return err
	}
	for _, file := range images {
		if err := h.importImage(ctx, r, file); err != nil {
			return fmt.Errorf("load %s: %w", file, err)
		}
	}
	k := kubectl{path: r.Programs["kubectl"], config: h.kubeconfig()}
	for _, step := range []struct {
		what string
		do   func(context.Context, settings) error
	}{
		{what: "the node is ready", do: k.waitNode},
		{what: "DNS runs", do: k.startDNS},
		{what: "metrics-server is told to start", do: k.startUsage},
		{what: "a pod was reached by the name of its Service", do: k.check},
	} {
		began := time.Now()
		if err := step.do(ctx, h.settings(r.Programs)); err != nil {
			return fmt.Errorf("not yet true that %s: %w", step.what, err)
		}
		fmt.Fprintf(progress, "%s, after %.1f s\n", step.what, time.Since(began).Seconds())
	}
	r.Up = time.Now().UTC().Truncate(time.Second)
	return h.write(r)
}
