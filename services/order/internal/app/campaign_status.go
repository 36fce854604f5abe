package app

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
	"github.com/qingcang/qingcang/services/internal/journal"
	"github.com/qingcang/qingcang/services/order/internal/payment"
	"github.com/qingcang/qingcang/services/order/internal/status"
)

// StatusTopic holds each campaign's status by its uid.
const StatusTopic = "campaign-status.v1"

// statusEvery is how often a campaign's status is published at most.
const statusEvery = time.Second

// StatusWriter writes the newest value of a key.
type StatusWriter interface {
	Put(ctx context.Context, topic, key string, m proto.Message) error
}

// PublishedLane is a lane of which this replica is the publisher.
type PublishedLane interface {
	// Statuses returns what the lane knows of each of its campaigns, those that
	// left it included, without their money.
	Statuses() []*campaignv1.Status
	// Settle appends that a campaign leaves the lane.
	Settle(ctx context.Context, campaignUID string) error
}

// CampaignStatus tells the world how campaigns are doing, and their lanes when
// they are over.
type CampaignStatus struct {
	journal *PaymentJournal
	writer  StatusWriter
	now     func() time.Time
	log     *slog.Logger
	routes  [journal.Shards]string

	mu     sync.Mutex
	looked time.Time // when the last look at the journal began
}

// NewCampaignStatus returns the publisher of statuses.
func NewCampaignStatus(j *PaymentJournal, w StatusWriter, log *slog.Logger) *CampaignStatus {
	return &CampaignStatus{journal: j, writer: w, now: time.Now, log: log, routes: shardRoutes()}
}

// Run publishes the statuses of a lane's campaigns as they change, until ctx
// ends. Two replicas that do so for one lane repeat each other.
func (c *CampaignStatus) Run(ctx context.Context, lane PublishedLane) error {
	told := map[string]*campaignv1.Status{}
	ticker := time.NewTicker(statusEvery)
	defer ticker.Stop()
	for {
		if err := c.publish(ctx, lane, told); err != nil && ctx.Err() == nil {
			c.log.WarnContext(ctx, "campaigns' statuses are published later", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

func (c *CampaignStatus) publish(ctx context.Context, lane PublishedLane, told map[string]*campaignv1.Status) error {
	begin := c.now()
	open := slices.DeleteFunc(lane.Statuses(), func(s *campaignv1.Status) bool { // before the money: see status.Settles
		return status.Settled(told[s.GetUid()])
	})
	if len(open) == 0 {
		return nil
	}
	counts, err := c.counts(ctx, open, begin)
	if err != nil {
		return err
	}
	for _, s := range open {
		uid, money := s.GetUid(), counts[s.GetUid()]
		if status.Settles(s, money) {
			if err := lane.Settle(ctx, uid); err != nil {
				return err
			}
		}
		now := status.Of(s, money)
		if status.Same(now, told[uid]) {
			continue
		}
		if err := c.writer.Put(ctx, StatusTopic, uid, now); err != nil {
			return err
		}
		told[uid] = now
	}
	return nil
}

// counts adds up the campaigns' money over all shards, as it was at since or later.
func (c *CampaignStatus) counts(ctx context.Context, campaigns []*campaignv1.Status, since time.Time) (map[string]payment.Counts, error) {
	if err := c.look(ctx, since); err != nil {
		return nil, err
	}
	sums := make(map[string]payment.Counts, len(campaigns))
	c.journal.Each(func(_ int, s *payment.Orders) {
		for _, campaign := range campaigns {
			sums[campaign.GetUid()] = sums[campaign.GetUid()].Add(s.Counts(campaign.GetUid()))
		}
	})
	return sums, nil
}

// look takes in what other replicas had journaled by since. Lanes that wait
// together share a look.
func (c *CampaignStatus) look(ctx context.Context, since time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.looked.After(since) {
		return nil
	}
	begin := c.now()
	for _, route := range c.routes {
		if err := c.journal.View(ctx, route, func(*payment.Orders) {}); err != nil {
			return err
		}
	}
	c.looked = begin
	return nil
}
