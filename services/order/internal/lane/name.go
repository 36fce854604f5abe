package lane

import (
	"strings"
	"sync"

	"github.com/qingcang/qingcang/proto/eventkit"
	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
)

// maxUID bounds a campaign's uid in a topic's name; Kubernetes' have 36 characters.
const maxUID = 64

// lanePrefix is what stands before a campaign's uid in the name of its own topic.
var lanePrefix = sync.OnceValue(func() string {
	for _, f := range eventkit.Families() {
		if f.Maker == "operator" && f.Writer == "order" {
			return f.Prefix
		}
	}
	return ""
})

// DedicatedTopic is the topic of a campaign's own lane.
func DedicatedTopic(campaignUID string) string { return lanePrefix() + campaignUID }

// DedicatedGroup is the consumer group in which the publisher of a campaign's own lane is found.
func DedicatedGroup(campaignUID string) string { return "order." + DedicatedTopic(campaignUID) }

// dedicatedTo returns the campaign whose own lane has this name.
func dedicatedTo(name *campaignv1.Lane) (campaignUID string, ok bool) {
	uid, ok := strings.CutPrefix(name.GetTopic(), lanePrefix())
	return uid, ok && lanePrefix() != "" && ValidUID(uid) && name.GetPartition() == 0
}

// mayRunOn reports whether a campaign may have the lane of this name: a shared one, or its own.
func mayRunOn(name *campaignv1.Lane, campaignUID string) bool {
	if name.GetTopic() == SharedTopic {
		return true
	}
	of, ok := dedicatedTo(name)
	return ok && of == campaignUID
}

// ValidUID reports whether a campaign of this uid can have a lane of its own: the name of a topic, of a consumer
// group and of a collection are made of it.
func ValidUID(uid string) bool {
	if uid == "" || len(uid) > maxUID {
		return false
	}
	for i := range len(uid) {
		c := uid[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}
