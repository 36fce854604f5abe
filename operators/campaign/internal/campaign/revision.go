package campaign

import (
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"

	"github.com/qingcang/qingcang/operators/campaign/internal/stock"
)

// RetryPause is how long after a publication a refused campaign may be asked again at the earliest: a
// stock file of 500,000 rows is approved in 2,500 events, and each of them may look like the answer.
const RetryPause = 15 * time.Second

// same tells whether two records say the same to the services. The numbers do not count: an edit that
// changes nothing for them, of a lane's replicas for example, is not published.
func same(a, b *campaignv1.Desired) bool {
	a, b = proto.CloneOf(a), proto.CloneOf(b)
	a.Generation, a.SpecGeneration, b.Generation, b.SpecGeneration = 0, 0, 0, 0
	return proto.Equal(a, b)
}

// newest is the greatest revision that this campaign ever had, of which the broker may hold one more than
// it confirmed.
func (s Snapshot) newest() int64 {
	return max(s.Published.GetGeneration(), s.Newest.GetGeneration(), s.Attempted.GetGeneration(), s.Campaign.Status.Revision)
}

// replaced tells whether what stands in campaigns.v1 has the number of another record, which its readers know:
// two operators gave it out, and one of them stood still. They differ in the spec or in what was to stop.
func (s Snapshot) replaced() bool {
	top, known := s.Published, s.Newest
	return known != nil && top.GetGeneration() == known.GetGeneration() &&
		(top.GetSpecGeneration() != known.GetSpecGeneration() || top.GetSuspended() != known.GetSuspended() ||
			!proto.Equal(top.GetEndAt(), known.GetEndAt()) || !proto.Equal(top.GetLane(), known.GetLane()))
}

// revise gives a record that is to be published its revision: one above the newest. What was tried just so
// before keeps its revision, so that a broker that is away for an hour costs one.
func (s Snapshot) revise(d *campaignv1.Desired) *campaignv1.Desired {
	read := max(s.Published.GetGeneration(), s.Newest.GetGeneration())
	unconfirmed := s.Attempted.GetGeneration() > read && s.Attempted.GetGeneration() == s.newest()
	if unconfirmed && s.Attempted.GetSpecGeneration() == d.GetSpecGeneration() && same(d, s.Attempted) {
		return s.Attempted
	}
	d.Generation = max(s.newest()+1, d.GetSpecGeneration())
	return d
}

// retryAt is when a refused campaign is to be asked again, zero for never: the brand has got something
// since the refusal, by the order of its own log, and with it the pool would now give what is wanted.
func (f facts) retryAt(s Snapshot) time.Time {
	answer := f.lane.GetAllocation()
	refused := answer.GetState() == campaignv1.Allocation_STATE_REFUSED && answer.GetGeneration() == s.Published.GetGeneration()
	asked := s.Stock.Known && s.Stock.Gained && s.Stock.Refused == s.Published.GetGeneration()
	if !refused || !asked || !allows(s.Stock, s.Published, f.lane) {
		return time.Time{}
	}
	return f.publishedAt.Add(RetryPause)
}

// allows tells whether the pool would give a campaign what it wants, as far as can be seen from here.
// What it agreed to at older prices only the pool knows; where that matters it is asked once too often.
func allows(v stock.View, d *campaignv1.Desired, lane *campaignv1.Status) bool {
	given := map[string]int64{}
	for _, i := range lane.GetItems() {
		given[i.GetSku()] = i.GetUnits()
	}
	for _, item := range d.GetItems() {
		i, approved := slices.BinarySearchFunc(v.Goods, item.GetSku(), bySKU)
		more := item.GetUnits() - given[item.GetSku()]
		switch {
		case !approved:
			return false
		case more <= 0 && lane.GetUnits() > 0:
		case v.Standing != stock.Open, item.GetSettlementFen() < v.Goods[i].SettlementFen, more > v.Goods[i].FreeUnits,
			v.Goods[i].TrialIndexTenths < d.GetTrialIndexTenths() && d.GetTrialIndexTenths() > 0:
			return false
		}
	}
	return true
}
