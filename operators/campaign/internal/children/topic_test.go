package children

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
)

func TestATopicIsAsTheListOfTopicsSays(t *testing.T) {
	campaign := &v1alpha1.Campaign{ObjectMeta: metav1.ObjectMeta{Name: "autumn", Namespace: "sale", UID: "8c0c2f1e-7b7e-4a63-9f0e-0e6f2b8e2d11"}}
	config := func(more object) object {
		all := object{
			"cleanup.policy": "delete", "retention.ms": int64(-1), "max.message.bytes": int64(1 << 20), "message.timestamp.type": "LogAppendTime",
		}
		for key, value := range more {
			all[key] = value
		}
		return all
	}
	for name, test := range map[string]struct {
		settings Settings
		want     object
	}{
		"replicas are the brokers' default": {
			Settings{StrimziCluster: "kafka"},
			object{"topicName": "lane." + string(campaign.UID), "partitions": int64(1), "config": config(nil)},
		},
		"replicas are set": {
			Settings{StrimziCluster: "kafka", TopicPrefix: "sale.", TopicReplicas: 3, MinInSyncReplicas: 2},
			object{
				"topicName": "sale.lane." + string(campaign.UID), "partitions": int64(1), "replicas": int64(3),
				"config": config(object{"min.insync.replicas": int64(2)}),
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			made, err := kafkaTopic(test.settings, Lane{Campaign: campaign, Topic: "lane." + string(campaign.UID)})
			if err != nil {
				t.Fatal(err)
			}
			child := made.(*unstructured.Unstructured)
			if diff := cmp.Diff(test.want, child.Object["spec"]); diff != "" {
				t.Error(diff)
			}
			if owners := child.GetOwnerReferences(); len(owners) > 0 {
				t.Errorf("it goes with %v, and paid orders rest on it", owners)
			}
		})
	}
	t.Run("another name is refused", func(t *testing.T) {
		if _, err := kafkaTopic(Settings{StrimziCluster: "kafka"}, Lane{Campaign: campaign, Topic: "other"}); err == nil {
			t.Error("a topic that is no lane was made")
		}
	})
}
