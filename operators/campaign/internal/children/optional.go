package children

import (
	"fmt"
	"math"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/utils/ptr"

	"github.com/qingcang/qingcang/proto/eventkit"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
)

// The kinds of these children are other projects'; only the fields that are set matter here, and
// importing their types would bring their clients along.

type object = map[string]any

// head begins a child of a kind that has no apply configuration.
func head(kind schema.GroupVersionKind, c *v1alpha1.Campaign, labels map[string]string) *unstructured.Unstructured {
	child := &unstructured.Unstructured{Object: object{}}
	child.SetGroupVersionKind(kind)
	child.SetName(Name(c))
	child.SetNamespace(c.Namespace)
	child.SetLabels(labels)
	return child
}

// route sends the orders of the campaign to its own pods while one of them is ready, else to the shared
// pool, which runs every lane: a gateway answers 503 for a Service without pods. Its path is more exact
// than the shared pool's, so a gateway prefers it.
func route(s Settings, l Lane) (any, error) {
	c := l.Campaign
	child := head(Route, c, labels(c))
	child.SetOwnerReferences([]metav1.OwnerReference{{
		APIVersion: v1alpha1.GroupVersion.String(), Kind: "Campaign", Name: c.Name, UID: c.UID, Controller: ptr.To(true),
	}})
	backend := Name(c)
	if l.Ready == 0 {
		backend = s.OrderDeployment // the order service's Service bears the name of its Deployment
	}
	spec := object{
		"parentRefs": []any{object{"namespace": s.Gateway.Namespace, "name": s.Gateway.Name}},
		"rules": []any{object{
			"matches": []any{object{
				"path": object{"type": "PathPrefix", "value": "/v1/campaigns/" + string(c.UID) + "/orders"},
			}},
			"backendRefs": []any{object{"name": backend, "port": int64(servicePort)}},
		}},
	}
	if s.GatewayHost != "" {
		spec["hostnames"] = []any{s.GatewayHost}
	}
	child.Object["spec"] = spec
	return child, nil
}

// kafkaTopic asks Strimzi for the lane's topic. It has no owner: a lane's log outlives its campaign's
// object, because paid orders rest on it.
func kafkaTopic(s Settings, l Lane) (any, error) {
	topic, known := eventkit.TopicNamed(l.Topic)
	if !known {
		return nil, fmt.Errorf("%q is the name of no lane", l.Topic)
	}
	marks := labels(l.Campaign)
	marks["strimzi.io/cluster"] = s.StrimziCluster
	child := head(KafkaTopic, l.Campaign, marks)
	config := object{
		"cleanup.policy":    topic.Cleanup,
		"retention.ms":      topic.RetentionMs,
		"max.message.bytes": int64(topic.MaxMessageBytes),
	}
	if topic.TimestampType != "" {
		config["message.timestamp.type"] = topic.TimestampType
	}
	if s.MinInSyncReplicas > 0 {
		config["min.insync.replicas"] = int64(s.MinInSyncReplicas)
	}
	spec := object{
		"topicName":  s.TopicPrefix + topic.Name,
		"partitions": int64(topic.Partitions),
		"config":     config,
	}
	if s.TopicReplicas > 0 {
		spec["replicas"] = int64(s.TopicReplicas)
	}
	child.Object["spec"] = spec
	return child, nil
}

// Condition returns a condition of a child, false if it has none of that type.
func Condition(child *unstructured.Unstructured, kind string) (status, reason, message string, ok bool) {
	if child == nil {
		return "", "", "", false
	}
	list, _, _ := unstructured.NestedSlice(child.Object, "status", "conditions")
	for _, entry := range list {
		if c, isObject := entry.(object); isObject && c["type"] == kind {
			text := func(name string) string { s, _ := c[name].(string); return s }
			return text("status"), text("reason"), text("message"), true
		}
	}
	return "", "", "", false
}

// Ready is how many pods of a Deployment answer.
func Ready(child *unstructured.Unstructured) int32 {
	if child == nil {
		return 0
	}
	n, _, _ := unstructured.NestedInt64(child.Object, "status", "readyReplicas")
	return int32(min(max(n, 0), math.MaxInt32))
}
