package chart_test

import (
	"slices"
	"strings"
	"testing"
)

// policy is a NetworkPolicy's spec.
type policy struct {
	PodSelector struct {
		MatchLabels      map[string]string `yaml:"matchLabels"`
		MatchExpressions []struct {
			Key      string `yaml:"key"`
			Operator string `yaml:"operator"`
		} `yaml:"matchExpressions"`
	} `yaml:"podSelector"`
	PolicyTypes []string `yaml:"policyTypes"`
	Ingress     []rule   `yaml:"ingress"`
	Egress      []rule   `yaml:"egress"`
}

type rule struct {
	From  []map[string]any `yaml:"from"`
	To    []map[string]any `yaml:"to"`
	Ports []struct {
		Port int `yaml:"port"`
	} `yaml:"ports"`
}

func (p policy) selects(labels map[string]string) bool {
	for key, value := range p.PodSelector.MatchLabels {
		if labels[key] != value {
			return false
		}
	}
	for _, e := range p.PodSelector.MatchExpressions {
		if _, there := labels[e.Key]; e.Operator != "Exists" || !there {
			return false
		}
	}
	return true
}

func (p policy) deniesAll() bool {
	return len(p.Ingress) == 0 && len(p.Egress) == 0 && slices.Contains(p.PolicyTypes, "Ingress") && slices.Contains(p.PolicyTypes, "Egress")
}

func policies(t *testing.T, objects []object) []policy {
	t.Helper()
	var out []policy
	for _, o := range ofKind(objects, "NetworkPolicy") {
		var p policy
		o.spec(t, &p)
		out = append(out, p)
	}
	return out
}

// lane is a pod as the operator makes it of the order service's: labels of its own.
var lane = map[string]string{"sale.qingcang.io/campaign": "autumn", "app.kubernetes.io/name": "order-lane", "app.kubernetes.io/part-of": "qingcang"}

func TestEveryPodIsDeniedWhatNoPolicyAllows(t *testing.T) {
	inEach(t, func(t *testing.T, objects []object) {
		all := policies(t, objects)
		if len(all) == 0 {
			if strings.HasSuffix(t.Name(), "beside_the_suite") {
				return
			}
			t.Fatal("there is no policy")
		}
		check := func(who string, labels map[string]string) {
			if !slices.ContainsFunc(all, func(p policy) bool { return p.deniesAll() && p.selects(labels) }) {
				t.Errorf("%s: nothing denies it everything first", who)
			}
		}
		for _, p := range pods(t, objects) {
			check(p.owner.String(), p.labels)
		}
		check("a campaign's own lane", lane)
	})
}

// reach returns the ports that policies open for a pod, to it and from it.
func reach(all []policy, labels map[string]string) (in, out []int) {
	for _, p := range all {
		if !p.selects(labels) {
			continue
		}
		for _, r := range p.Ingress {
			for _, port := range r.Ports {
				in = append(in, port.Port)
			}
		}
		for _, r := range p.Egress {
			for _, port := range r.Ports {
				out = append(out, port.Port)
			}
		}
	}
	slices.Sort(in)
	slices.Sort(out)
	return slices.Compact(in), slices.Compact(out)
}

func TestEachPodReachesWhatItNeedsAndNoMore(t *testing.T) {
	const dns, kafka, mongodb, web, api = 53, 9093, 27017, 443, 6443
	objects := render(t)
	all := policies(t, objects)
	wants := map[string]struct{ in, out []int }{
		"brand-intake":      {[]int{8080, 9464}, []int{dns, web, kafka, mongodb}},
		"catalog":           {[]int{8080, 9464}, []int{dns, web, kafka}},
		"store-owner":       {[]int{8080, 9464}, []int{dns, web, kafka, mongodb}},
		"order":             {[]int{8080, 9464}, []int{dns, web, kafka, mongodb}},
		"fulfilment":        {[]int{8080, 9464}, []int{dns, web, kafka, mongodb}},
		"campaign-operator": {[]int{8080, 8081}, []int{dns, web, api, kafka}},
		"topics":            {nil, []int{dns, kafka}},
		"test":              {nil, []int{dns, 8080, 8081}},
	}
	for _, p := range pods(t, objects) {
		name := strings.TrimPrefix(p.owner.Metadata.Name, release+"-")
		want, ok := wants[name]
		if !ok {
			t.Errorf("no test knows what %s needs", name)
		}
		in, out := reach(all, p.labels)
		if !slices.Equal(in, want.in) || !slices.Equal(out, want.out) {
			t.Errorf("%s is reached at %v and reaches %v, want %v and %v", name, in, out, want.in, want.out)
		}
	}
	laneIn, laneOut := reach(all, lane)
	orderIn, orderOut := reach(all, map[string]string{"app.kubernetes.io/name": "order", "app.kubernetes.io/instance": release, "app.kubernetes.io/part-of": "qingcang"})
	if !slices.Equal(laneIn, orderIn) || !slices.Equal(laneOut, orderOut) {
		t.Errorf("a lane of its own is reached at %v and reaches %v, the shared pool at %v and %v", laneIn, laneOut, orderIn, orderOut)
	}
}

