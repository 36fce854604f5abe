package chart_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/qingcang/qingcang/hack/internal/poll"
	"github.com/qingcang/qingcang/hack/internal/stack"
)

// module is a Go module that carries CRDs which the chart has objects of.
type module struct{ path, version, sum, dir string }

var (
	gatewayAPI = module{"sigs.k8s.io/gateway-api", "v1.4.1", "h1:NPxFutNkKNa8UfLd2CMlEuhIPMQgDQ6DXNKG9sHbJU8=", "config/crd/standard"}
	prometheus = module{"github.com/prometheus-operator/prometheus-operator", "v0.87.1", "h1:zjzxO10Rv3goA/GDbE3Vgf2TNhhcOp7fZbRG0Tkm3OY=", "example/prometheus-operator-crd"}
)

// fetch returns the folder of the module's CRDs.
func (m module) fetch(t *testing.T) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), "go", "mod", "download", "-json", m.path+"@"+m.version)
	command.Dir, command.Env = t.TempDir(), append(os.Environ(), "GOWORK=off")
	out, err := command.Output()
	if err != nil {
		t.Fatalf("download %s: %v\n%s", m.path, err, out)
	}
	var got struct{ Dir, Sum string }
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	if got.Sum != m.sum {
		t.Fatalf("%s is %s, want %s", m.path, got.Sum, m.sum)
	}
	return filepath.Join(got.Dir, filepath.FromSlash(m.dir))
}

// cluster is an API server of the test's own.
type cluster struct {
	kubectl, config string
}

