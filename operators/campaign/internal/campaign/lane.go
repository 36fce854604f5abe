package campaign

import (
	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
)

// SharedLanes is the topic whose partitions many campaigns share.
const SharedLanes = "lanes.shared.v1"

// LaneUse is how many campaigns a shared partition has that sell or will sell.
type LaneUse struct {
	Partition int32
	Campaigns int
}

// lane is the partition of a campaign: the one it has, whichever of status and topic remembers it,
// else the least used.
func lane(s Snapshot) *campaignv1.Lane {
	if l := s.Campaign.Status.Lane; l != nil {
		return &campaignv1.Lane{Topic: l.Topic, Partition: l.Partition}
	}
	if l := s.Published.GetLane(); l != nil {
		return &campaignv1.Lane{Topic: l.GetTopic(), Partition: l.GetPartition()}
	}
	return &campaignv1.Lane{Topic: SharedLanes, Partition: leastUsed(s.Shared)}
}

// leastUsed takes the lowest partition of those with the fewest campaigns.
func leastUsed(lanes []LaneUse) int32 {
	var best LaneUse
	for i, l := range lanes {
		fewer := l.Campaigns < best.Campaigns
		lower := l.Campaigns == best.Campaigns && l.Partition < best.Partition
		if i == 0 || fewer || lower {
			best = l
		}
	}
	return best.Partition
}

func laneStatus(l *campaignv1.Lane) *v1alpha1.Lane {
	return &v1alpha1.Lane{Topic: l.GetTopic(), Partition: l.GetPartition()}
}
