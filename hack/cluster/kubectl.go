package main

import (
	"context"
	"fmt"
	"time"
)

// readyTimeout bounds each wait for what the cluster makes. The longest takes
// 15 s on two quiet cores.
const readyTimeout = 3 * time.Minute

// kubectl is the administrator's client.
type kubectl struct{ path, config string }

func (k kubectl) run(ctx context.Context, input []byte, arguments ...string) (string, error) {
	return output(ctx, input, k.path, append([]string{"--kubeconfig=" + k.config}, arguments...)...)
}

// wait returns when the condition is met.
func (k kubectl) wait(ctx context.Context, condition string, arguments ...string) error {
	arguments = append([]string{"wait", "--for=" + condition, fmt.Sprintf("--timeout=%.0fs", readyTimeout.Seconds())}, arguments...)
	_, err := k.run(ctx, nil, arguments...)
	return err
}

func (k kubectl) waitNode(ctx context.Context, s settings) error {
	node := "node/" + s.NodeName
	if err := k.wait(ctx, "create", node); err != nil {
		return err
	}
	return k.wait(ctx, "condition=Ready", node)
}

func (k kubectl) startDNS(ctx context.Context, s settings) error {
	manifest, err := s.render("dns.yaml")
	if err != nil {
		return err
	}
	if _, err := k.run(ctx, manifest, "apply", "-f", "-"); err != nil {
		return err
	}
	return k.wait(ctx, "condition=Available", "--namespace=kube-system", "deployment/coredns")
}

// startUsage does not wait: the first numbers come half a minute later, and
// nothing but autoscaling by load needs them.
func (k kubectl) startUsage(ctx context.Context, s settings) error {
	manifest, err := s.render("metrics-server.yaml")
	if err != nil {
		return err
	}
	_, err = k.run(ctx, manifest, "apply", "-f", "-")
	return err
}

// check runs a pod that serves and one that asks it, and removes both.
func (k kubectl) check(ctx context.Context, s settings) error {
	if _, err := k.run(ctx, nil, "create", "namespace", s.CheckNamespace); err != nil {
		return err
	}
	namespace := "--namespace=" + s.CheckNamespace
	if err := k.wait(ctx, "create", namespace, "serviceaccount/default"); err != nil {
		return err
	}
	manifest, err := s.render("check.yaml")
	if err != nil {
		return err
	}
	if _, err := k.run(ctx, manifest, "apply", "-f", "-"); err != nil {
		return err
	}
	if err := k.wait(ctx, "jsonpath={.status.phase}=Succeeded", namespace, "pod/ask"); err != nil {
		logs, _ := k.run(ctx, nil, "logs", namespace, "pod/ask") // without them the error says less
		return fmt.Errorf("%w\n%s", err, logs)
	}
	_, err = k.run(ctx, nil, "delete", "namespace", s.CheckNamespace, "--wait=false")
	return err
}
