package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// diagnoseLimit bounds the look around after a failure.
const diagnoseLimit = 2 * time.Minute

// diagnose keeps what one wants to see after a failure, and shows the first of it.
func (t *test) diagnose(ctx context.Context, failure error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), diagnoseLimit)
	defer cancel()
	dir := filepath.Join(t.dir, "failure")
	var missing []error
	for file, args := range map[string][]string{
		"pods":      {"get", "pods", "--all-namespaces", "--output=wide"},
		"campaigns": {"get", "campaigns", "--all-namespaces", "--output=yaml"},
		"objects":   {"get", "deployments,replicasets,services,horizontalpodautoscalers,poddisruptionbudgets,jobs,nodes", "--all-namespaces", "--output=wide"},
		"events":    {"get", "events", "--all-namespaces", "--sort-by=.lastTimestamp"},
		"describe":  {"describe", "pods", "--namespace", namespace},
		"outside":   {"describe", "pods", "--namespace", outsideNamespace},
	} {
		text, err := t.cluster.Kubectl(ctx, "", args...)
		missing = append(missing, err, keep(filepath.Join(dir, file+".txt"), text))
		if file == "pods" {
			_, _ = fmt.Fprintf(t.Out, "\n%s", text)
		}
		if file == "events" {
			lines := strings.Split(strings.TrimSpace(text), "\n")
			_, _ = fmt.Fprintf(t.Out, "\n%s\n", strings.Join(lines[max(0, len(lines)-20):], "\n"))
		}
	}
	for _, in := range []string{namespace, outsideNamespace} {
		missing = append(missing, t.collectLogs(ctx, filepath.Join(dir, "logs"), in))
	}
	_, _ = fmt.Fprintln(t.Out, "\nPods, events, campaigns and logs are in", dir)
	if err := errors.Join(missing...); err != nil {
		_, _ = fmt.Fprintln(t.Out, "not all of it:", err)
	}
	return failure
}

// collectLogs keeps the logs of all pods of a namespace, those of containers that were restarted too.
func (t *test) collectLogs(ctx context.Context, dir, in string) error {
	names, err := t.cluster.Kubectl(ctx, "", "--namespace", in, "get", "pods", "--output=jsonpath={.items[*].metadata.name}")
	if err != nil {
		return err
	}
	for _, pod := range strings.Fields(names) {
		logs, err := t.cluster.Kubectl(ctx, "", "--namespace", in, "logs", pod, "--all-containers", "--prefix")
		if err != nil {
			logs += "\n" + err.Error() // a container that never started has none
		}
		if before, err := t.cluster.Kubectl(ctx, "", "--namespace", in, "logs", pod, "--all-containers", "--previous"); err == nil {
			logs = before + "\n--- restarted\n" + logs
		}
		if err := keep(filepath.Join(dir, in+"-"+pod+".log"), logs); err != nil {
			return err
		}
	}
	return nil
}

// keep writes a file of the test's folder.
func keep(path, text string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("keep %s: %w", path, err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		return fmt.Errorf("keep %s: %w", path, err)
	}
	return nil
}

// indented writes a story within a story.
type indented struct{ out io.Writer }

// Write implements io.Writer; what is written are whole lines.
func (i indented) Write(text []byte) (int, error) {
	_, err := i.out.Write(bytes.ReplaceAll(text, []byte("\n"), []byte("\n    ")))
	return len(text), err
}
