package mirror

import (
	"google.golang.org/protobuf/proto"
	"k8s.io/apimachinery/pkg/types"

	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
)

// applyDesired takes a record of campaigns.v1. One that cannot be decoded is logged and passed over:
// it would stop the operator for every other campaign.
func (m *Mirror) applyDesired(uid string, value []byte) error {
	if value == nil {
		m.mu.Lock()
		defer m.mu.Unlock()
		delete(m.desired, uid)
		return nil
	}
	d := &campaignv1.Desired{}
	if err := proto.Unmarshal(value, d); err != nil || d.GetUid() != uid {
		m.log.Error("a record is unreadable and passed over", "topic", DesiredTopic, "key", uid, "err", err)
		return nil
	}
	m.keep(d)
	return nil
}

// keep takes a desired state in unless a newer generation is known: what Publish has kept comes back
// from the topic later, behind records that were written before it.
func (m *Mirror) keep(d *campaignv1.Desired) {
	if d.GetClosed() || d.GetCluster() != m.cluster {
		d.Items = nil // nothing is planned from them any more, and a thousand items weigh 100 kB
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if d.GetGeneration() >= m.desired[d.GetUid()].GetGeneration() {
		m.desired[d.GetUid()] = d
	}
}

// applyStatus takes a record of campaign-status.v1.
func (m *Mirror) applyStatus(uid string, value []byte) error {
	if value == nil {
		m.mu.Lock()
		defer m.mu.Unlock()
		delete(m.lanes, uid)
		return nil
	}
	s := &campaignv1.Status{}
	if err := proto.Unmarshal(value, s); err != nil || s.GetUid() != uid {
		m.log.Error("a record is unreadable and passed over", "topic", StatusTopic, "key", uid, "err", err)
		return nil
	}
	s.Items = nil // the status of the object has sums only
	if change, tell := m.observe(s); tell != nil {
		tell(change)
	}
	return nil
}

// observe keeps a lane's newest word and returns whom to tell of it, nil for nobody. A stale
// publisher in the order service may repeat older offsets.
func (m *Mirror) observe(s *campaignv1.Status) (Change, func(Change)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	before := m.lanes[s.GetUid()]
	if before != nil && s.GetOffset() < before.GetOffset() {
		return Change{}, nil
	}
	m.lanes[s.GetUid()] = s
	d := m.desired[s.GetUid()]
	if d.GetCluster() != m.cluster {
		return Change{}, nil
	}
	return Change{
		Campaign: types.NamespacedName{Namespace: d.GetNamespace(), Name: d.GetName()},
		Decisive: decisive(before, s),
	}, m.onChange
}

// decisive tells whether a status differs from the one before in what people wait for.
func decisive(before, after *campaignv1.Status) bool {
	return before.GetPhase() != after.GetPhase() ||
		before.GetGeneration() != after.GetGeneration() ||
		before.GetStopped() != after.GetStopped() ||
		!proto.Equal(before.GetAllocation(), after.GetAllocation())
}