func TestServicesReachTheEndpointOfTraces(t *testing.T) {
	for endpoint, want := range map[string]int{
		"http://collector.telemetry:4318": 4318, "http://collector:4318/v1": 4318, "https://traces4.example.com": 443, "http://collector/otlp": 80,
	} {
		all := policies(t, render(t, set("telemetry.otlpEndpoint="+endpoint)...))
		_, out := reach(all, map[string]string{"app.kubernetes.io/name": "catalog", "app.kubernetes.io/instance": release, "app.kubernetes.io/part-of": "qingcang"})
		if !slices.Contains(out, want) {
			t.Errorf("with %s catalog reaches %v, want %d, too", endpoint, out, want)
		}
	}
}

// Hooks run before everything else: a Job whose policy came with the rest would meet that of the release before.
func TestThePolicyOfAHookComesBeforeIt(t *testing.T) {
	objects := render(t)
	job, policy := named(t, objects, "Job", release+"-topics"), named(t, objects, "NetworkPolicy", release+"-topics")
	for _, key := range []string{"helm.sh/hook", "helm.sh/hook-delete-policy"} {
		if got, want := policy.Metadata.Annotations[key], job.Metadata.Annotations[key]; got != want {
			t.Errorf("%s is %q, the Job's %q", key, got, want)
		}
	}
	if weight := policy.Metadata.Annotations["helm.sh/hook-weight"]; weight != "-1" || job.Metadata.Annotations["helm.sh/hook-weight"] != "" {
		t.Errorf("the policy's weight is %q, the Job's none", weight)
	}
}

func TestTheDNSOfEveryPodIsWhereTheValuesSay(t *testing.T) {
	objects := render(t, set("networkPolicy.dnsPorts={5353}")...)
	all := policies(t, objects)
	for _, p := range pods(t, objects) {
		if _, out := reach(all, p.labels); !slices.Contains(out, 5353) || slices.Contains(out, 53) {
			t.Errorf("%s reaches %v", p.owner, out)
		}
	}
}

func TestPoliciesAreAsNarrowAsTheValuesSay(t *testing.T) {
	objects := render(t, variants["with narrow policies"]...)
	order := named(t, objects, "NetworkPolicy", release+"-order")
	for _, want := range []string{"10.1.0.0/16", "10.2.0.0/16", "kubernetes.io/metadata.name: edge", "kubernetes.io/metadata.name: monitoring", "app.kubernetes.io/name: test"} {
		if !strings.Contains(order.text, want) {
			t.Errorf("order's policy does not name %s:\n%s", want, order.text)
		}
	}
	if operator := named(t, objects, "NetworkPolicy", release+"-campaign-operator"); !strings.Contains(operator.text, "10.3.0.1/32") {
		t.Errorf("the operator's policy does not name the API server:\n%s", operator.text)
	}
	if !strings.Contains(order.text, "10.3.0.1/32") {
		t.Errorf("the API server may not read order's metrics for kubectl:\n%s", order.text)
	}
	var p policy
	order.spec(t, &p)
	for _, r := range p.Ingress {
		if len(r.From) == 0 {
			t.Errorf("anybody may reach %v", r.Ports)
		}
	}
}
