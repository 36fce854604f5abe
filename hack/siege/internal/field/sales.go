package field

import (
	"cmp"
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

// The field has neither operator nor brand-intake: it writes itself what these two would tell the
// order service, in their own messages.

// Topics that the field reads or writes itself.
const (
	LaneTopic   = "lanes.shared.v1"
	EventTopic  = "order.lane-events.v1"
	brandTopic  = "brand.events.v1"
	brandSource = "brand-intake/0"
	brandID     = "brand_01jz6j8f4tfk2b6a1n8x9q7r5m"
)

// SKU is what every campaign sells, and PriceFen what a unit costs.
const (
	SKU      = "6901234567892"
	PriceFen = 9_900
)

// Limits of every campaign.
const (
	// buyerLimit is that of a sale without one of its own: it is counted and not reached.
	buyerLimit = 1_000
	hold       = time.Hour
	openWithin = 60 * time.Second
)

// Sale is a campaign of one SKU.
type Sale struct {
	UID   string
	Units int64
	Lane  int // partition
	// Limit is how many units a buyer may have; 0 is many.
	Limit int64
}

// sales numbers what was told.
type sales struct {
	mu   sync.Mutex
	seq  uint64
	last string // id of the newest event of the brands' topic
}

// Lanes is how many partitions there are.
func Lanes() int {
	topic, _ := eventkit.TopicNamed(LaneTopic)
	return topic.Partitions
}

// Open wants the campaigns, gives them their stock, and returns when the order service says that
// they sell.
func (f *Field) Open(ctx context.Context, list ...Sale) error {
	ctx, cancel := context.WithTimeout(ctx, openWithin)
	defer cancel()
	for _, sale := range list {
		d := sale.desired()
		if err := persist(ctx, func() error { return f.Conn.Put(ctx, "campaigns.v1", d.GetUid(), d) }); err != nil {
			return err
		}
		if err := persist(ctx, func() error { return f.allocate(ctx, d) }); err != nil {
			return err
		}
	}
	return f.awaitOpen(ctx, list)
}

func (s Sale) desired() *campaignv1.Desired {
	now := time.Now()
	return &campaignv1.Desired{
		Uid: s.UID, Cluster: "siege", Namespace: "siege", Name: s.UID, Generation: 1, BrandId: brandID, Title: s.UID,
		CommissionBps: 1_000, StartAt: timestamppb.New(now.Add(-time.Minute)), EndAt: timestamppb.New(now.Add(48 * time.Hour)),
		BuyerLimitUnits: cmp.Or(s.Limit, buyerLimit), HoldSeconds: int64(hold.Seconds()),
		ReturnWindow: &campaignv1.ReturnWindow{Seconds: 7 * 24 * 3_600, From: campaignv1.ReturnWindow_FROM_NEXT_MIDNIGHT},
		Lane:         &campaignv1.Lane{Topic: LaneTopic, Partition: int32(s.Lane)},
		Items:        []*campaignv1.Item{{Sku: SKU, PriceFen: PriceFen, SettlementFen: PriceFen / 2, Units: s.Units}},
	}
}

// allocate is the stock pool's yes. Told twice it counts once.
func (f *Field) allocate(ctx context.Context, d *campaignv1.Desired) error {
	given := &brandv1.StockAllocated{CampaignUid: d.GetUid(), Generation: d.GetGeneration(), BrandId: brandID, Lane: d.GetLane()}
	for _, item := range d.GetItems() {
		given.Add = append(given.Add, &brandv1.AllocatedUnits{Sku: item.GetSku(), Units: item.GetUnits()})
	}
	data, err := proto.Marshal(given)
	if err != nil {
		return fmt.Errorf("encode an allocation: %w", err)
	}
	f.sales.mu.Lock()
	defer f.sales.mu.Unlock()
	id := eventkit.Position{Source: brandSource, Seq: f.sales.seq + 1}.String()
	err = f.Conn.Publish(ctx, brandTopic, 0, []eventkit.Event{{
		ID: id, Prev: f.sales.last, Type: "brand.v1.StockAllocated", Subject: d.GetUid(), Time: time.Now(), Data: data,
	}})
	if err != nil {
		return err
	}
	f.sales.seq++
	f.sales.last = id
	return nil
}

// awaitOpen follows the status of the campaigns until all are open.
func (f *Field) awaitOpen(ctx context.Context, list []Sale) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var mu sync.Mutex
	waiting := map[string]bool{}
	for _, sale := range list {
		waiting[sale.UID] = true
	}
	err := f.Conn.Table(ctx, "campaign-status.v1", func(uid string, value []byte) error {
		mu.Lock()
		defer mu.Unlock()
		status := &campaignv1.Status{}
		if err := proto.Unmarshal(value, status); err != nil {
			return err
		}
		if status.GetPhase() == campaignv1.Status_PHASE_OPEN {
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
	return errors.Join(fmt.Errorf("%d of %d sales did not open", len(waiting), len(list)), err)
}

// persist repeats what fails while something is down, until ctx ends.
func persist(ctx context.Context, try func() error) error {
	ticker := time.NewTicker(200 * time.Millisecond)
	defer ticker.Stop()
	for {
		err := try()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-ticker.C:
		}
	}
}
