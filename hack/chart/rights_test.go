package chart_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// right is one verb on one resource.
type right struct{ group, resource, verb string }

func rightsOf(rules []map[string]any) map[right]bool {
	out := map[right]bool{}
	list := func(v any) []any { l, _ := v.([]any); return l }
	for _, r := range rules {
		for _, group := range list(r["apiGroups"]) {
			for _, resource := range list(r["resources"]) {
				for _, verb := range list(r["verbs"]) {
					out[right{fmt.Sprint(group), fmt.Sprint(resource), fmt.Sprint(verb)}] = true
				}
			}
		}
	}
	return out
}

// What controller-gen reads from the markers at the code that uses it is what the chart grants, less what
// concerns kinds that the operator is not told to make.
func TestTheOperatorMayDoWhatItsCodeDoesAndNoMore(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root(t), "operators", "campaign", "config", "rbac", "role.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var generated object
	if err := yaml.Unmarshal(text, &generated); err != nil {
		t.Fatal(err)
	}
	all := rightsOf(generated.Rules)
	for name, test := range map[string]struct {
		args    []string
		without []string // API groups
	}{
		"it knows neither gateways nor Strimzi unless it is told": {nil, []string{"gateway.networking.k8s.io", "kafka.strimzi.io"}},
		"it makes routes for a gateway":                           {variants["with all that is optional"], []string{"kafka.strimzi.io"}},
		"it makes topics by Strimzi":                              {variants["with Strimzi"], []string{"gateway.networking.k8s.io"}},
	} {
		t.Run(name, func(t *testing.T) {
			want := map[right]bool{}
			for r := range all {
				if !slices.Contains(test.without, r.group) {
					want[r] = true
				}
			}
			objects := render(t, test.args...)
			if got := rightsOf(named(t, objects, "Role", release+"-campaign-operator").Rules); !maps.Equal(got, want) {
				t.Errorf("got %v\nwant %v", got, want)
			}
			// And no other object gives it or a service anything.
			if n := len(ofKind(objects, "Role")) + len(ofKind(objects, "RoleBinding")) + len(ofKind(objects, "ClusterRoleBinding")); n != 2 {
				t.Errorf("%d roles and bindings, want 2", n)
			}
		})
	}
}

func TestTheOperatorHasNoRightThatWouldHelpAThief(t *testing.T) {
	for r := range rightsOf(named(t, render(t, variants["with all that is optional"]...), "Role", release+"-campaign-operator").Rules) {
		if r.resource == "secrets" || r.resource == "*" || r.verb == "*" || r.group == "*" || r.group == "rbac.authorization.k8s.io" || strings.HasPrefix(r.resource, "pods/") ||
			slices.Contains([]string{"delete", "deletecollection", "escalate", "bind", "impersonate"}, r.verb) {
			t.Errorf("it may %s %s of %q", r.verb, r.resource, r.group)
		}
	}
}

func TestThePeopleOfANamespaceMayEditAndViewItsCampaigns(t *testing.T) {
	objects := render(t)
	for name, test := range map[string]struct {
		to    []string
		verbs []string
	}{
		"edit": {[]string{"admin", "edit"}, []string{"create", "update", "patch", "delete", "deletecollection", "get", "list", "watch"}},
		"view": {[]string{"view"}, []string{"get", "list", "watch"}},
	} {
		role := named(t, objects, "ClusterRole", namespace+"-"+release+"-campaigns-"+name)
		for _, to := range test.to {
			if role.Metadata.Labels["rbac.authorization.k8s.io/aggregate-to-"+to] != "true" {
				t.Errorf("%s is not part of %s", name, to)
			}
		}
		want := map[right]bool{} // and nothing of a status, which would be a phase that nobody came into
		for _, resource := range []string{"campaigns", "ownerprograms"} {
			for _, verb := range test.verbs {
				want[right{"sale.qingcang.io", resource, verb}] = true
			}
		}
		if got := rightsOf(role.Rules); !maps.Equal(got, want) {
			t.Errorf("who has %s may %v, want %v", name, got, want)
		}
	}
}
