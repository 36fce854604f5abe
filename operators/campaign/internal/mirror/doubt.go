package mirror

import (
	"context"
	"errors"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/qingcang/qingcang/proto/eventkit"
	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
)

// Cause is why a record is parked: counted, logged, told of, and not obeyed.
type Cause string

// The causes.
const (
	// Undecodable bytes are no message of the topic.
	Undecodable Cause = "undecodable"
	// Misplaced records stand under another's key.
	Misplaced Cause = "misplaced"
	// Impossible records say what cannot be: a phase that does not exist, stock under zero.
	Impossible Cause = "impossible"
	// Unknown is a campaign, or a generation of it, that nobody has published.
	Unknown Cause = "unknown"
	// Future is an offset that the lane has not reached.
	Future Cause = "future"
)

// Causes are all of them.
func Causes() []string {
	var names []string
	for _, c := range []Cause{Undecodable, Misplaced, Impossible, Unknown, Future} {
		names = append(names, string(c))
	}
	return names
}

// slack is how far an offset may be ahead of a lane's end before it is doubted at once. What is not
// doubted for it gives way to the lane's next word; see observe.
const slack = 10_000

// doubt returns why a status is not to be believed, empty if it is.
func (l *Lanes) doubt(ctx context.Context, uid string, s *campaignv1.Status) (Cause, error) {
	switch {
	case s.GetUid() != uid:
		return Misplaced, nil
	case !possible(s):
		return Impossible, nil
	}
	if !l.published(s) {
		// The order service speaks of what it has read in campaigns.v1; this process may be behind.
		if err := l.campaigns.catchUp(ctx); err != nil {
			return "", err
		}
		if !l.published(s) {
			return Unknown, nil
		}
	}
	end, err := l.end(ctx, uid, s.GetOffset()-slack)
	if err == nil && s.GetOffset() > end+slack {
		return Future, nil
	}
	return "", err
}

// published tells whether campaigns.v1 holds, or held, what a status speaks of.
func (l *Lanes) published(s *campaignv1.Status) bool {
	newest, _ := l.campaigns.Newest(s.GetUid())
	return newest != nil && max(s.GetGeneration(), s.GetAllocation().GetGeneration()) <= newest.GetGeneration()
}

// end returns how far a campaign's lane reaches, asking the broker only if it was not known to reach
// so far as wanted. What a lane said whose topic is not there, because somebody took it away long after the
// sale, cannot be held against it, and is not doubted.
func (l *Lanes) end(ctx context.Context, uid string, wanted int64) (int64, error) {
	d, _ := l.campaigns.Outline(uid)
	of := laneOf(d)
	if of.topic == "" { // closed a moment ago, and its words are dropped
		return wanted, nil
	}
	l.mu.RLock()
	end := l.ends[of]
	l.mu.RUnlock()
	if end >= wanted {
		return end, nil
	}
	end, err := ask(ctx, func() (int64, error) {
		end, err := l.broker.EndOffset(ctx, of.topic, of.partition)
		if errors.Is(err, eventkit.ErrNoTopic) {
			return noTopic, nil
		}
		return end, err
	})
	switch {
	case err != nil:
		return 0, err
	case end == noTopic:
		return wanted, nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ends[of] = end
	return end, nil
}

// noTopic stands for the end of a log that is not there.
const noTopic = -1

// possible tells whether a status says what can be.
func possible(s *campaignv1.Status) bool {
	_, phase := campaignv1.Status_Phase_name[int32(s.GetPhase())]
	_, state := campaignv1.Allocation_State_name[int32(s.GetAllocation().GetState())]
	for _, n := range []int64{
		s.GetGeneration(), s.GetAllocation().GetGeneration(), s.GetOffset(),
		s.GetUnits(), s.GetHeldUnits(), s.GetSoldUnits(), s.GetLeftUnits(),
		s.GetPaidOrders(), s.GetFinalOrders(), s.GetOpenPayments(),
	} {
		if n < 0 {
			return false
		}
	}
	return phase && state && s.GetPhase() != campaignv1.Status_PHASE_UNSPECIFIED &&
		s.GetLeftUnits() <= s.GetUnits() && moment(s.GetOpenedAt()) && moment(s.GetClosedAt())
}

// moment tells whether a time, if there is one, can be written in a status.
func moment(t *timestamppb.Timestamp) bool {
	return t == nil || t.IsValid() && t.AsTime().Year() >= 1970 && t.AsTime().Year() < 10_000
}
