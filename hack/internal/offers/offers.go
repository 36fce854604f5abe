// Package offers puts campaigns up for sale where neither operator nor brand-intake runs: it writes
// itself what these two would tell the order service, in their own messages.
package offers

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/qingcang/qingcang/proto/eventkit"
	brandv1 "github.com/qingcang/qingcang/proto/gen/brand/v1"
	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
)

// LaneTopic holds the lanes on which all campaigns are sold.
const LaneTopic = "lanes.shared.v1"

const (
	campaignTopic = "campaigns.v1"
	statusTopic   = "campaign-status.v1"
	brandTopic    = "brand.events.v1"
	brandSource   = "brand-intake/0"
	brandID       = "brand_01jz6j8f4tfk2b6a1n8x9q7r5m"
)

// PriceFen is what a unit of anything costs.
const PriceFen = 9_900

// reachWithin is how long campaigns get to reach a state.
const reachWithin = 60 * time.Second

// Topics are where campaigns, their stock and their statuses are told: eventkit's Conn.
type Topics interface {
	Put(ctx context.Context, topic, key string, m proto.Message) error
	Publish(ctx context.Context, topic string, partition int, events []eventkit.Event) error
	Table(ctx context.Context, topic string, each func(key string, value []byte) error, caughtUp func()) error
}

// Desk plays operator and stock pool. There is one for a broker, because it numbers what the pool
// gives. It is safe for concurrent use.
type Desk struct {
	topics Topics

	mu    sync.Mutex
	given uint64 // events of the pool
	last  string // id of the newest
}

// New returns a desk of a broker that heard nothing from the stock pool yet.
func New(topics Topics) *Desk { return &Desk{topics: topics} }

// Desired is a campaign that is open now and for two days. Where names who runs it.
func Desired(where, uid string, lane int32, items ...*campaignv1.Item) *campaignv1.Desired {
	now := time.Now()
	return &campaignv1.Desired{
		Uid: uid, Cluster: where, Namespace: where, Name: uid, Generation: 1, BrandId: brandID, Title: uid,
		CommissionBps: 1_000, StartAt: timestamppb.New(now.Add(-time.Minute)), EndAt: timestamppb.New(now.Add(48 * time.Hour)),
		// A limit that is counted and never reached: what it costs belongs to an order.
		BuyerLimitUnits: 1_000_000, HoldSeconds: 3_600,
		ReturnWindow: &campaignv1.ReturnWindow{Seconds: 7 * 24 * 3_600, From: campaignv1.ReturnWindow_FROM_NEXT_MIDNIGHT},
		Lane:         &campaignv1.Lane{Topic: LaneTopic, Partition: lane},
		Items:        items,
	}
}

// Item is so many units of a SKU.
func Item(sku string, units int64) *campaignv1.Item {
	return &campaignv1.Item{Sku: sku, PriceFen: PriceFen, SettlementFen: PriceFen / 2, Units: units}
}

// Want writes campaigns as the operator would, and gives them their stock as brand-intake would. After
// an error it may be asked for the same again: what was told twice counts once.
func (d *Desk) Want(ctx context.Context, campaigns ...*campaignv1.Desired) error {
	for _, c := range campaigns {
		if err := d.topics.Put(ctx, campaignTopic, c.GetUid(), c); err != nil {
			return err
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	events, err := d.gifts(campaigns)
	if err != nil || len(events) == 0 {
		return err
	}
	if err := d.topics.Publish(ctx, brandTopic, 0, events); err != nil {
		return err
	}
	d.given += uint64(len(events))
	d.last = events[len(events)-1].ID
	return nil
}

// gifts are the pool's next events. The lock is held.
func (d *Desk) gifts(campaigns []*campaignv1.Desired) ([]eventkit.Event, error) {
	events := make([]eventkit.Event, 0, len(campaigns))
	last := d.last
	for i, c := range campaigns {
		given := &brandv1.StockAllocated{CampaignUid: c.GetUid(), Generation: c.GetGeneration(), BrandId: c.GetBrandId(), Lane: c.GetLane()}
		for _, item := range c.GetItems() {
			given.Add = append(given.Add, &brandv1.AllocatedUnits{Sku: item.GetSku(), Units: item.GetUnits()})
		}
		data, err := proto.Marshal(given)
		if err != nil {
			return nil, fmt.Errorf("encode an allocation: %w", err)
		}
		id := eventkit.Position{Source: brandSource, Seq: d.given + uint64(i) + 1}.String()
		events = append(events, eventkit.Event{
			ID: id, Prev: last, Type: "brand.v1.StockAllocated", Subject: c.GetUid(), Time: time.Now(), Data: data,
		})
		last = id
	}
	return events, nil
}

// Open reports whether a campaign sells.
func Open(s *campaignv1.Status) bool { return s.GetPhase() == campaignv1.Status_PHASE_OPEN }

// Waiting reports whether a campaign has its stock and has not begun.
func Waiting(s *campaignv1.Status) bool {
	return s.GetPhase() == campaignv1.Status_PHASE_WAITING && s.GetAllocation().GetState() == campaignv1.Allocation_STATE_ALLOCATED
}

// Await follows the statuses that the order service publishes until each of the campaigns has reached
// a state, which it may have left since.
func (d *Desk) Await(ctx context.Context, reached func(*campaignv1.Status) bool, campaigns ...*campaignv1.Desired) error {
	ctx, cancel := context.WithTimeout(ctx, reachWithin)
	defer cancel()
	var mu sync.Mutex
	waiting := make(map[string]bool, len(campaigns))
	for _, c := range campaigns {
		waiting[c.GetUid()] = true
	}
	err := d.topics.Table(ctx, statusTopic, func(uid string, value []byte) error {
		status := &campaignv1.Status{}
		if err := proto.Unmarshal(value, status); err != nil {
			return fmt.Errorf("decode the status of %s: %w", uid, err)
		}
		mu.Lock()
		defer mu.Unlock()
		if reached(status) {
			delete(waiting, uid)
		}
		if len(waiting) == 0 {
			cancel()
		}
		return nil
	}, func() {})
	mu.Lock()
	defer mu.Unlock()
	if len(waiting) == 0 {
		return nil
	}
	return errors.Join(fmt.Errorf("%d of %d campaigns did not get there", len(waiting), len(campaigns)), err)
}
