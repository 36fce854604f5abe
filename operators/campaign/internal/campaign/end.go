package campaign

import (
	"time"

	"google.golang.org/protobuf/proto"

	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
)

// endsLater tells whether a deleted campaign's sale runs on to its end.
func (f facts) endsLater() bool {
	opened := f.campaign.Status.OpenedAt != nil || f.lane.GetPhase() == campaignv1.Status_PHASE_OPEN
	over := f.campaign.Status.ClosedAt != nil || f.lane.GetPhase() > campaignv1.Status_PHASE_OPEN
	return f.campaign.Spec.DeletionPolicy == v1alpha1.EndOnTime && held(f.campaign) && opened && !over && f.now.Before(f.times.End)
}

// endAt is when a deleted campaign whose sale runs on is ended, zero for one that was not deleted.
func (f facts) endAt() time.Time {
	if f.campaign.DeletionTimestamp.IsZero() {
		return time.Time{}
	}
	return f.times.End
}

// end ends the campaign of a deleted object. The object goes as soon as its end stands in campaigns.v1:
// the lane closes the sale from there, and paid orders live in lanes and journals. So no deletion hangs
// on a lane, and none strands an order.
func (f facts) end(s Snapshot) Steps {
	switch {
	case !held(s.Campaign):
		return Steps{}
	case ended(s):
		return Steps{Release: true}
	case s.PublishFault != "":
		return Steps{Status: f.status()}
	}
	return Steps{Publish: s.closing(), Release: true}
}

// closing is the end of what was published last, or may have been, above every generation that the
// campaign ever had.
func (s Snapshot) closing() *campaignv1.Desired {
	switch {
	case s.Attempted.GetGeneration() <= s.Published.GetGeneration():
		return Closing(s.Published, s.Campaign.Status.Revision)
	case s.Attempted.GetClosed():
		return s.Attempted
	default:
		return Closing(s.Attempted, s.Campaign.Status.Revision)
	}
}

// Closing is the record that ends a published campaign. It keeps what was published last, because a
// later spec may be one that was never allowed. Its generation is above that and above the newest that is
// known, so that each reader takes it in.
func Closing(published *campaignv1.Desired, newest int64) *campaignv1.Desired {
	end := proto.CloneOf(published)
	end.Closed = true
	end.Generation = max(published.GetGeneration(), newest) + 1
	return end
}