func startCluster(t *testing.T) cluster {
	t.Helper()
	assets, err := stack.KubeAssets(t.Context(), root(t), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	supervisor, err := stack.NewSupervisor(t.TempDir(), slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(supervisor.Stop)
	plane, err := stack.StartControlPlane(t.Context(), supervisor, assets, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return cluster{assets.Kubectl, plane.Kubeconfig(stack.AdminUser)}
}

// run runs kubectl in the release's namespace.
func (c cluster) run(t *testing.T, stdin string, args ...string) (string, error) {
	t.Helper()
	command := exec.CommandContext(t.Context(), c.kubectl, append([]string{"--kubeconfig", c.config, "--namespace", namespace}, args...)...)
	command.Stdin = strings.NewReader(stdin)
	var out bytes.Buffer
	command.Stdout, command.Stderr = &out, &out
	err := command.Run()
	return out.String(), err
}

func (c cluster) must(t *testing.T, stdin string, args ...string) {
	t.Helper()
	if out, err := c.run(t, stdin, args...); err != nil {
		t.Fatalf("kubectl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// prepare makes what an installation expects to be there: the kinds of others, a namespace in which no pod
// runs that is not restricted, and the priority that a variant names.
func (c cluster) prepare(t *testing.T) {
	t.Helper()
	var files []string
	for _, m := range []module{gatewayAPI, prometheus} {
		dir := m.fetch(t)
		for _, kind := range []string{"httproutes", "servicemonitors", "podmonitors", "prometheusrules"} {
			found, err := filepath.Glob(filepath.Join(dir, "*_"+kind+".yaml"))
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, found...)
		}
	}
	own, err := filepath.Glob(filepath.Join(root(t), "operators", "campaign", "config", "crd", "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range append(files, own...) {
		c.must(t, "", "apply", "--server-side", "-f", file)
		// Before it has any condition, "kubectl wait" fails at once.
		err := poll.Within(t.Context(), time.Minute, func(context.Context) error {
			out, err := c.run(t, "", "wait", "--for=condition=Established", "--timeout=10s", "-f", file)
			if err != nil {
				return fmt.Errorf("%w: %s", err, out)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(files) != 4 {
		t.Fatalf("the CRDs of others are %v", files)
	}
	c.must(t, "", "create", "namespace", namespace)
	c.must(t, "", "label", "namespace", namespace, "pod-security.kubernetes.io/enforce=restricted", "pod-security.kubernetes.io/enforce-version=latest")
	c.must(t, "", "create", "priorityclass", "sale", "--value=1000")
}

func TestTheAPIServer(t *testing.T) {
	c := startCluster(t)
	c.prepare(t)
	t.Run("takes every object", c.takesEveryObject)
	t.Run("refuses what is wrong", c.refusesWhatIsWrong)
	t.Run("has a release that lives and leaves", c.livesAndLeaves)
}

// Strimzi's kinds are in no Go module; TestStrimzisObjectsAreWhatItsKindsAllow looks at them.
func (c cluster) takesEveryObject(t *testing.T) {
	for name, args := range variants {
		t.Run(name, func(t *testing.T) {
			var all strings.Builder
			objects := slices.DeleteFunc(render(t, args...), func(o object) bool { return strings.HasPrefix(o.APIVersion, "kafka.strimzi.io/") })
			for _, o := range objects {
				all.WriteString("---\n" + o.text)
			}
			// The CRDs are there already, from the same files.
			out, err := c.run(t, all.String(), "apply", "--server-side", "--force-conflicts", "--dry-run=server", "--validate=strict", "-f", "-")
			if err != nil || strings.Contains(out, "Warning") {
				t.Errorf("%v\n%s", err, out)
			}
			if got := strings.Count(out, "(server dry run)"); got != len(objects) {
				t.Errorf("%d objects were taken, want %d", got, len(objects))
			}
			c.admits(t, objects)
		})
	}
}

// admits lets Kubernetes' own admission judge each pod by the standard "restricted"; of a Deployment it
// would only warn.
func (c cluster) admits(t *testing.T, objects []object) {
	t.Helper()
	var all strings.Builder
	made := pods(t, objects)
	for _, p := range made {
		text, err := json.Marshal(map[string]any{
			"apiVersion": "v1", "kind": "Pod", "metadata": map[string]any{"name": p.owner.Metadata.Name, "labels": p.labels}, "spec": p.whole,
		})
		if err != nil {
			t.Fatal(err)
		}
		all.WriteString("---\n" + string(text) + "\n")
	}
	out, err := c.run(t, all.String(), "create", "--dry-run=server", "-f", "-")
	if got := strings.Count(out, "created (server dry run)"); err != nil || got != len(made) {
		t.Errorf("%d of %d pods are restricted: %v\n%s", got, len(made), err, out)
	}
}

// What the check above is worth: it refuses a pod that is not restricted, and an object with an unknown field.
func (c cluster) refusesWhatIsWrong(t *testing.T) {
	order := pods(t, []object{named(t, render(t), "Deployment", release+"-order")})[0]
	for name, test := range map[string]struct {
		object map[string]any
		want   string
	}{
		"a pod that may be root": {
			map[string]any{"apiVersion": "v1", "kind": "Pod", "metadata": map[string]any{"name": "a"}, "spec": map[string]any{"containers": order.whole["containers"], "volumes": order.whole["volumes"]}},
			"violates PodSecurity",
		},
		"a field that there is not": {
			map[string]any{"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": map[string]any{"name": "a"}, "spec": map[string]any{"maxUnavailble": 1}},
			"maxUnavailble",
		},
	} {
		t.Run(name, func(t *testing.T) {
			text, err := json.Marshal(test.object)
			if err != nil {
				t.Fatal(err)
			}
			if out, err := c.run(t, string(text), "create", "--dry-run=server", "--validate=strict", "-f", "-"); err == nil || !strings.Contains(out, test.want) {
				t.Errorf("got %v %s, want %q", err, out, test.want)
			}
		})
	}
}

// Every part of the CRDs of Strimzi's kafka.strimzi.io/v1 that the chart uses.
func TestStrimzisObjectsAreWhatItsKindsAllow(t *testing.T) {
	objects := render(t, variants["with Strimzi"]...)
	topics, users := ofKind(objects, "KafkaTopic"), ofKind(objects, "KafkaUser")
	if len(topics) != 9 || len(users) != 6 {
		t.Errorf("%d topics and %d users, want 9 and 6", len(topics), len(users))
	}
	for _, o := range append(topics, users...) {
		if o.APIVersion != "kafka.strimzi.io/v1" || o.Metadata.Labels["strimzi.io/cluster"] != "main" {
			t.Errorf("%s is of %s and belongs to %q", o, o.APIVersion, o.Metadata.Labels["strimzi.io/cluster"])
		}
	}
	for _, o := range topics {
		var spec map[string]any
		o.spec(t, &spec)
		keys(t, o, spec, "partitions", "replicas", "config")
		if o.Metadata.Annotations["helm.sh/resource-policy"] != "keep" {
			t.Errorf("%s goes with the release, and Strimzi deletes the topic", o)
		}
	}
	for _, o := range users {
		var spec struct {
			Authentication, Authorization map[string]any
		}
		o.spec(t, &spec)
		if spec.Authentication["type"] != "scram-sha-512" || spec.Authorization["type"] != "simple" {
			t.Errorf("%s logs in by %v", o, spec.Authentication["type"])
		}
		acls, _ := spec.Authorization["acls"].([]any)
		if len(acls) == 0 {
			t.Errorf("%s may do nothing", o)
		}
		for _, entry := range acls {
			acl, _ := entry.(map[string]any)
			keys(t, o, acl, "resource", "operations", "host")
			resource, _ := acl["resource"].(map[string]any)
			keys(t, o, resource, "type", "name", "patternType")
			if !slices.Contains([]any{"topic", "group"}, resource["type"]) || !slices.Contains([]any{"literal", "prefix"}, resource["patternType"]) {
				t.Errorf("%s has rights on %v", o, resource)
			}
		}
	}
}

// keys fails unless these and no other are there.
func keys(t *testing.T, o object, m map[string]any, want ...string) {
	t.Helper()
	if len(m) != len(want) {
		t.Errorf("%s: got %v, want the keys %v", o, m, want)
	}
	for _, key := range want {
		if m[key] == nil {
			t.Errorf("%s has no %s", o, key)
		}
	}
}
