package cli

import (
	"context"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
)

// callTimeout bounds one question to the API server: somebody looks at a screen and waits.
const callTimeout = 15 * time.Second

// fieldManager is who the API server notes beside fields that the plugin changed.
const fieldManager = "kubectl-qingcang"

// cluster is the API server and the namespace that a command is about.
type cluster struct {
	client.WithWatch
	namespace string
	core      corev1client.CoreV1Interface
}

// newCluster reaches the API server as kubectl does.
func newCluster(flags *genericclioptions.ConfigFlags) (*cluster, error) {
	config, err := flags.ToRESTConfig()
	if err != nil {
		return nil, fmt.Errorf("find the cluster: %w", err)
	}
	config = rest.CopyConfig(config)
	config.WarningHandler = rest.NoWarnings{}
	namespace, _, err := flags.ToRawKubeConfigLoader().Namespace()
	if err != nil {
		return nil, fmt.Errorf("find the namespace: %w", err)
	}
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		v1alpha1.AddToScheme, corev1.AddToScheme, appsv1.AddToScheme, autoscalingv2.AddToScheme, policyv1.AddToScheme,
	} {
		if err := add(scheme); err != nil {
			return nil, fmt.Errorf("register kinds: %w", err)
		}
	}
	c, err := client.NewWithWatch(config, client.Options{Scheme: scheme})
	if err != nil {
		return nil, fmt.Errorf("reach the cluster: %w", err)
	}
	core, err := corev1client.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("reach the cluster: %w", err)
	}
	return &cluster{WithWatch: c, namespace: namespace, core: core}, nil
}

// campaign reads one.
func (c *cluster) campaign(ctx context.Context, name string) (*v1alpha1.Campaign, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	out := &v1alpha1.Campaign{}
	if err := c.Get(ctx, client.ObjectKey{Namespace: c.namespace, Name: name}, out); err != nil {
		return nil, c.about(name, err)
	}
	return out, nil
}

// about says in a sentence what is wrong where people can do something about it.
func (c *cluster) about(name string, err error) error {
	if apierrors.IsNotFound(err) {
		return fmt.Errorf("there is no campaign %s in namespace %s (-n names another)", name, c.namespace)
	}
	return noCampaigns(fmt.Errorf("campaign %s: %w", name, err))
}

// noCampaigns tells a cluster that is not there, and one without Qingcang, from one that has trouble.
func noCampaigns(err error) error {
	switch {
	case meta.IsNoMatchError(err):
		return fmt.Errorf("this cluster does not know campaigns: install Qingcang's CRDs, or name another cluster with --context: %w", err)
	case utilnet.IsConnectionRefused(err):
		return fmt.Errorf("nobody answers where the API server should be: start it, or name another with --context or --kubeconfig: %w", err)
	default:
		return err
	}
}
