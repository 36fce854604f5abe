// Package eventin takes in what the others say: campaigns from the operator,
// stock and money from the order service.
package eventin

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/qingcang/qingcang/proto/eventkit"
	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
)

// CampaignsTopic has the desired state of each campaign.
const CampaignsTopic = "campaigns.v1"

// retryPause is the wait before campaigns that could not be answered are tried again.
const retryPause = time.Second

// Table reads a compacted topic.
type Table interface {
	Table(ctx context.Context, topic string, apply func(key string, value []byte) error, caughtUp func()) error
}

var _ Table = (*eventkit.Conn)(nil)

// Campaigns keeps the newest desired state of each campaign until it has been
// answered. Only the newest counts, so a slow answer never queues up.
type Campaigns struct {
	table    Table
	allocate func(context.Context, *campaignv1.Desired) error
	log      *slog.Logger

	mu      sync.Mutex
	waiting map[string]*campaignv1.Desired // by uid
	order   []string                       // uids in the order of their coming
	wake    chan struct{}
}

// NewCampaigns has each campaign answered by allocate, which may be called
// again for what was answered.
func NewCampaigns(table Table, allocate func(context.Context, *campaignv1.Desired) error, log *slog.Logger) *Campaigns {
	return &Campaigns{
		table: table, allocate: allocate, log: log,
		waiting: map[string]*campaignv1.Desired{}, wake: make(chan struct{}, 1),
	}
}

// Listen reads the table until ctx ends.
func (c *Campaigns) Listen(ctx context.Context) error {
	return c.table.Table(ctx, CampaignsTopic, func(uid string, value []byte) error {
		c.put(ctx, uid, value)
		return nil
	}, nil)
}

func (c *Campaigns) put(ctx context.Context, uid string, value []byte) {
	if value == nil {
		return // a campaign that is over and forgotten
	}
	d := &campaignv1.Desired{}
	if err := proto.Unmarshal(value, d); err != nil || d.GetUid() != uid || d.GetBrandId() == "" {
		c.log.ErrorContext(ctx, "campaign left aside: its desired state cannot be read", "campaign", uid, "error", err)
		return
	}
	c.mu.Lock()
	if _, there := c.waiting[uid]; !there {
		c.order = append(c.order, uid)
	}
	c.waiting[uid] = d
	c.mu.Unlock()
	select {
	case c.wake <- struct{}{}:
	default: // awake already
	}
}

// Answer answers what waits until ctx ends. What fails waits a little and is
// tried again with whatever is wanted by then.
func (c *Campaigns) Answer(ctx context.Context) error {
	for ctx.Err() == nil {
		d := c.next()
		if d == nil {
			c.sleep(ctx)
			continue
		}
		if err := c.answer(ctx, d); err != nil && ctx.Err() == nil {
			c.log.WarnContext(ctx, "campaign not answered, trying again", "campaign", d.GetUid(), "generation", d.GetGeneration(), "error", err)
			c.again(d)
			pause(ctx, retryPause)
		}
	}
	return nil
}

// sleep waits until something comes.
func (c *Campaigns) sleep(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-c.wake:
	}
}

// answerTimeout bounds one answer.
const answerTimeout = 30 * time.Second

func (c *Campaigns) answer(ctx context.Context, d *campaignv1.Desired) error {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	if err := c.allocate(ctx, d); err != nil {
		return fmt.Errorf("allocate: %w", err)
	}
	return nil
}

func (c *Campaigns) next() *campaignv1.Desired {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.order) == 0 {
		return nil
	}
	uid := c.order[0]
	c.order = c.order[1:]
	d := c.waiting[uid]
	delete(c.waiting, uid)
	return d
}

// again puts a campaign back unless something newer of it waits.
func (c *Campaigns) again(d *campaignv1.Desired) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, there := c.waiting[d.GetUid()]; !there {
		c.waiting[d.GetUid()] = d
		c.order = append(c.order, d.GetUid())
	}
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
