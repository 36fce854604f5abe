package chart_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

// pod is what tests look at of a pod.
type pod struct {
	ServiceAccountName            string         `yaml:"serviceAccountName"`
	AutomountServiceAccountToken  *bool          `yaml:"automountServiceAccountToken"`
	TerminationGracePeriodSeconds int            `yaml:"terminationGracePeriodSeconds"`
	SecurityContext               map[string]any `yaml:"securityContext"`
	TopologySpreadConstraints     []yaml.Node    `yaml:"topologySpreadConstraints"`
	Containers                    []container    `yaml:"containers"`
	InitContainers                []container    `yaml:"initContainers"`
	Volumes                       []volume       `yaml:"volumes"`
	labels                        map[string]string
	owner                         object
	whole                         map[string]any
}

type volume struct {
	Name     string `yaml:"name"`
	EmptyDir *struct {
		SizeLimit string `yaml:"sizeLimit"`
	} `yaml:"emptyDir"`
	Secret *struct {
		SecretName string `yaml:"secretName"`
	} `yaml:"secret"`
	Projected *yaml.Node `yaml:"projected"`
}

type container struct {
	Name            string                       `yaml:"name"`
	Image           string                       `yaml:"image"`
	Args            []string                     `yaml:"args"`
	Env             []variable                   `yaml:"env"`
	Resources       map[string]map[string]string `yaml:"resources"`
	SecurityContext map[string]any               `yaml:"securityContext"`
	StartupProbe    *probe                       `yaml:"startupProbe"`
	LivenessProbe   *probe                       `yaml:"livenessProbe"`
	ReadinessProbe  *probe                       `yaml:"readinessProbe"`
	Lifecycle       struct {
		PreStop struct {
			Sleep struct {
				Seconds int `yaml:"seconds"`
			} `yaml:"sleep"`
		} `yaml:"preStop"`
	} `yaml:"lifecycle"`
	VolumeMounts []struct {
		Name      string `yaml:"name"`
		MountPath string `yaml:"mountPath"`
		ReadOnly  bool   `yaml:"readOnly"`
	} `yaml:"volumeMounts"`
}

type variable struct {
	Name      string    `yaml:"name"`
	Value     string    `yaml:"value"`
	ValueFrom yaml.Node `yaml:"valueFrom"`
}

type probe struct {
	HTTPGet struct {
		Path string `yaml:"path"`
		Port string `yaml:"port"`
	} `yaml:"httpGet"`
}

// workload is the part of a Deployment or Job that has a pod.
type workload struct {
	Replicas int `yaml:"replicas"`
	Strategy struct {
		RollingUpdate struct {
			MaxUnavailable *int `yaml:"maxUnavailable"`
		} `yaml:"rollingUpdate"`
	} `yaml:"strategy"`
	Selector struct {
		MatchLabels map[string]string `yaml:"matchLabels"`
	} `yaml:"selector"`
	Template struct {
		Metadata struct {
			Labels map[string]string `yaml:"labels"`
		} `yaml:"metadata"`
		Spec yaml.Node `yaml:"spec"`
	} `yaml:"template"`
}

// pods returns every pod that the objects make.
func pods(t testing.TB, objects []object) []pod {
	t.Helper()
	var out []pod
	for _, o := range objects {
		var spec yaml.Node
		labels := o.Metadata.Labels
		switch o.Kind {
		case "Pod":
			spec = o.Spec
		case "Deployment", "Job":
			var w workload
			o.spec(t, &w)
			spec, labels = w.Template.Spec, w.Template.Metadata.Labels
		case "StatefulSet", "DaemonSet", "CronJob", "ReplicaSet":
			t.Fatalf("%s: no test knows this kind", o)
		default:
			continue
		}
		p := pod{labels: labels, owner: o}
		if err := spec.Decode(&p); err != nil {
			t.Fatalf("%s: %v", o, err)
		}
		if err := spec.Decode(&p.whole); err != nil {
			t.Fatalf("%s: %v", o, err)
		}
		out = append(out, p)
	}
	if len(out) == 0 {
		t.Fatal("there are no pods")
	}
	return out
}

