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
func (us *Ours) openSales(ctx context.Context) error {
	sales := []Sale{Hot, Last, Gone, Later, Limited}
	events := make([]eventkit.Event, 0, len(sales))
	prev := ""
	for i, sale := range sales {
		if err := us.conn.Put(ctx, "campaigns.v1", sale.Campaign, desired(sale)); err != nil {
			return err
		}
		data, err := proto.Marshal(&brandv1.StockAllocated{
			CampaignUid: sale.Campaign, Generation: 1, BrandId: brandID, Lane: &campaignv1.Lane{Topic: laneTopic, Partition: lane},
			Add: []*brandv1.AllocatedUnits{{Sku: sale.SKU, Units: sale.Units}},
		})
		if err != nil {
			return fmt.Errorf("encode an allocation: %w", err)
		}
		id := eventkit.Position{Source: brandSource, Seq: uint64(i) + 1}.String()
		events = append(events, eventkit.Event{
			ID: id, Prev: prev, Type: "brand.v1.StockAllocated", Subject: sale.Campaign, Time: time.Now(), Data: data,
		})
		prev = id
	}
	if err := us.conn.Publish(ctx, brandEvents, 0, events); err != nil {
		return err
	}
	return us.awaitOpen(ctx, Hot, Last, Gone, Limited)
}

func desired(sale Sale) *campaignv1.Desired {
	now := time.Now()
	d := &campaignv1.Desired{
		Uid: sale.Campaign, Cluster: "bench", Namespace: "bench", Name: sale.Campaign, Generation: 1, BrandId: brandID, Title: sale.Campaign,
		Items:         []*campaignv1.Item{{Sku: sale.SKU, PriceFen: priceFen, SettlementFen: priceFen / 2, Units: sale.Units}},
		CommissionBps: 1_000, StartAt: timestamppb.New(now.Add(-time.Minute)), EndAt: timestamppb.New(now.Add(48 * time.Hour)),
		// A limit that is counted and never reached: what it costs belongs to an order.
		BuyerLimitUnits: 1_000_000, HoldSeconds: 3_600,
		ReturnWindow: &campaignv1.ReturnWindow{Seconds: 7 * 24 * 3_600, From: campaignv1.ReturnWindow_FROM_NEXT_MIDNIGHT},
		Lane:         &campaignv1.Lane{Topic: laneTopic, Partition: lane},
	}
	switch sale {
	case Later:
		d.StartAt = timestamppb.New(now.Add(24 * time.Hour))
	case Limited:
		d.BuyerLimitUnits = 1
	}
	return d
}

// awaitOpen follows the status of the campaigns until all are open.
func (us *Ours) awaitOpen(ctx context.Context, sales ...Sale) error {
	ctx, cancel := context.WithTimeout(ctx, openWithin)
	defer cancel()
	var mu sync.Mutex
	open := map[string]bool{}
	all := func() bool {
		for _, sale := range sales {
			if !open[sale.Campaign] {
				return false
			}
		}
		return true
	}
	err := us.conn.Table(ctx, "campaign-status.v1", func(uid string, value []byte) error {
		mu.Lock()
		defer mu.Unlock()
		status := &campaignv1.Status{}
		if err := proto.Unmarshal(value, status); err != nil {
			return err
		}
		open[uid] = status.GetPhase() == campaignv1.Status_PHASE_OPEN
		if all() {
			cancel()
		}
		return nil
	}, func() {})
	mu.Lock()
	defer mu.Unlock()
	if all() {
		return nil
	}
	return errors.Join(fmt.Errorf("the sales did not open within %s", openWithin), err)
}
