// Package children says what a campaign with a lane of its own needs in the cluster: each child is a
// pure function of the campaign, and is compared with what stands there. Nothing here talks to anybody.
package children

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	metaac "k8s.io/client-go/applyconfigurations/meta/v1"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
)

// Manager is the field manager by which children are applied.
const Manager = "campaign-operator"

const (
	// CampaignLabel bears the campaign's name, cut to what a label takes.
	CampaignLabel = "sale.qingcang.io/campaign"
	// CampaignAnnotation bears the whole name.
	CampaignAnnotation = "sale.qingcang.io/campaign"
	// UIDLabel bears the campaign's uid, by which pods are selected.
	UIDLabel = "sale.qingcang.io/campaign-uid"
	// appliedAnnotation bears a hash of what was applied: what is no longer wanted of a child does not
	// show in a comparison of what is.
	appliedAnnotation = "sale.qingcang.io/applied"
)

// The kinds of children.
var (
	Deployment = schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "Deployment"}
	Service    = schema.GroupVersionKind{Version: "v1", Kind: "Service"}
	Autoscaler = schema.GroupVersionKind{Group: "autoscaling", Version: "v2", Kind: "HorizontalPodAutoscaler"}
	Budget     = schema.GroupVersionKind{Group: "policy", Version: "v1", Kind: "PodDisruptionBudget"}
	Route      = schema.GroupVersionKind{Group: "gateway.networking.k8s.io", Version: "v1", Kind: "HTTPRoute"}
	KafkaTopic = schema.GroupVersionKind{Group: "kafka.strimzi.io", Version: "v1", Kind: "KafkaTopic"}
)

// Settings are the operator's own, the same for all campaigns.
type Settings struct {
	// OrderDeployment is the name of the order service's Deployment, whose pod template lanes are made
	// from. Without it no campaign can have a lane of its own.
	OrderDeployment string
	// Gateway that HTTPRoutes are attached to, nil where there is none or the cluster does not know the kind.
	Gateway *types.NamespacedName
	// GatewayHost is the host that the shared pool's route is for. Theirs must be for the same one: a gateway
	// looks at the host before the path. Empty is any host.
	GatewayHost string
	// StrimziCluster is the Kafka resource whose operator makes the topics, empty where topics are made over
	// the Kafka protocol. TopicPrefix stands before their names.
	StrimziCluster, TopicPrefix string
	// TopicReplicas and MinInSyncReplicas are those of a KafkaTopic; 0 leaves them to the brokers.
	TopicReplicas, MinInSyncReplicas int
}

// Kinds are those of the children that campaigns may have.
func (s Settings) Kinds() []schema.GroupVersionKind {
	if s.OrderDeployment == "" {
		return nil
	}
	kinds := []schema.GroupVersionKind{Deployment, Service, Autoscaler, Budget}
	if s.Gateway != nil {
		kinds = append(kinds, Route)
	}
	if s.StrimziCluster != "" {
		kinds = append(kinds, KafkaTopic)
	}
	return kinds
}

// Lane is a campaign's lane as it is to run now.
type Lane struct {
	Campaign *v1alpha1.Campaign
	// Topic is the lane's logical name.
	Topic string
	// Order is the order service's own Deployment, nil while it is not there.
	Order *appsv1.Deployment
	// Replicas is the least number of pods by the schedule, up to MaxReplicas by load; Ready is how many answer.
	Replicas, MaxReplicas, Ready int32
}

// Of returns the children of a lane, the topic first. Without the order service's Deployment there can
// be none that runs pods.
func Of(s Settings, l Lane) ([]*unstructured.Unstructured, error) {
	type maker func(Settings, Lane) (any, error)
	var makers []maker
	if s.StrimziCluster != "" {
		makers = append(makers, kafkaTopic)
	}
	if l.Order != nil {
		makers = append(makers, deployment, service, autoscaler, budget)
		if s.Gateway != nil {
			makers = append(makers, route)
		}
	}
	list := make([]*unstructured.Unstructured, 0, len(makers))
	for _, make := range makers {
		object, err := make(s, l)
		if err != nil {
			return nil, err
		}
		child, err := sealed(object, l.Campaign.Name)
		if err != nil {
			return nil, err
		}
		list = append(list, child)
	}
	return list, nil
}

const (
	uidPart     = 8
	maxNamePart = 63 - len("lane--") - uidPart
	maxLabel    = 63
)

// labels are those of a child and of its pods.
func labels(c *v1alpha1.Campaign) map[string]string {
	name := c.Name[:min(len(c.Name), maxLabel)]
	return map[string]string{
		CampaignLabel:                  strings.TrimRight(name, "-."),
		UIDLabel:                       string(c.UID),
		"app.kubernetes.io/name":       "order-lane",
		"app.kubernetes.io/part-of":    "qingcang",
		"app.kubernetes.io/managed-by": Manager,
	}
}

func selector(c *v1alpha1.Campaign) map[string]string {
	return map[string]string{UIDLabel: string(c.UID)}
}

// owner lets the garbage collector take a child away with its campaign. It does not hold up a deletion in
// the foreground, for which the operator would need rights on finalizers.
func owner(c *v1alpha1.Campaign) *metaac.OwnerReferenceApplyConfiguration {
	return metaac.OwnerReference().
		WithAPIVersion(v1alpha1.GroupVersion.String()).WithKind("Campaign").
		WithName(c.Name).WithUID(c.UID).WithController(true)
}

// sealed makes an object of an apply configuration, and notes what it says and whose it is.
func sealed(object any, campaign string) (*unstructured.Unstructured, error) {
	child, already := object.(*unstructured.Unstructured)
	if !already {
		content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
		if err != nil {
			return nil, fmt.Errorf("convert a child: %w", err)
		}
		child = &unstructured.Unstructured{Object: content}
	}
	text, err := json.Marshal(child.Object)
	if err != nil {
		return nil, fmt.Errorf("encode a child: %w", err)
	}
	sum := sha256.Sum256(text)
	child.SetAnnotations(map[string]string{
		CampaignAnnotation: campaign,
		appliedAnnotation:  hex.EncodeToString(sum[:8]),
	})
	return child, nil
}

// Owned tells whether a child is a campaign's own. A KafkaTopic is told by its label: it has no owner.
func Owned(child *unstructured.Unstructured, c *v1alpha1.Campaign) bool {
	return metav1.IsControlledBy(child, c) || child.GetLabels()[UIDLabel] == string(c.UID)
}

// Stands tells whether a child is as wanted. What the API server, controllers and people have added to it
// is theirs.
func Stands(want, live *unstructured.Unstructured) bool {
	return live != nil && contains(live.Object, want.Object)
}

// contains tells whether all that is wanted is there. A list is compared as a whole, its elements by what
// is wanted of them.
func contains(live, want any) bool {
	switch want := want.(type) {
	case map[string]any:
		live, ok := live.(map[string]any)
		if !ok && len(want) > 0 {
			return false
		}
		for key, value := range want {
			if empty(value) {
				continue // the API server keeps no empty maps
			}
			if there, ok := live[key]; !ok || !contains(there, value) {
				return false
			}
		}
		return true
	case []any:
		live, ok := live.([]any)
		if !ok || len(live) != len(want) {
			return false
		}
		for i := range want {
			if !contains(live[i], want[i]) {
				return false
			}
		}
		return true
	default:
		return live == want
	}
}

func empty(value any) bool {
	m, ok := value.(map[string]any)
	return ok && len(m) == 0
}
