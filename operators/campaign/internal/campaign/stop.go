package campaign

import (
	"google.golang.org/protobuf/proto"

	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
)

// stopping is the record for a spec that is refused: what was published last, with what the spec says to
// stop the sale, its suspension and an earlier end, and with the entries that a lane which stands still is
// to pass over. Nobody has to put a trial index right before he can pause a sale or mend its lane. It is
// nil where the spec asks for none of that.
//
// A record that is suspended stays so when a refused spec takes that back, and no end moves back, because
// a sale is not to go on under a spec that is refused.
func (f facts) stopping(s Snapshot) *campaignv1.Desired {
	last := s.last()
	if last == nil || s.final() || !f.stops(s.Published) && !f.stops(last) {
		return nil
	}
	stop := proto.CloneOf(last)
	stop.Lane = f.want.GetLane()
	stop.SpecGeneration = max(stop.GetSpecGeneration(), s.Campaign.Generation)
	stop.Suspended = stop.GetSuspended() || s.Newest.GetSuspended() || s.Campaign.Spec.Suspend
	if f.endsSooner(stop) {
		stop.EndAt = timestamp(f.times.End)
	}
	return stop
}

// stops tells whether the spec asks to stop what a record lets go on, or to pass over what it does not.
func (f facts) stops(d *campaignv1.Desired) bool {
	passesMore := len(f.want.GetLane().GetSkipOffsets()) > len(d.GetLane().GetSkipOffsets())
	return d != nil && (f.campaign.Spec.Suspend || f.endsSooner(d) || passesMore)
}

func (f facts) endsSooner(than *campaignv1.Desired) bool {
	return !f.times.End.IsZero() && f.times.End.Before(than.GetEndAt().AsTime())
}

// last is the newest record that the broker holds or may hold, nil for none.
func (s Snapshot) last() *campaignv1.Desired {
	if s.Attempted.GetGeneration() > s.Published.GetGeneration() {
		return s.Attempted
	}
	return s.Published
}

// meanwhile ends the sentence about a refused spec with what became of its suspension.
func (f facts) meanwhile() string {
	switch {
	case f.standing.GetClosed() || !f.standing.GetSuspended():
		return ""
	case f.campaign.Spec.Suspend:
		return "; the sale is suspended meanwhile"
	default:
		return "; the sale stays suspended until that is put right"
	}
}
