package chart_test

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// kits are the packages whose Config a service's own has as a field, by what it is called there.
var kits = map[string]string{
	"eventkit": "proto/eventkit/conn.go", "mongokit": "services/internal/mongokit/mongokit.go", "wechatpay": "services/internal/wechatpay/config.go",
	"rewrite": "services/internal/rewrite/rewrite.go", "wechatlogin": "services/store-owner/internal/wechatlogin/wechatlogin.go",
}

var (
	envTag  = regexp.MustCompile("env:\"([A-Z0-9_]+)([^\"]*)\"")
	kitName = regexp.MustCompile(`\s(\w+)\.Config\b`)
)

// known are what every process reads besides its Config: see services/internal/run and telemetry.
var known = []string{
	"LOG_LEVEL", "GOMEMLIMIT", "INSTANCE", "OTEL_METRICS_EXPORTER", "OTEL_EXPORTER_PROMETHEUS_HOST", "OTEL_EXPORTER_PROMETHEUS_PORT",
	"OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_TRACES_EXPORTER", "OTEL_LOGS_EXPORTER",
}

// reads returns the variables that a service reads, and whether each is required.
func reads(t *testing.T, service string) map[string]bool {
	t.Helper()
	file := filepath.Join(root(t), "services", service, "internal", "wiring", "wiring.go")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	_, config, ok := strings.Cut(string(text), "type Config struct {")
	if !ok {
		t.Fatalf("%s has no Config", file)
	}
	config, _, _ = strings.Cut(config, "\n}")
	sources := []string{config}
	for _, found := range kitName.FindAllStringSubmatch(config, -1) {
		source, ok := kits[found[1]]
		if !ok {
			t.Fatalf("%s: no test knows where %s.Config is", service, found[1])
		}
		text, err := os.ReadFile(filepath.Join(root(t), source))
		if err != nil {
			t.Fatal(err)
		}
		sources = append(sources, string(text))
	}
	out := map[string]bool{}
	for _, found := range envTag.FindAllStringSubmatch(strings.Join(sources, "\n"), -1) {
		out[found[1]] = strings.Contains(found[2], "required")
	}
	return out
}

func TestEveryServiceGetsTheVariablesThatItReads(t *testing.T) {
	inEach(t, func(t *testing.T, objects []object) {
		for _, service := range []string{"brand-intake", "catalog", "store-owner", "order", "fulfilment"} {
			given := map[string]bool{}
			for _, v := range pods(t, []object{named(t, objects, "Deployment", release+"-"+service)})[0].Containers[0].Env {
				if given[v.Name] {
					t.Errorf("%s gets %s twice", service, v.Name)
				}
				given[v.Name] = true
			}
			wanted := reads(t, service)
			for _, name := range slices.Sorted(maps.Keys(wanted)) {
				if wanted[name] && !given[name] {
					t.Errorf("%s does not get %s, without which it does not start", service, name)
				}
			}
			for _, name := range slices.Sorted(maps.Keys(given)) {
				if _, ok := wanted[name]; !ok && !slices.Contains(known, name) {
					t.Errorf("%s gets %s, which it does not read", service, name)
				}
			}
		}
	})
}

// The order service asks for staff's tokens only where it is told of an issuer.
func TestFinanceCanLogInAtTheOrderService(t *testing.T) {
	order := pods(t, []object{named(t, render(t), "Deployment", release+"-order")})[0].Containers[0]
	for name, want := range map[string]string{"OIDC_ISSUER": "https://login.example.com", "OIDC_AUDIENCE": "qingcang"} {
		if got := env(order, name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

// A file that a variable names stands in a folder that is mounted.
func TestEveryFileThatIsNamedIsMounted(t *testing.T) {
	inEach(t, func(t *testing.T, objects []object) {
		for _, p := range pods(t, objects) {
			folders, names := map[string]string{}, map[string]bool{}
			for _, m := range p.Containers[0].VolumeMounts {
				folders[m.MountPath] = m.Name
			}
			for _, v := range p.Volumes {
				names[v.Name] = true
			}
			for _, v := range p.Containers[0].Env {
				if volume := folders[filepath.Dir(v.Value)]; strings.HasSuffix(v.Name, "_FILE") && !names[volume] {
					t.Errorf("%s: %s is in no volume", p.owner, v.Value)
				}
			}
			for folder, volume := range folders {
				if !names[volume] {
					t.Errorf("%s: %s is mounted from the volume %s, which is not there", p.owner, folder, volume)
				}
			}
		}
	})
}

// secretsIn adds the names of all Secrets that a part of a pod refers to.
func secretsIn(part any, into map[string]bool) {
	switch part := part.(type) {
	case []any:
		for _, p := range part {
			secretsIn(p, into)
		}
	case map[string]any:
		for key, p := range part {
			reference, _ := p.(map[string]any)
			for _, name := range []any{reference["name"], reference["secretName"]} {
				if name, ok := name.(string); ok && (key == "secret" || key == "secretKeyRef" || key == "secretRef") {
					into[name] = true
				}
			}
			secretsIn(p, into)
		}
	}
}

// The chart names Secrets and makes none, and a service sees those that README.md says it does.
func TestEachPodSeesItsOwnSecretsAlone(t *testing.T) {
	objects := render(t)
	if len(ofKind(objects, "Secret")) > 0 {
		t.Error("the chart makes a Secret")
	}
	for name, want := range map[string][]string{
		"brand-intake": {"kafka", "mongodb", "vault"}, "catalog": {"kafka", "tokens"}, "fulfilment": {"kafka", "mongodb", "tokens", "vault"},
		"store-owner": {"kafka", "mongodb", "tokens", "vault", "wechat-login", "wechatpay"}, "order": {"kafka", "mongodb", "tokens", "wechatpay"},
		"campaign-operator": {"kafka"},
	} {
		seen := map[string]bool{}
		secretsIn(pods(t, []object{named(t, objects, "Deployment", release+"-"+name)})[0].whole, seen)
		if got := slices.Sorted(maps.Keys(seen)); !slices.Equal(got, want) {
			t.Errorf("%s sees %v, want %v", name, got, want)
		}
	}
}
