package app

import (
	"context"
	"log/slog"
	"maps"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
	"github.com/qingcang/qingcang/services/order/internal/lane"
	"github.com/qingcang/qingcang/services/order/internal/payment"
	"github.com/qingcang/qingcang/services/order/internal/status"
)

// StatusTopic holds each campaign's status by its uid.
const StatusTopic = "campaign-status.v1"

const (
	// statusEvery is how often a campaign's status is published at most.
	statusEvery = time.Second
	// retellAfter is how long what was told is relied on. A publisher that was cut
	// off may write what it last knew over a newer status, and nobody would notice;
	// by then its last request is over.
	retellAfter = time.Minute
)

// StatusWriter writes the newest value of a key.
type StatusWriter interface {
	Put(ctx context.Context, topic, key string, m proto.Message) error
}

// PublishedLane is a lane of which this replica is the publisher.
type PublishedLane interface {
	// Versions returns the lane's campaigns, those that left it included. As long
	// as a campaign's version is the same, so is its status.
	Versions() map[string]lane.Version
	// Status returns what the lane knows of a campaign, without its money.
	Status(campaignUID string) (*campaignv1.Status, lane.Version, bool)
	// Settle appends that a campaign leaves the lane.
	Settle(ctx context.Context, campaignUID string) error
	// Over reports whether no campaign will ever come to the lane again.
	Over() bool
}

// CampaignStatus tells the world how campaigns are doing, and their lanes when
// they are over.
type CampaignStatus struct {
	journal *PaymentJournal
	writer  StatusWriter
	now     func() time.Time
	log     *slog.Logger

	mu     sync.Mutex
	looked time.Time // when the last look at the journal began
}

// NewCampaignStatus returns the publisher of statuses.
func NewCampaignStatus(j *PaymentJournal, w StatusWriter, log *slog.Logger) *CampaignStatus {
	return &CampaignStatus{journal: j, writer: w, now: time.Now, log: log}
}

// news is what a status says, in short.
type news struct {
	lane    lane.Version
	money   payment.Counts
	settled bool
}

// telling is what was told of a campaign.
type telling struct {
	news
	at    time.Time
	times int // that just this was told; 0 for nothing yet
}

// stands reports whether nothing has to be told at the given time.
func (t telling) stands(version lane.Version, money payment.Counts, at time.Time) bool {
	return t.times > 0 && t.lane == version && t.money == money && at.Sub(t.at) < retellAfter
}

// ended reports whether there is no more to tell: the last status, told twice.
func (t telling) ended() bool { return t.settled && t.times > 1 }

func (t telling) next(n news, at time.Time) telling {
	if t.times > 0 && t.news == n {
		return telling{news: n, at: at, times: t.times + 1}
	}
	return telling{news: n, at: at, times: 1}
}

// Run publishes the statuses of a lane's campaigns as they change, and now and
// then as they are, until ctx ends, or the lane is over and that is told for good.
// Two replicas that do so for one lane repeat each other.
func (c *CampaignStatus) Run(ctx context.Context, from PublishedLane) error {
	told := map[string]telling{}
	ticker := time.NewTicker(statusEvery)
	defer ticker.Stop()
	for {
		over := from.Over()
		untold, err := c.publish(ctx, from, told)
		if err != nil && ctx.Err() == nil {
			c.log.WarnContext(ctx, "campaigns' statuses are published later", "err", err)
		}
		if over && err == nil && untold == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// publish returns how many campaigns have not ended for their readers.
func (c *CampaignStatus) publish(ctx context.Context, from PublishedLane, told map[string]telling) (untold int, err error) {
	begin := c.now()
	open := from.Versions() // before the money: see status.Settles
	maps.DeleteFunc(open, func(uid string, _ lane.Version) bool { return told[uid].ended() })
	if len(open) == 0 {
		return 0, nil
	}
	counts, err := c.counts(ctx, open, begin)
	if err != nil {
		return len(open), err
	}
	for uid, version := range open {
		money := counts[uid]
		if told[uid].stands(version, money, begin) {
			continue
		}
		s, now, ok := from.Status(uid)
		if !ok {
			continue
		}
		if now == version && status.Settles(s, money) {
			if err := from.Settle(ctx, uid); err != nil {
				return len(open), err
			}
		}
		s = status.Of(s, money)
		if err := c.writer.Put(ctx, StatusTopic, uid, s); err != nil {
			return len(open), err
		}
		// As of the version from before the money: what has changed since is looked at again.
		told[uid] = told[uid].next(news{lane: version, money: money, settled: status.Settled(s)}, begin)
	}
	return len(open), nil
}

// counts adds up the campaigns' money over all shards, as it was at since or later.
func (c *CampaignStatus) counts(ctx context.Context, campaigns map[string]lane.Version, since time.Time) (map[string]payment.Counts, error) {
	if err := c.look(ctx, since); err != nil {
		return nil, err
	}
	sums := make(map[string]payment.Counts, len(campaigns))
	c.journal.Each(func(_ int, s *payment.Orders) {
		for uid := range campaigns {
			sums[uid] = sums[uid].Add(s.Counts(uid))
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
	if err := c.journal.Look(ctx); err != nil {
		return err
	}
	c.looked = begin
	return nil
}
