package main

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/template"

	"github.com/qingcang/qingcang/hack/internal/suite"
)

//go:embed manifests
var manifests embed.FS

// Addresses of the world outside, as pods have them.
const (
	simURL    = "http://sim." + outsideNamespace + ".svc.cluster.local"
	kafka     = "broker." + outsideNamespace + ".svc.cluster.local:9092"
	mongoPort = 27017
)

// mongoURI keeps the pool small: the embedded database opens an SQLite connection for each request
// that runs at the same time.
func mongoURI(host string) string { return "mongodb://" + host + "/?maxPoolSize=8" }

var podMongoURI = mongoURI(fmt.Sprintf("ferretdb.%s.svc.cluster.local:%d", outsideNamespace, mongoPort))

// relayed is a program that listens on loopback, with a relay before it.
type relayed struct {
	Name        string
	Port, Inner int
	Args        string // JSON
}

// outsideSettings are what manifests/outside.yaml names.
type outsideSettings struct {
	Namespace, Images, Version, SimURL string
	Relayed                            []relayed
}

// outside brings up database, broker and simulators, and leaves the suite its Secrets.
func (t *test) outside(ctx context.Context) error {
	if err := t.makeKeys(ctx); err != nil {
		return err
	}
	text, err := render("outside.yaml", outsideSettings{
		Namespace: outsideNamespace, Images: t.cluster.testImages(), Version: t.versions[0], SimURL: simURL,
		Relayed: []relayed{
			{"broker", 9092, 19092, `[-listen, "127.0.0.1:19092", -advertise, "` + kafka + `", -dir, /data]`},
			{"ferretdb", mongoPort, 17017, `[-listen, "127.0.0.1:17017", -dir, /data]`},
		},
	})
	if err != nil {
		return err
	}
	if _, err := t.cluster.Kubectl(ctx, namespaces, "apply", "-f", "-"); err != nil {
		return err
	}
	// A suite that an earlier run kept goes on with its keys: what they encrypted is there.
	if _, err := t.cluster.in(ctx, "get", "secret", "tokens"); err != nil {
		objects, err := t.secrets()
		if err != nil {
			return err
		}
		text = objects + "---\n" + text
	}
	if _, err := t.cluster.Kubectl(ctx, text, "apply", "-f", "-"); err != nil {
		return err
	}
	_, err = t.cluster.Kubectl(ctx, "", "--namespace", outsideNamespace, "wait", "--for=condition=Available", "--timeout=120s", "deployment", "--all")
	return err
}

// Both namespaces take restricted pods alone: what the chart says of its pods is held to.
const namespaces = `apiVersion: v1
kind: Namespace
metadata: {name: ` + namespace + `, labels: {pod-security.kubernetes.io/enforce: restricted}}
---
apiVersion: v1
kind: Namespace
metadata: {name: ` + outsideNamespace + `, labels: {pod-security.kubernetes.io/enforce: restricted}}
`

// makeKeys makes the suite's own keys, and those that it shares with the simulators.
func (t *test) makeKeys(ctx context.Context) error {
	if err := suite.MakeKeys(t.keys()); err != nil {
		return err
	}
	_, err := t.cluster.program(ctx, "", "go", "run", "./hack/sim", "-only-keys", "-keys", t.keys("sim"))
	return err
}

func (t *test) keys(parts ...string) string {
	return filepath.Join(append([]string{t.dir, "keys"}, parts...)...)
}

// secrets are the Secrets that the chart names, from the files of the keys, and the simulators' own.
func (t *test) secrets() (string, error) {
	sim := map[string]string{}
	for _, name := range []string{"merchant_key.pem", "platform_key.pem", "platform_public.pem", "identity_key.pem", "apiv3.key"} {
		sim[name] = filepath.Join("sim", name)
	}
	wanted := []struct {
		in, name string
		files    map[string]string
	}{
		{namespace, "tokens", map[string]string{"buyer": "buyer", "owner": "owner", "share": "share"}},
		{namespace, "vault", map[string]string{"brand-intake": "vault-brand-intake", "store-owner": "vault-store-owner", "fulfilment": "vault-fulfilment"}},
		{namespace, "wechatpay", map[string]string{"private-key.pem": "sim/merchant_key.pem", "apiv3.key": "sim/apiv3.key", "platform-public-key.pem": "sim/platform_public.pem"}},
		{namespace, "wechat-login", map[string]string{"secret": "wechat-login-secret"}}, //nolint:gosec // the name of a file
		{outsideNamespace, "sim-keys", sim},
	}
	out, err := secret(namespace, "mongodb", map[string][]byte{"uri": []byte(podMongoURI)})
	if err != nil {
		return "", err
	}
	for _, w := range wanted {
		data := map[string][]byte{}
		for key, file := range w.files {
			if data[key], err = os.ReadFile(t.keys(file)); err != nil {
				return "", fmt.Errorf("read a key: %w", err)
			}
		}
		text, err := secret(w.in, w.name, data)
		if err != nil {
			return "", err
		}
		out += text
	}
	return out, nil
}

// secret is a Secret as a document of a stream; JSON writes bytes as Secrets have them.
func secret(in, name string, data map[string][]byte) (string, error) {
	text, err := json.Marshal(map[string]any{
		"apiVersion": "v1", "kind": "Secret", "metadata": map[string]string{"name": name, "namespace": in}, "data": data,
	})
	if err != nil {
		return "", fmt.Errorf("write the Secret %s: %w", name, err)
	}
	return "---\n" + string(text) + "\n", nil
}

// testImages is where the images of the world outside are.
func (c *cluster) testImages() string { return strings.TrimPrefix(c.registry+"/qingcang-test", "/") }

// render fills one of the manifests in.
func render(name string, settings any) (string, error) {
	parsed, err := template.ParseFS(manifests, "manifests/"+name)
	if err != nil {
		return "", fmt.Errorf("read %s: %w", name, err)
	}
	var text bytes.Buffer
	if err := parsed.Execute(&text, settings); err != nil {
		return "", fmt.Errorf("fill in %s: %w", name, err)
	}
	return text.String(), nil
}
