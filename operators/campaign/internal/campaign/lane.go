package campaign

import (
	"cmp"
	"fmt"
	"slices"

	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
)

// SharedLanes is the topic whose partitions many campaigns share.
const SharedLanes = v1alpha1.SharedLanes

// OwnLane is the topic of a campaign that has a lane of its own.
func OwnLane(uid string) string { return "lane." + uid }

// LaneUse is how many campaigns a shared partition has that sell or will sell.
type LaneUse struct {
	Partition int32
	Campaigns int
}

// lane is the partition of a campaign: the one it has, whichever of status and topic remembers it,
// else its own, or the one that its object notes, or the least used; and what is to be passed over there. Of
// two records in the topic that differ the newest counts, which its readers know.
func lane(s Snapshot) *campaignv1.Lane {
	l := &campaignv1.Lane{SkipOffsets: skipOffsets(s)}
	switch known, had := s.Campaign.Status.Lane, cmp.Or(s.Newest.GetLane(), s.last().GetLane()); {
	case known != nil:
		l.Topic, l.Partition = known.Topic, known.Partition
	case had != nil:
		l.Topic, l.Partition = had.GetTopic(), had.GetPartition()
	case dedicated(s.Campaign):
		l.Topic = OwnLane(string(s.Campaign.UID))
	default:
		l.Topic, l.Partition = SharedLanes, leastUsed(s.Shared)
		for _, shared := range s.Shared {
			if noteOf(shared.Partition) == s.Campaign.Annotations[v1alpha1.LaneAnnotation] {
				l.Partition = shared.Partition
			}
		}
	}
	return l
}

// note is what the object has to note of its lane before it is published, empty for nothing. An operator that
// stands still with the first record in hand and its successor, who sees another lane as the least used, would
// else publish two.
func (f facts) note(s Snapshot) string {
	chosen := s.Campaign.Status.Lane != nil || s.Newest != nil || s.last() != nil || dedicated(s.Campaign)
	note := noteOf(f.want.GetLane().GetPartition())
	if chosen || s.Campaign.Annotations[v1alpha1.LaneAnnotation] == note {
		return ""
	}
	return note
}

func noteOf(partition int32) string { return fmt.Sprintf("%s/%d", SharedLanes, partition) }

// skipOffsets are those of the spec and all that were ever published, in ascending order. Admission
// lets none be taken out; an API server that is restored from a backup forgets some all the same, and
// replicas that differ in what they pass over would sell different stock.
func skipOffsets(s Snapshot) []int64 {
	all := slices.Concat(
		s.Published.GetLane().GetSkipOffsets(), s.Newest.GetLane().GetSkipOffsets(), s.Campaign.Spec.Lane.SkipOffsets,
	)
	slices.Sort(all)
	return slices.Compact(all)
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

func dedicated(c *v1alpha1.Campaign) bool { return c.Spec.Lane.Dedicated != nil }

// ownTopic is the topic that a lane of its own needs, empty for a shared one.
func ownTopic(l *campaignv1.Lane) string {
	if l.GetTopic() == SharedLanes {
		return ""
	}
	return l.GetTopic()
}
