package chart_test

import (
	"slices"
	"strings"
	"testing"
)

// helmInto runs Helm against the cluster. Topics are left out: their Job would need a node.
func (c cluster) helmInto(t *testing.T, verb string, args ...string) (string, error) {
	t.Helper()
	return helmAt(t, append([]string{verb, release, "--kubeconfig", c.config, "--namespace", namespace}, args...)...)
}

// installed is clipped, so that what is appended for one call is not seen by another.
var installed = slices.Clip(append([]string{".", "--values", "examples/minimal-values.yaml"}, set("kafka.topics=None")...))

// livesAndLeaves is one release from its installation to its end.
func (c cluster) livesAndLeaves(t *testing.T) {
	_, err := c.helmInto(t, "install", installed...)
	for _, want := range []string{
		"- Secret mongodb is not in namespace sale; its key uri is wanted", "- Secret kafka is not in namespace sale; its key ca.crt is wanted",
		"its key store-owner is wanted", "its key apiv3.key is wanted", "Secret wechat-login is not",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("an installation without Secrets: got %v, want %q", err, want)
		}
	}
	strimzi := append(installed, set("kafka.sasl=false", "kafka.strimzi.cluster=main", "kafka.strimzi.users=true")...)
	if _, err := c.helmInto(t, "install", strimzi...); err == nil || !strings.Contains(err.Error(), "- Secret main-cluster-ca-cert is not in namespace sale") {
		t.Errorf("an installation without Strimzi's certificate: got %v", err)
	}
	for name, keys := range map[string][]string{
		"mongodb": {"uri"}, "kafka": {"ca.crt", "username"}, "tokens": {"buyer", "owner", "share"}, "vault": {"brand-intake", "store-owner", "fulfilment"},
		"wechatpay": {"private-key.pem", "apiv3.key", "platform-public-key.pem"}, "wechat-login": {"secret"},
	} {
		args := []string{"create", "secret", "generic", name}
		for _, key := range keys {
			args = append(args, "--from-literal="+key+"=a")
		}
		c.must(t, "", args...)
	}
	if _, err := c.helmInto(t, "install", installed...); err == nil || !strings.Contains(err.Error(), "- Secret kafka has no key password") || strings.Contains(err.Error(), "mongodb") {
		t.Errorf("an installation without a password: got %v", err)
	}
	c.must(t, "", "patch", "secret", "kafka", "--type=merge", "--patch", `{"stringData": {"password": "a"}}`)

	// The CRDs are there, of an installation that was not Helm's.
	notes, err := c.helmInto(t, "install", append(installed, "--take-ownership")...)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"helm test qingcang", "kind: Campaign", "kubectl qingcang get campaign"} {
		if !strings.Contains(notes, want) {
			t.Errorf("the notes do not say %q:\n%s", want, notes)
		}
	}
	if _, err := c.helmInto(t, "upgrade", append(installed, "--set", "clusterName=south")...); err == nil || !strings.Contains(err.Error(), "clusterName was north and must never change") {
		t.Errorf("an upgrade of the cluster's name: got %v", err)
	}
	another := append([]string{"install", "another", "--kubeconfig", c.config, "--namespace", namespace, "--set", "crds.install=false"}, installed...)
	if _, err := helmAt(t, another...); err == nil || !strings.Contains(err.Error(), "release qingcang runs the campaigns of namespace sale") {
		t.Errorf("another release in the namespace: got %v", err)
	}

	const crd, description = "customresourcedefinition/campaigns.sale.qingcang.io", "/spec/versions/0/schema/openAPIV3Schema/description"
	c.must(t, "", "patch", crd, "--type=json", "--patch", `[{"op": "replace", "path": "`+description+`", "value": "of an older version"}]`)
	if _, err := c.helmInto(t, "upgrade", append(installed, "--set", "services.order.replicas=3")...); err != nil {
		t.Fatal(err)
	}
	if out, _ := c.run(t, "", "get", crd, "-o", "yaml"); strings.Contains(out, "of an older version") {
		t.Error("an upgrade leaves the CRDs as they are")
	}
	if out, _ := c.run(t, "", "get", "deployment/qingcang-order", "-o", "jsonpath={.spec.replicas}"); out != "3" {
		t.Errorf("after the upgrade there are %s replicas", out)
	}

	c.leavesReplicasToAnAutoscaler(t)

	if _, err := c.helmInto(t, "uninstall"); err != nil {
		t.Fatal(err)
	}
	c.must(t, "", "get", crd, "customresourcedefinition/ownerprograms.sale.qingcang.io")
	left, err := c.run(t, "", "get", "deployments,services,serviceaccounts,configmaps,networkpolicies,poddisruptionbudgets,roles,rolebindings,clusterroles",
		"--selector=app.kubernetes.io/instance="+release, "-o", "name")
	if err != nil || strings.TrimSpace(left) != "" {
		t.Errorf("it leaves %s (%v)", left, err)
	}
}

// leavesReplicasToAnAutoscaler upgrades the release twice: whoever set the number in between keeps it.
func (c cluster) leavesReplicasToAnAutoscaler(t *testing.T) {
	t.Helper()
	for _, level := range []string{"info", "debug"} {
		if _, err := c.helmInto(t, "upgrade", append(installed, set("services.order.replicas=null", "logLevel="+level)...)...); err != nil {
			t.Fatal(err)
		}
		if level == "info" {
			c.must(t, "", "scale", "deployment/qingcang-order", "--replicas=7")
		}
	}
	for deployment, want := range map[string]string{"order": "7", "catalog": "2"} {
		if got, _ := c.run(t, "", "get", "deployment/qingcang-"+deployment, "-o", "jsonpath={.spec.replicas}"); got != want {
			t.Errorf("after an upgrade %s has %s replicas, want %s", deployment, got, want)
		}
	}
}
