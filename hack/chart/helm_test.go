package chart_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/qingcang/qingcang/hack/chart"
	"github.com/qingcang/qingcang/hack/internal/stack"
)

const (
	release   = "qingcang"
	namespace = "sale"
)

// built is Helm, built once for all tests, and the root of the repository.
var built = sync.OnceValues(func() (tool struct{ helm, root string }, err error) {
	if tool.root, err = stack.Root(); err != nil {
		return tool, err
	}
	install := exec.Command(filepath.Join(tool.root, "hack", "tools", "install"), "helm")
	var complaint bytes.Buffer
	install.Stderr = &complaint
	out, err := install.Output()
	if err != nil {
		return tool, fmt.Errorf("build Helm: %w: %s", err, complaint.String())
	}
	tool.helm = filepath.Join(strings.TrimSpace(string(out)), "helm")
	return tool, nil
})

// root is the repository's.
func root(t testing.TB) string {
	t.Helper()
	tool, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return tool.root
}

// helm runs Helm on the chart without a cluster.
func helm(t testing.TB, args ...string) (string, error) {
	t.Helper()
	return helmAt(t, append(args, "--kube-version", "v"+stack.KubeVersion)...)
}

// helmAt runs Helm in the chart's folder and returns what it prints; its complaint is the error.
func helmAt(t testing.TB, args ...string) (string, error) {
	t.Helper()
	dir := root(t)
	tool, _ := built()
	command := exec.CommandContext(t.Context(), tool.helm, args...)
	command.Dir = filepath.Join(dir, chart.Dir)
	var complaint bytes.Buffer
	command.Stderr = &complaint
	out, err := command.Output()
	if err != nil {
		return string(out), errors.New(complaint.String() + string(out))
	}
	return string(out), nil
}

// rendered keeps what Helm made of some arguments: many tests look at the same.
var rendered sync.Map

// template renders the chart with the minimal values and more.
func template(t testing.TB, args ...string) (string, error) {
	t.Helper()
	key := strings.Join(args, "\x00")
	if text, ok := rendered.Load(key); ok {
		return text.(string), nil
	}
	text, err := helm(t, append([]string{"template", release, ".", "--namespace", namespace, "--values", "examples/minimal-values.yaml"}, args...)...)
	if err == nil {
		rendered.Store(key, text)
	}
	return text, err
}

// render is template for values that are right.
func render(t testing.TB, args ...string) []object {
	t.Helper()
	text, err := template(t, args...)
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, text)
}

// set makes arguments of values, each KEY=value.
func set(values ...string) []string { return as("--set", values) }

// setText is set for values that are text whatever they look like.
func setText(values ...string) []string { return as("--set-string", values) }

func as(flag string, values []string) []string {
	var args []string
	for _, v := range values {
		args = append(args, flag, v)
	}
	return args
}