// What the standard "restricted" cannot ask for; that standard itself is the API server's to check (server_test.go).
func TestPodsCanDoNothingThatTheyNeedNot(t *testing.T) {
	inEach(t, func(t *testing.T, objects []object) {
		for _, p := range pods(t, objects) {
			wantsToken := strings.HasSuffix(p.owner.Metadata.Name, "-campaign-operator")
			if p.AutomountServiceAccountToken == nil || *p.AutomountServiceAccountToken != wantsToken {
				t.Errorf("%s: a token is mounted or left to a default, want %t", p.owner, wantsToken)
			}
			if p.SecurityContext["runAsUser"] != 65532 || p.SecurityContext["runAsGroup"] != 65532 {
				t.Errorf("%s runs as %v", p.owner, p.SecurityContext)
			}
			for _, c := range append(p.Containers, p.InitContainers...) {
				if c.SecurityContext["readOnlyRootFilesystem"] != true {
					t.Errorf("%s: %s may write to its root file system", p.owner, c.Name)
				}
				if c.Resources["requests"]["cpu"] == "" || c.Resources["requests"]["memory"] == "" || c.Resources["limits"]["memory"] == "" {
					t.Errorf("%s: %s has the resources %v", p.owner, c.Name, c.Resources)
				}
				for _, m := range c.VolumeMounts {
					if m.MountPath != "/tmp" && !m.ReadOnly {
						t.Errorf("%s: %s may write to %s", p.owner, c.Name, m.MountPath)
					}
				}
			}
			for _, v := range p.Volumes {
				if v.EmptyDir == nil && v.Secret == nil && v.Projected == nil || v.EmptyDir != nil && v.EmptyDir.SizeLimit == "" {
					t.Errorf("%s: volume %s has no bound, or is of an unknown kind", p.owner, v.Name)
				}
			}
		}
		for _, o := range ofKind(objects, "ServiceAccount") {
			if !strings.Contains(o.text, "automountServiceAccountToken: false") {
				t.Errorf("%s gives its token to every pod", o)
			}
		}
	})
}

func TestDeploymentsAreProbedSpreadGuardedAndRolledOutWithoutAGap(t *testing.T) {
	inEach(t, func(t *testing.T, objects []object) {
		for _, o := range ofKind(objects, "Deployment") {
			var w workload
			o.spec(t, &w)
			if m := w.Strategy.RollingUpdate.MaxUnavailable; m == nil || *m != 0 {
				t.Errorf("%s: a roll-out takes replicas away before others are there", o)
			}
			var budget struct {
				MaxUnavailable int `yaml:"maxUnavailable"`
				Selector       struct {
					MatchLabels map[string]string `yaml:"matchLabels"`
				} `yaml:"selector"`
			}
			named(t, objects, "PodDisruptionBudget", o.Metadata.Name).spec(t, &budget)
			if budget.MaxUnavailable != 1 || fmt.Sprint(budget.Selector.MatchLabels) != fmt.Sprint(w.Selector.MatchLabels) {
				t.Errorf("%s has the budget %+v", o, budget)
			}
		}
		for _, p := range pods(t, objects) {
			if p.owner.Kind != "Deployment" {
				continue
			}
			if len(p.TopologySpreadConstraints) != 2 {
				t.Errorf("%s is spread by %d rules, want nodes and zones", p.owner, len(p.TopologySpreadConstraints))
			}
			c, port := p.Containers[0], "http"
			if c.Name == "manager" {
				port = "probes"
			}
			for path, got := range map[string]*probe{"/livez": c.LivenessProbe, "/readyz": c.ReadinessProbe} {
				if got == nil || !strings.HasPrefix(got.HTTPGet.Path, path) || got.HTTPGet.Port != port {
					t.Errorf("%s: %s is asked as %+v", p.owner, path, got)
				}
			}
			if c.StartupProbe == nil || c.StartupProbe.HTTPGet.Path != "/livez" {
				t.Errorf("%s: a long start is taken for a hang", p.owner)
			}
		}
	})
}

// The kubelet kills after the grace period: the sleep before the stop, and what a service may take to stop
// and to flush, fit into it.
func TestAPodHasTheTimeThatAServiceTakesToStop(t *testing.T) {
	run := filepath.Join(root(t), "services", "internal", "run")
	stop := seconds(t, filepath.Join(run, "group.go"), "stopTimeout")
	flush := seconds(t, filepath.Join(run, "main.go"), "flushTimeout")
	for _, p := range pods(t, render(t)) {
		if p.owner.Kind != "Deployment" || p.Containers[0].Name == "manager" {
			continue
		}
		sleep := time.Duration(p.Containers[0].Lifecycle.PreStop.Sleep.Seconds) * time.Second
		grace := time.Duration(p.TerminationGracePeriodSeconds) * time.Second
		if sleep == 0 || sleep+stop+flush >= grace {
			t.Errorf("%s: %s before the stop, %s for it and %s for the flush do not fit into %s", p.owner, sleep, stop, flush, grace)
		}
	}
}

