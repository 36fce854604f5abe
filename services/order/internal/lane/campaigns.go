package lane

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"sync"

	"google.golang.org/protobuf/proto"

	"github.com/qingcang/qingcang/proto/eventkit"
	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
	"github.com/qingcang/qingcang/proto/lane/record"
)

// CampaignTopic holds what the operator wants, by campaign uid.
const CampaignTopic = "campaigns.v1"

// Campaigns is the table of desired states as this replica has read it. Which
// lane a campaign has stands there and is never computed. It is safe for
// concurrent use.
type Campaigns struct {
	conn *eventkit.Conn
	log  *slog.Logger

	mu       sync.RWMutex
	desired  map[string]wanted
	caughtUp bool
	changed  chan struct{} // closed and replaced at each change
}

// wanted is a desired state. Its items are by far the most of it, and nobody needs
// them when the campaign's lane has them.
type wanted struct {
	head *campaignv1.Desired // without items
	raw  []byte              // the whole; nil when the lane has it
}

// NewCampaigns returns an empty table; Run fills it.
func NewCampaigns(conn *eventkit.Conn, log *slog.Logger) *Campaigns {
	return &Campaigns{conn: conn, log: log, desired: map[string]wanted{}, changed: make(chan struct{})}
}

// Run reads the table and follows it until ctx ends.
func (c *Campaigns) Run(ctx context.Context) error {
	return c.conn.Table(ctx, CampaignTopic,
		func(uid string, value []byte) error { c.take(ctx, uid, value); return nil },
		func() {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.caughtUp = true
			c.wake()
		})
}

// take notes a desired state. One that cannot be read changes nothing: the
// campaign goes on as it is.
func (c *Campaigns) take(ctx context.Context, uid string, value []byte) {
	d := &campaignv1.Desired{}
	if err := proto.Unmarshal(value, d); err != nil || value != nil && d.GetUid() != uid {
		c.log.ErrorContext(ctx, "a campaign's desired state cannot be read", "campaign", uid, "err", err)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case value == nil:
		delete(c.desired, uid)
	case d.GetGeneration() >= c.desired[uid].head.GetGeneration():
		d.Items = nil
		c.desired[uid] = wanted{head: d, raw: value}
	}
	c.wake()
}

// wake tells everybody who waits to look again. The lock is held.
func (c *Campaigns) wake() {
	close(c.changed)
	c.changed = make(chan struct{})
}

// await waits until the table has been read; false when ctx ends.
func (c *Campaigns) await(ctx context.Context) bool {
	for ctx.Err() == nil {
		c.mu.RLock()
		caughtUp, changed := c.caughtUp, c.changed
		c.mu.RUnlock()
		if caughtUp {
			return true
		}
		wait(ctx, changed)
	}
	return false
}

// Desired returns a campaign's desired state without its items. It must not be changed.
func (c *Campaigns) Desired(uid string) (*campaignv1.Desired, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	d, ok := c.desired[uid]
	return d.head, ok
}

// whole returns a campaign's desired state; false if its lane has it already.
func (c *Campaigns) whole(uid string) (*campaignv1.Desired, bool) {
	c.mu.RLock()
	raw := c.desired[uid].raw
	c.mu.RUnlock()
	if raw == nil {
		return nil, false
	}
	d := &campaignv1.Desired{}
	if err := proto.Unmarshal(raw, d); err != nil {
		return nil, false // it was read when it came
	}
	return d, true
}

// arrived notes that a lane has a campaign's generation.
func (c *Campaigns) arrived(uid string, generation int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if d, ok := c.desired[uid]; ok && d.raw != nil && d.head.GetGeneration() <= generation {
		c.desired[uid] = wanted{head: d.head}
	}
}

// ofLane returns the desired states of a lane by uid, without items, and a channel that is
// closed when the table changes.
func (c *Campaigns) ofLane(l *Lane) (desired []*campaignv1.Desired, changed <-chan struct{}) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if l.campaign != "" {
		if d, ok := c.desired[l.campaign]; ok && runs(l, d.head) {
			desired = append(desired, d.head)
		}
		return desired, c.changed
	}
	for _, uid := range slices.Sorted(maps.Keys(c.desired)) {
		if d := c.desired[uid].head; runs(l, d) {
			desired = append(desired, d)
		}
	}
	return desired, c.changed
}

// runs reports whether a desired state names the lane.
func runs(l *Lane, d *campaignv1.Desired) bool {
	return d.GetLane().GetTopic() == l.topic && int(d.GetLane().GetPartition()) == l.partition
}

// elsewhere returns the desired states whose lanes are not the shared ones, without items,
// and a channel that is closed when the table changes.
func (c *Campaigns) elsewhere() (desired []*campaignv1.Desired, changed <-chan struct{}) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	for _, uid := range slices.Sorted(maps.Keys(c.desired)) {
		if d := c.desired[uid].head; d.GetLane().GetTopic() != SharedTopic {
			desired = append(desired, d)
		}
	}
	return desired, c.changed
}

// Ready is a readiness check: the table has been read.
func (c *Campaigns) Ready(*http.Request) error {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if !c.caughtUp {
		return fmt.Errorf("%s is not read yet", CampaignTopic)
	}
	return nil
}

// keepWanting tells the lane each desired state that is newer than what it has.
func (l *Lane) keepWanting(ctx context.Context, campaigns *Campaigns) error {
	for ctx.Err() == nil {
		desired, changed := campaigns.ofLane(l)
		for _, head := range l.news(desired) {
			d, ok := campaigns.whole(head.GetUid())
			if !ok {
				continue
			}
			if err := l.Do(ctx, &record.Want{Desired: d}); err != nil {
				return err
			}
		}
		wait(ctx, changed)
	}
	return nil
}

// news returns the desired states that the ledger does not have.
func (l *Lane) news(desired []*campaignv1.Desired) []*campaignv1.Desired {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return slices.DeleteFunc(desired, func(d *campaignv1.Desired) bool {
		return l.ledger.Retired(d.GetUid()) || d.GetGeneration() <= l.ledger.Generation(d.GetUid())
	})
}
