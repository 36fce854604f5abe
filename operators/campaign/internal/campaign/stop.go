package campaign

import (
	"google.golang.org/protobuf/proto"

	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
)

// stopping is the record for a spec that is refused: what was published last, with what the spec says to
// stop the sale, its suspension and an earlier end. Nobody has to put a trial index right before he can
// pause a sale. It is nil where the spec stops nothing that runs.
//
// Only what stops counts: a record that is suspended stays so when a refused spec takes that back, and
// no end moves back, because a sale is not to go on under a spec that is refused.
func (f facts) stopping(s Snapshot) *campaignv1.Desired {
	last := s.Published
	sooner := func(than *campaignv1.Desired) bool {
		return !f.times.End.IsZero() && f.times.End.Before(than.GetEndAt().AsTime())
	}
	if f.refusal == nil || last == nil || last.GetClosed() || !s.Campaign.Spec.Suspend && !sooner(last) {
		return nil
	}
	stop := proto.CloneOf(s.last())
	stop.SpecGeneration = max(stop.GetSpecGeneration(), s.Campaign.Generation)
	stop.Suspended = stop.GetSuspended() || s.Campaign.Spec.Suspend
	if sooner(stop) {
		stop.EndAt = timestamp(f.times.End)
	}
	return stop
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