// seconds reads a constant such as "const stopTimeout = 22 * time.Second".
func seconds(t *testing.T, file, name string) time.Duration {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(name + `\s*=\s*(\d+) \* time\.Second`).FindSubmatch(text)
	if found == nil {
		t.Fatalf("%s has no constant %s", file, name)
	}
	n, err := strconv.Atoi(string(found[1]))
	if err != nil {
		t.Fatal(err)
	}
	return time.Duration(n) * time.Second
}

// GOGC is 400 in the services: without a soft limit the kernel would kill them before they collect.
func TestGoKnowsItsMemoryLimit(t *testing.T) {
	for limit, want := range map[string]string{"64Mi": "51MiB", "512Mi": "409MiB", "1Gi": "819MiB", "3Gi": "2457MiB"} {
		objects := render(t, set("services.order.resources.limits.memory="+limit, "services.order.resources.requests.memory=32Mi")...)
		order := pods(t, []object{named(t, objects, "Deployment", release+"-order")})[0]
		if got := env(order.Containers[0], "GOMEMLIMIT"); got != want {
			t.Errorf("with a limit of %s it is %q, want %q", limit, got, want)
		}
	}
	for _, p := range pods(t, render(t)) {
		if p.owner.Kind == "Deployment" && env(p.Containers[0], "GOMEMLIMIT") == "" {
			t.Errorf("%s has none", p.owner)
		}
	}
}

// env is the value of a variable, empty where there is none.
func env(c container, name string) string {
	i := slices.IndexFunc(c.Env, func(v variable) bool { return v.Name == name })
	if i < 0 {
		return ""
	}
	return c.Env[i].Value
}

// Images are of one architecture, so where nodes are of two, no pod may be left out.
func TestEveryPodRunsOnTheNodesThatTheValuesName(t *testing.T) {
	var args []string
	for _, part := range []string{"services.brand-intake", "services.catalog", "services.store-owner", "services.order", "services.fulfilment", "operator"} {
		args = append(args, setText(part+".nodeSelector.kubernetes\\.io/arch=arm64")...)
		args = append(args, set(part+".tolerations[0].key=sale", part+".tolerations[0].operator=Exists", part+".priorityClassName=sale")...)
	}
	for _, p := range pods(t, render(t, args...)) {
		nodes, _ := p.whole["nodeSelector"].(map[string]any)
		if tolerations, _ := p.whole["tolerations"].([]any); nodes["kubernetes.io/arch"] != "arm64" || len(tolerations) != 1 || p.whole["priorityClassName"] != "sale" {
			t.Errorf("%s runs on %v, tolerates %v and has the priority %v", p.owner, nodes, tolerations, p.whole["priorityClassName"])
		}
	}
}

func TestImagesAreNamedByRegistryTagAndDigest(t *testing.T) {
	digest := "sha256:" + strings.Repeat("ab", 32)
	for name, test := range map[string]struct {
		args []string
		want string
	}{
		"the chart's version is the tag":       {nil, "registry.example.com/team/qingcang/order:v0.1.0"},
		"a registry and a folder stand before": {set("image.registry=localhost:5000", "image.repository=sale", "image.tag=v2"), "localhost:5000/sale/order:v2"},
		"no registry is the runtime's own":     {set("image.registry="), "qingcang/order:v0.1.0"},
		"a digest is stronger than a tag":      {set("image.registry=", "image.tag=v2", "image.digests.order="+digest), "qingcang/order@" + digest},
	} {
		t.Run(name, func(t *testing.T) {
			order := pods(t, []object{named(t, render(t, test.args...), "Deployment", release+"-order")})[0]
			if got := order.Containers[0].Image; got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

// A gateway looks at the host before the path, so a lane's route would never be taken if it were for
// another host than the order service's.
func TestTheLanesRoutesAreForTheOrderServicesHost(t *testing.T) {
	objects := render(t, set("gateway.enabled=true", "gateway.name=front", "gateway.namespace=edge")...)
	var route struct {
		Hostnames  []string            `yaml:"hostnames"`
		ParentRefs []map[string]string `yaml:"parentRefs"`
	}
	named(t, objects, "HTTPRoute", release+"-order").spec(t, &route)
	args := pods(t, []object{named(t, objects, "Deployment", release+"-campaign-operator")})[0].Containers[0].Args
	for _, want := range []string{"--gateway-host=" + route.Hostnames[0], "--gateway=" + route.ParentRefs[0]["namespace"] + "/" + route.ParentRefs[0]["name"]} {
		if !slices.Contains(args, want) {
			t.Errorf("the operator runs with %v, want %s", args, want)
		}
	}
}
