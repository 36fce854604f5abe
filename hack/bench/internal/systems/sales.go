package systems

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

// The bench has neither operator nor brand-intake: it writes itself what these two would tell the
// order service, in their own messages.

const (
	laneTopic   = "lanes.shared.v1"
	laneEvents  = "order.lane-events.v1"
	brandEvents = "brand.events.v1"
	// lane is the one partition that all sales share: nothing here gains from a second.
	lane = 0

	brandSource = "brand-intake/0"
	brandID     = "brand_01jz6j8f4tfk2b6a1n8x9q7r5m"
	priceFen    = 9_900
	openWithin  = 60 * time.Second
)

// openSales wants the campaigns, gives them their stock, and returns when the lane says that they are open.
func (us *Ours) openSales(ctx context.Context, w Wide) error {
	campaigns := w.campaigns()
	for _, sale := range []Sale{Hot, Last, Gone, Later, Limited} {
		campaigns = append(campaigns, sale.campaign())
	}
	events := make([]eventkit.Event, 0, len(campaigns))
	prev := ""
	for i, d := range campaigns {
		if err := us.conn.Put(ctx, "campaigns.v1", d.GetUid(), d); err != nil {
			return err
		}
		given := &brandv1.StockAllocated{CampaignUid: d.GetUid(), Generation: d.GetGeneration(), BrandId: brandID, Lane: d.GetLane()}
		for _, item := range d.GetItems() {
			given.Add = append(given.Add, &brandv1.AllocatedUnits{Sku: item.GetSku(), Units: item.GetUnits()})
		}
		data, err := proto.Marshal(given)
		if err != nil {
			return fmt.Errorf("encode an allocation: %w", err)
		}
		id := eventkit.Position{Source: brandSource, Seq: uint64(i) + 1}.String()
		events = append(events, eventkit.Event{
			ID: id, Prev: prev, Type: "brand.v1.StockAllocated", Subject: d.GetUid(), Time: time.Now(), Data: data,
		})
		prev = id
	}
	if err := us.conn.Publish(ctx, brandEvents, 0, events); err != nil {
		return err
	}
	return us.awaitOpen(ctx, len(campaigns)-1) // all but Later
}

// desired is a campaign that is open now.
func desired(uid string) *campaignv1.Desired {
	now := time.Now()
	return &campaignv1.Desired{
		Uid: uid, Cluster: "bench", Namespace: "bench", Name: uid, Generation: 1, BrandId: brandID, Title: uid,
		CommissionBps: 1_000, StartAt: timestamppb.New(now.Add(-time.Minute)), EndAt: timestamppb.New(now.Add(48 * time.Hour)),
		// A limit that is counted and never reached: what it costs belongs to an order.
		BuyerLimitUnits: 1_000_000, HoldSeconds: 3_600,
		ReturnWindow: &campaignv1.ReturnWindow{Seconds: 7 * 24 * 3_600, From: campaignv1.ReturnWindow_FROM_NEXT_MIDNIGHT},
		Lane:         &campaignv1.Lane{Topic: laneTopic, Partition: lane},
	}
}

func item(sku string, units int64) *campaignv1.Item {
	return &campaignv1.Item{Sku: sku, PriceFen: priceFen, SettlementFen: priceFen / 2, Units: units}
}

func (s Sale) campaign() *campaignv1.Desired {
	d := desired(s.Campaign)
	d.Items = []*campaignv1.Item{item(s.SKU, s.Units)}
	switch s {
	case Later:
		d.StartAt = timestamppb.New(time.Now().Add(24 * time.Hour))
	case Limited:
		d.BuyerLimitUnits = 1
	}
	return d
}

// awaitOpen follows the status of the campaigns until so many are open.
func (us *Ours) awaitOpen(ctx context.Context, want int) error {
	ctx, cancel := context.WithTimeout(ctx, openWithin)
	defer cancel()
	var mu sync.Mutex
	open := map[string]bool{}
	err := us.conn.Table(ctx, "campaign-status.v1", func(uid string, value []byte) error {
		mu.Lock()
		defer mu.Unlock()
		status := &campaignv1.Status{}
		if err := proto.Unmarshal(value, status); err != nil {
			return err
		}
		if status.GetPhase() == campaignv1.Status_PHASE_OPEN {
			open[uid] = true
		}
		if len(open) == want {
			cancel()
		}
		return nil
	}, func() {})
	mu.Lock()
	defer mu.Unlock()
	if len(open) == want {
		return nil
	}
	return errors.Join(fmt.Errorf("%d of %d sales opened within %s", len(open), want, openWithin), err)
}
