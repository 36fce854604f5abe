package shelf

import (
	"time"

	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
)

// Phase is how far a sale is, for those who want to buy.
type Phase string

// The phases.
const (
	Preview   Phase = "preview"   // waits for its stock
	Warming   Phase = "warming"   // has stock, waits for its start
	Live      Phase = "live"      // sells
	Suspended Phase = "suspended" // sells nothing for now
	Ended     Phase = "ended"     // sells nothing any more
)

// phase follows the lane, which alone opens and closes a sale. Only the end is taken from the clock
// too: a sale that is over must not look open while the lane's word is on its way.
func (c *campaign) phase(now time.Time) Phase {
	lane := c.status.GetPhase()
	switch {
	case c.newest.GetClosed(), lane >= campaignv1.Status_PHASE_DRAINING, !now.Before(c.endAt()):
		return Ended
	case lane == campaignv1.Status_PHASE_OPEN && (c.newest.GetSuspended() || c.good.GetSuspended()):
		return Suspended
	case lane == campaignv1.Status_PHASE_OPEN:
		return Live
	case c.status.GetUnits() > 0, c.status.GetAllocation().GetState() == campaignv1.Allocation_STATE_ALLOCATED:
		return Warming
	default:
		return Preview
	}
}

// startAt is the later start, endAt the earlier end of what is wanted and what has its stock: that
// is how the lane takes them too.
func (c *campaign) startAt() time.Time {
	wanted, good := c.newest.GetStartAt().AsTime(), c.good.GetStartAt().AsTime()
	if good.After(wanted) {
		return good
	}
	return wanted
}

func (c *campaign) endAt() time.Time {
	wanted, good := c.newest.GetEndAt().AsTime(), c.good.GetEndAt().AsTime()
	if good.Before(wanted) {
		return good
	}
	return wanted
}

// secondsLeft counts down to the next thing that the clock brings, rounded up: 0 means that it is due.
func (c *campaign) secondsLeft(phase Phase, now time.Time) int64 {
	var at time.Time
	switch phase {
	case Preview, Warming:
		at = c.startAt()
	case Live, Suspended:
		at = c.endAt()
	case Ended:
		return 0
	}
	return int64(max(0, at.Sub(now)+time.Second-1) / time.Second)
}