// variants are the ways in which the chart is installed; what must hold, holds in each.
var variants = map[string][]string{
	"as little as there is": nil,
	"with all that is optional": set("gateway.enabled=true", "gateway.name=front", "gateway.namespace=edge", "monitoring.serviceMonitors.enabled=true",
		"monitoring.rules.enabled=true", "monitoring.rules.labels.team=sale", "telemetry.otlpEndpoint=http://collector.telemetry:4318", "services.order.laneRules=3",
		"image.registry=registry.example.com/team", "image.tag=v1.2.3", "image.pullSecrets={registry}", "services.order.podAnnotations.a=b",
		"services.order.nodeSelector.disk=fast", "services.order.tolerations[0].key=sale", "services.order.tolerations[0].operator=Exists", "services.order.priorityClassName=sale"),
	"as Strimzi's example says":    {"--values", "examples/strimzi-values.yaml"},
	"with Strimzi":                 set("kafka.sasl=false", "kafka.topics=Strimzi", "kafka.strimzi.cluster=main", "kafka.strimzi.users=true"),
	"with topics by Strimzi alone": set("kafka.topics=Strimzi", "kafka.strimzi.cluster=main"),
	"with certificates":            set("kafka.sasl=false", "kafka.clientCertificate=true"),
	"with a Kafka that is open":    set("kafka.sasl=false", "kafka.tls=false", "kafka.topics=None"),
	"with Secrets of a service's own": set("services.order.secrets.mongodb=mongodb-order", "services.order.secrets.kafka=kafka-order",
		"operator.secrets.kafka=kafka-operator", "mongodb.databasePrefix=north-"),
	"with replicas that an autoscaler sets": set("services.order.replicas=null", "services.catalog.replicas=null"),
	"with names that read as something else": slices.Concat(set("gateway.enabled=true", "monitoring.rules.enabled=true"), setText("clusterName=2026", "gateway.name=3",
		"gateway.namespace=0x4", "secrets.mongodb=12", "secrets.kafka=1e3", "secrets.tokens=0x1", "secrets.vault=null", "secrets.wechatpay=true", "secrets.wechatLogin=1.5",
		"image.pullSecrets[0]=007", "services.order.nodeSelector.disk=1", "services.order.podAnnotations.a=true")),
	"with Strimzi's names that do, too": slices.Concat(set("kafka.sasl=false", "kafka.topics=Strimzi", "kafka.strimzi.users=true"), setText("kafka.strimzi.cluster=12")),
	"with narrow policies": set("networkPolicy.clients[0].namespaceSelector.matchLabels.kubernetes\\.io/metadata\\.name=edge",
		"networkPolicy.scrapers[0].namespaceSelector.matchLabels.kubernetes\\.io/metadata\\.name=monitoring",
		"networkPolicy.kafka[0].ipBlock.cidr=10.1.0.0/16", "networkPolicy.mongodb[0].ipBlock.cidr=10.2.0.0/16", "networkPolicy.apiServer[0].ipBlock.cidr=10.3.0.1/32",
		"networkPolicy.kafkaPorts={9093,9094}"),
	"with nothing beside the suite": set("crds.install=false", "rbac.aggregate=false", "networkPolicy.enabled=false", "monitoring.dashboards.enabled=false", "kafka.topics=None"),
}

// inEach runs a test on each variant.
func inEach(t *testing.T, check func(t *testing.T, objects []object)) {
	t.Helper()
	for name, args := range variants {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			check(t, render(t, args...))
		})
	}
}

// object is a rendered object: the parts that tests look at, and all of it.
type object struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string `yaml:"kind"`
	Metadata   struct {
		Name        string            `yaml:"name"`
		Labels      map[string]string `yaml:"labels"`
		Annotations map[string]string `yaml:"annotations"`
	} `yaml:"metadata"`
	Spec  yaml.Node         `yaml:"spec"`
	Rules []map[string]any  `yaml:"rules"`
	Data  map[string]string `yaml:"data"`
	text  string
}

func (o object) String() string { return o.Kind + "/" + o.Metadata.Name }

// spec decodes the object's spec.
func (o object) spec(t testing.TB, into any) {
	t.Helper()
	if err := o.Spec.Decode(into); err != nil {
		t.Fatalf("%s: %v", o, err)
	}
}

func parse(t testing.TB, text string) []object {
	t.Helper()
	var out []object
	decoder := yaml.NewDecoder(strings.NewReader(text))
	for {
		var node yaml.Node
		err := decoder.Decode(&node)
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatalf("what is rendered is no YAML: %v", err)
		}
		var o object
		if err := node.Decode(&o); err != nil {
			t.Fatal(err)
		}
		if o.Kind == "" {
			continue // a file whose objects are all optional
		}
		whole, err := yaml.Marshal(&node)
		if err != nil {
			t.Fatal(err)
		}
		o.text = string(whole)
		out = append(out, o)
	}
}

// ofKind returns the objects of a kind.
func ofKind(objects []object, kind string) []object {
	var out []object
	for _, o := range objects {
		if o.Kind == kind {
			out = append(out, o)
		}
	}
	return out
}

// named returns one object.
func named(t testing.TB, objects []object, kind, name string) object {
	t.Helper()
	for _, o := range ofKind(objects, kind) {
		if o.Metadata.Name == name {
			return o
		}
	}
	t.Fatalf("there is no %s %s", kind, name)
	return object{}
}
