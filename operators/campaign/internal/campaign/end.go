package campaign

import (
	"time"

	"google.golang.org/protobuf/proto"

	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
)

// endsLater tells whether a deleted campaign's sale runs on to its end. One whose end was tried before the
// sale opened does not.
func (f facts) endsLater(s Snapshot) bool {
	return f.campaign.Spec.DeletionPolicy == v1alpha1.EndOnTime && held(f.campaign) && !s.final() &&
		f.phase() == v1alpha1.PhaseLive && f.now.Before(f.times.End)
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
	return Steps{Publish: f.closing(s), Release: true}
}

// closing is the end of what was published last, or may have been: a later spec may be one that was never
// allowed. It is made from the object as its deletion has left it, a generation above all that operators
// with an older copy can still write.
func (f facts) closing(s Snapshot) *campaignv1.Desired {
	end := proto.CloneOf(s.last())
	end.Closed = true
	end.Lane = f.want.GetLane()
	end.SpecGeneration = max(end.GetSpecGeneration(), s.Campaign.Generation)
	return s.revise(end)
}

// final tells whether an end of the campaign was published, or may have been. It cannot be taken back: a
// lane that has heard it has closed the sale, and the stock pool gives nothing more.
func (s Snapshot) final() bool {
	return s.Ended || s.Published.GetClosed() || s.Attempted.GetClosed()
}

// Closing is the record that ends a campaign whose object is gone. Its generation is above that of what
// was published last and above the newest that is known, so that each reader takes it in.
func Closing(published *campaignv1.Desired, newest int64) *campaignv1.Desired {
	end := proto.CloneOf(published)
	end.Closed = true
	end.Generation = max(published.GetGeneration(), newest) + 1
	return end
}
