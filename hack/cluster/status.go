package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// status prints what runs. It fails where nothing does.
func status(ctx context.Context, h home, out io.Writer) error {
	r, err := h.running()
	if errors.Is(err, errNoCluster) {
		if _, stale := os.Stat(h.path("cluster.json")); stale == nil {
			return fmt.Errorf("a cluster was started here and is dead; see %s, then up or down", h.logs())
		}
	}
	if err != nil {
		return err
	}
	if r.Up.IsZero() {
		fmt.Fprintln(out, "starting, or its start has failed")
	} else {
		fmt.Fprintf(out, "up since %s (%s)\n", r.Up.Format(time.DateTime), time.Since(r.Up).Round(time.Second))
	}
	fmt.Fprintf(out, "KUBECONFIG=%s\n\n", h.kubeconfig())
	processes, err := h.components(r.Programs)
	if err != nil {
		return err
	}
	for _, process := range processes {
		fmt.Fprintf(out, "%-24s %-16s %s\n", process.Name, running(r, process.Path), filepath.Join(h.logs(), process.Name+".log"))
	}
	fmt.Fprintf(out, "%-24s %-16s %s\n\n", "supervisor", "", h.path("logs", "node.log"))
	k := kubectl{path: r.Programs["kubectl"], config: h.kubeconfig()}
	for _, what := range []string{"nodes", "pods"} {
		text, err := k.run(ctx, nil, "get", what, "--all-namespaces", "--output=wide", "--request-timeout=10s")
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%s\n\n", text)
	}
	return nil
}

// running names the process that runs that program in the cluster.
func running(r record, path string) string {
	pid, err := pidOf(r, path)
	switch {
	case err != nil:
		return "unknown"
	case pid == 0:
		return "not running"
	}
	return fmt.Sprintf("pid %d", pid)
}

// pidOf is the process that runs that program in the cluster's own namespace of processes, 0 for none.
func pidOf(r record, path string) (int, error) {
	own, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/pid_for_children", r.PID))
	if err != nil {
		return 0, fmt.Errorf("find the namespace of the node: %w", err)
	}
	links, err := filepath.Glob("/proc/[0-9]*/exe")
	if err != nil {
		return 0, fmt.Errorf("list the processes: %w", err)
	}
	for _, link := range links {
		process := filepath.Dir(link)
		if exe, err := os.Readlink(link); err != nil || exe != path {
			continue
		}
		if namespace, err := os.Readlink(filepath.Join(process, "ns", "pid")); err == nil && namespace == own {
			return strconv.Atoi(filepath.Base(process))
		}
	}
	return 0, nil
}
