package main

import (
	"bytes"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

const rendered = `# Source: qingcang/templates/services.yaml
apiVersion: apps/v1
kind: Deployment
metadata: {name: qingcang-order}
spec:
  template:
    spec:
      containers:
      - name: order
        env:
        - {name: OIDC_ISSUER, value: "https://login.example.com"}
        - {name: WECHATPAY_NOTIFY_URL, value: "https://order.sale.example.com/v1/wechatpay/notices"}
        - {name: LOG_LEVEL, value: info}
---
# nothing
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: qingcang-campaign-operator}
spec: {template: {spec: {containers: [{name: manager, args: [--leader-elect]}]}}}
---
apiVersion: v1
kind: Service
metadata: {name: qingcang-order}
spec: {ports: [{port: 80}]}
`

// rewired are the objects that come out, by kind and name.
func rewired(t *testing.T) map[string]map[string]any {
	t.Helper()
	var out bytes.Buffer
	if err := rewire(strings.NewReader(rendered), &out); err != nil {
		t.Fatal(err)
	}
	objects := map[string]map[string]any{}
	for decoder := yaml.NewDecoder(&out); ; {
		var object map[string]any
		if decoder.Decode(&object) != nil {
			return objects
		}
		name, _ := at(object, "metadata")["name"].(string)
		kind, _ := object["kind"].(string)
		objects[kind+"/"+name] = object
	}
}

func container(t *testing.T, object map[string]any) map[string]any {
	t.Helper()
	containers, _ := at(object, "spec", "template", "spec")["containers"].([]any)
	if len(containers) != 1 {
		t.Fatalf("%d containers", len(containers))
	}
	out, _ := containers[0].(map[string]any)
	return out
}

func TestServicesArePointedToTheSimulators(t *testing.T) {
	env := map[string]any{}
	list, _ := container(t, rewired(t)["Deployment/qingcang-order"])["env"].([]any)
	for _, e := range list {
		variable, _ := e.(map[string]any)
		name, _ := variable["name"].(string)
		env[name] = variable["value"]
	}
	for name, want := range map[string]string{
		"SIMULATOR_ADDR":       "http://sim.qingcang-outside.svc.cluster.local",
		"OIDC_ISSUER":          "http://sim.qingcang-outside.svc.cluster.local/oidc",
		"WECHATPAY_NOTIFY_URL": "http://qingcang-order.qingcang.svc.cluster.local/v1/wechatpay/notices",
		"LOG_LEVEL":            "info",
	} {
		if env[name] != want {
			t.Errorf("%s is %v, want %s", name, env[name], want)
		}
	}
}

func TestTheOperatorTakesShortReturnWindowsAndTheRestIsAsItWas(t *testing.T) {
	objects := rewired(t)
	args, _ := container(t, objects["Deployment/qingcang-campaign-operator"])["args"].([]any)
	if len(args) != 2 || args[0] != "--leader-elect" || args[1] != "--min-return-window=1s" {
		t.Errorf("the operator's arguments are %v", args)
	}
	if len(objects) != 3 || objects["Service/qingcang-order"] == nil {
		t.Errorf("%d objects came out, want 3 with the Service", len(objects))
	}
}

func TestADeploymentWithoutContainersIsRefused(t *testing.T) {
	err := rewire(strings.NewReader("{kind: Deployment, metadata: {name: x}}"), &bytes.Buffer{})
	if err == nil || !strings.Contains(err.Error(), `"x"`) {
		t.Errorf("got %v, want an error that names it", err)
	}
}

func TestManifestsAreYAML(t *testing.T) {
	tests := map[string]any{
		"outside.yaml": outsideSettings{Namespace: "n", Images: "i", Version: "v", SimURL: "http://sim", Relayed: []relayed{{"broker", 1, 2, `["-x"]`}}},
		"judge.yaml":   map[string]string{"Name": "judge", "Namespace": "n", "Images": "i", "Version": "v", "Args": `["-x"]`},
	}
	want := map[string]int{"outside.yaml": 4, "judge.yaml": 1}
	for name, settings := range tests {
		t.Run(name, func(t *testing.T) {
			text, err := render(name, settings)
			if err != nil {
				t.Fatal(err)
			}
			objects := 0
			for decoder := yaml.NewDecoder(strings.NewReader(text)); ; {
				var object map[string]any
				err := decoder.Decode(&object)
				if err != nil {
					if objects != want[name] {
						t.Errorf("%d objects, want %d (%v):\n%s", objects, want[name], err, text)
					}
					return
				}
				if object["kind"] != nil {
					objects++
				}
			}
		})
	}
}

func TestChosenScenes(t *testing.T) {
	tests := map[string]struct {
		names []string
		want  int
		fails bool
	}{
		"nothing named is all":                          {want: len(sceneNames())},
		"those named, in the order of the scenes":       {names: []string{"drain", "story"}, want: 2},
		"a scene that is not there is said, not passed": {names: []string{"drian"}, fails: true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := chosen(test.names)
			if (err != nil) != test.fails || len(got) != test.want {
				t.Errorf("%d scenes, %v; want %d", len(got), err, test.want)
			}
			if test.want == 2 && got[0].name != "story" {
				t.Errorf("%s is first", got[0].name)
			}
		})
	}
}
