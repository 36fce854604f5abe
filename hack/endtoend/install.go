package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/qingcang/qingcang/hack/internal/suite"
)

// values are what a person would write, and two replicas only where a scene needs them: one node
// holds it all.
func (t *test) values(version string) map[string]any {
	one := map[string]any{"replicas": 1}
	return map[string]any{
		"clusterName": "e2e", "domain": "sale.example.com",
		"image": map[string]any{"registry": t.cluster.registry, "tag": version},
		"kafka": map[string]any{"brokers": []string{kafka}},
		"staff": map[string]any{"issuer": "https://login.example.com"},
		"wechat": map[string]any{
			"appId": suite.AppID, "merchantId": suite.MerchantID,
			"certificateSerial": suite.MerchantSerial, "platformPublicKeyId": suite.PlatformKeyID,
		},
		"services": map[string]any{"brand-intake": one, "catalog": one, "store-owner": one, "fulfilment": one},
		// The simulators speak plain http, on the port of their pod where policies are applied.
		"networkPolicy": map[string]any{"outsidePorts": []int{80, 8080}},
	}
}

// install installs the chart, with what only a test may set added on the way.
func (t *test) install(ctx context.Context) error { return t.helmUpgrade(ctx, t.versions[0]) }

func (t *test) helmUpgrade(ctx context.Context, version string) error {
	text, err := json.Marshal(t.values(version)) // JSON is YAML
	if err != nil {
		return fmt.Errorf("write the values: %w", err)
	}
	file := filepath.Join(t.dir, "values.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return fmt.Errorf("write the values: %w", err)
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program, which helm calls back: %w", err)
	}
	_, err = t.cluster.runHelm(ctx, "upgrade", release, "charts/qingcang", "--install", "--values", file,
		"--post-renderer", self, "--post-renderer-args", postRender, "--wait", "--timeout", "5m")
	return err
}

func (t *test) helmTest(ctx context.Context) error {
	if _, err := t.cluster.runHelm(ctx, "test", release, "--timeout", "2m"); err != nil {
		return err
	}
	return t.Expect(true, "all services and the operator answer that they are ready")
}

// leave takes suite, campaigns and namespaces away from a cluster that stays.
func (t *test) leave(ctx context.Context) error {
	_, campaigns := t.cluster.in(ctx, "delete", "campaigns", "--all", "--ignore-not-found", "--timeout=60s")
	_, uninstalled := t.cluster.runHelm(ctx, "uninstall", release, "--ignore-not-found", "--wait", "--timeout", "2m")
	_, removed := t.cluster.Kubectl(ctx, "", "delete", "namespace", namespace, outsideNamespace, "--ignore-not-found", "--timeout=120s")
	return errors.Join(campaigns, uninstalled, removed)
}
