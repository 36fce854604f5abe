// Package teststack gives tests the API server and the broker that hack/test starts, and a namespace
// and a topic prefix of their own in them.
package teststack

import (
	"context"
	"crypto/rand"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	kruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/qingcang/qingcang/proto/eventkit"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
)

// patience is how long a test waits for what must come.
const patience = 30 * time.Second

// Stack is a namespace of the API server and a prefix of the broker.
type Stack struct {
	REST      *rest.Config
	Client    client.Client
	Namespace string
	Kafka     eventkit.Config
	Conn      *eventkit.Conn
}

// New returns a stack with the CRDs in place.
func New(t testing.TB) *Stack {
	t.Helper()
	s := &Stack{REST: restConfig(t), Namespace: "t-" + strings.ToLower(rand.Text()[:12])}
	s.Client = newClient(t, s.REST)
	installCRDs(t, s.Client)
	s.makeNamespace(t)
	return s
}

// WithBroker connects the stack to the broker and makes every topic of the suite.
func (s *Stack) WithBroker(t testing.TB) *Stack {
	t.Helper()
	s.Kafka = eventkit.Config{
		Brokers:     strings.Split(address(t, "KAFKA_BROKERS"), ","),
		TopicPrefix: s.Namespace + "-",
	}
	conn, err := eventkit.Dial(s.Kafka)
	must(t, err, "dial the broker")
	t.Cleanup(conn.Close)
	must(t, conn.Ensure(t.Context(), eventkit.Topics()...), "make the topics")
	s.Conn = conn
	return s
}

// Eventually polls until condition returns nil, and fails the test with its last error.
func Eventually(t testing.TB, condition func() error) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for pause := time.Millisecond; ; pause = min(2*pause, 100*time.Millisecond) {
		err := condition()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("not within %s: %v", patience, err)
		}
		time.Sleep(pause)
	}
}

func address(t testing.TB, name string) string {
	t.Helper()
	value := os.Getenv(name)
	if value == "" {
		t.Fatalf("set %s (./hack/test starts the embedded stack and sets it)", name)
	}
	return value
}

func restConfig(t testing.TB) *rest.Config {
	t.Helper()
	cfg, err := clientcmd.BuildConfigFromFlags("", address(t, "KUBECONFIG"))
	must(t, err, "read KUBECONFIG")
	cfg.QPS = -1 // a test is alone with its API server
	return cfg
}

func newClient(t testing.TB, cfg *rest.Config) client.Client {
	t.Helper()
	scheme := kruntime.NewScheme()
	for _, add := range []func(*kruntime.Scheme) error{
		clientgoscheme.AddToScheme, apiextensionsv1.AddToScheme, v1alpha1.AddToScheme,
	} {
		must(t, add(scheme), "register kinds")
	}
	cfg = rest.CopyConfig(cfg)
	cfg.Timeout = 4 * patience // a thousand campaigns are a long list for a busy API server
	c, err := client.New(cfg, client.Options{Scheme: scheme, FieldValidation: metav1.FieldValidationStrict})
	must(t, err, "reach the API server")
	return c
}

var installOnce sync.Once

// installCRDs applies the committed CRDs, as whoever installs the chart does, and waits for them.
func installCRDs(t testing.TB, c client.Client) {
	t.Helper()
	installOnce.Do(func() {
		_, here, _, _ := runtime.Caller(0)
		files, err := filepath.Glob(filepath.Join(filepath.Dir(here), "../../config/crd/*.yaml"))
		must(t, err, "look for the CRDs")
		for _, file := range files {
			text, err := os.ReadFile(file)
			must(t, err, "read a CRD")
			crd := &unstructured.Unstructured{}
			must(t, yaml.Unmarshal(text, crd), "parse a CRD")
			must(t, c.Apply(t.Context(), client.ApplyConfigurationFromUnstructured(crd),
				client.FieldOwner("teststack"), client.ForceOwnership), "apply a CRD")
		}
	})
	for _, kind := range []client.ObjectList{&v1alpha1.CampaignList{}, &v1alpha1.OwnerProgramList{}} {
		Eventually(t, func() error { return c.List(t.Context(), kind, client.Limit(1)) })
	}
}

// makeNamespace makes the namespace and takes it away after the test. The embedded control plane has
// no controllers, so the test itself does what the namespace controller would.
func (s *Stack) makeNamespace(t testing.TB) {
	t.Helper()
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: s.Namespace}}
	must(t, s.Client.Create(t.Context(), ns), "make the namespace")
	t.Cleanup(func() {
		ctx := context.Background() // the test's own is over
		for _, list := range []client.ObjectList{&v1alpha1.CampaignList{}, &v1alpha1.OwnerProgramList{}} {
			must(t, s.Client.List(ctx, list, client.InNamespace(s.Namespace)), "list what is left")
			must(t, meta.EachListItem(list, func(object kruntime.Object) error {
				s.remove(ctx, t, object.(client.Object))
				return nil
			}), "remove what is left")
		}
		gone(t, s.Client.Delete(ctx, ns))
		must(t, s.Client.Get(ctx, client.ObjectKeyFromObject(ns), ns), "read the namespace")
		ns.Spec.Finalizers = nil
		must(t, s.Client.SubResource("finalize").Update(ctx, ns), "finish the namespace")
	})
}

// remove deletes an object whatever holds it.
func (s *Stack) remove(ctx context.Context, t testing.TB, object client.Object) {
	t.Helper()
	free := client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`))
	gone(t, s.Client.Patch(ctx, object, free))
	gone(t, s.Client.Delete(ctx, object))
}

func gone(t testing.TB, err error) {
	t.Helper()
	if err != nil && !apierrors.IsNotFound(err) {
		t.Errorf("clean up: %v", err)
	}
}

func must(t testing.TB, err error, what string) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}
