package main

import (
	"errors"
	"fmt"
	"io"

	"go.yaml.in/yaml/v3"
)

// postRender is the argument by which helm calls this program back.
const postRender = "post-render"

// shortestWindow lets a campaign of the test close its return window within seconds.
const shortestWindow = "1s"

// rewire reads what the chart renders and adds to its Deployments what only a test may have.
func rewire(in io.Reader, out io.Writer) error {
	decoder, encoder := yaml.NewDecoder(in), yaml.NewEncoder(out)
	for {
		var object map[string]any
		err := decoder.Decode(&object)
		if errors.Is(err, io.EOF) {
			return encoder.Close()
		}
		if err != nil {
			return fmt.Errorf("read an object: %w", err)
		}
		if object == nil {
			continue // a document of comments
		}
		if object["kind"] == "Deployment" {
			if err := rewireDeployment(object); err != nil {
				return err
			}
		}
		if err := encoder.Encode(object); err != nil {
			return fmt.Errorf("write an object: %w", err)
		}
	}
}

func rewireDeployment(object map[string]any) error {
	name, _ := at(object, "metadata")["name"].(string)
	containers, ok := at(object, "spec", "template", "spec")["containers"].([]any)
	if !ok {
		return fmt.Errorf("the Deployment %q has no containers", name)
	}
	for _, c := range containers {
		container, ok := c.(map[string]any)
		if !ok {
			return fmt.Errorf("a container of the Deployment %q is no object", name)
		}
		if container["name"] == "manager" {
			args, _ := container["args"].([]any)
			container["args"] = append(args, "--min-return-window="+shortestWindow)
			continue
		}
		container["env"] = rewireEnv(container["env"], name)
	}
	return nil
}

// rewireEnv points a service that speaks to WeChat or to the staff's identity provider to the simulators.
// The chart takes https alone for the two that are replaced, and has no value for the one that is added.
func rewireEnv(env any, deployment string) []any {
	list, _ := env.([]any)
	replaced := map[string]string{
		"OIDC_ISSUER":          simURL + "/oidc",
		"WECHATPAY_NOTIFY_URL": "http://" + deployment + "." + namespace + ".svc.cluster.local/v1/wechatpay/notices",
	}
	outside := false
	for _, e := range list {
		variable, _ := e.(map[string]any)
		name, _ := variable["name"].(string)
		if value, ok := replaced[name]; ok {
			variable["value"], outside = value, true
		}
	}
	if outside {
		list = append(list, map[string]any{"name": "SIMULATOR_ADDR", "value": simURL})
	}
	return list
}

// at is the object below these keys, empty where there is none.
func at(object map[string]any, keys ...string) map[string]any {
	for _, key := range keys {
		object, _ = object[key].(map[string]any)
	}
	return object
}
