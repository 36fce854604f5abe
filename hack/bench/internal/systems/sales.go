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
	reachWithin = 60 * time.Second
)

// openSales begins the sales that every run has and the assortment.
func (us *Ours) openSales(ctx context.Context, o Options) error {
	campaigns := o.Wide.campaigns()
	for _, sale := range []Sale{Hot, Last, Gone, Later, Limited, Brief} {
		campaigns = append(campaigns, sale.campaign(o.BriefHold))
	}
	if err := us.want(ctx, campaigns); err != nil {
		return err
	}
	open := func(s *campaignv1.Status) bool { return s.GetPhase() == campaignv1.Status_PHASE_OPEN }
	return us.await(ctx, "open", open, len(campaigns)-1) // all but Later
}

// Wait adds an assortment whose sale begins tomorrow, and returns when it has its stock.
func (us *Ours) Wait(ctx context.Context, w Wide) error {
	campaigns := w.campaigns()
	for _, d := range campaigns {
		d.StartAt = timestamppb.New(time.Now().Add(24 * time.Hour))
	}
	if err := us.want(ctx, campaigns); err != nil {
		return err
	}
	return us.await(ctx, "waiting with their stock", func(s *campaignv1.Status) bool {
		return s.GetPhase() == campaignv1.Status_PHASE_WAITING && s.GetAllocation().GetState() == campaignv1.Allocation_STATE_ALLOCATED
	}, len(campaigns)+1) // and Later
}

// want writes the campaigns as the operator would, and gives them their stock as brand-intake would.
func (us *Ours) want(ctx context.Context, campaigns []*campaignv1.Desired) error {
	events := make([]eventkit.Event, 0, len(campaigns))
	for _, d := range campaigns {
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
		us.given++
		id := eventkit.Position{Source: brandSource, Seq: us.given}.String()
		events = append(events, eventkit.Event{
			ID: id, Prev: us.lastGiven, Type: "brand.v1.StockAllocated", Subject: d.GetUid(), Time: time.Now(), Data: data,
		})
		us.lastGiven = id
	}
	return us.conn.Publish(ctx, brandEvents, 0, events)
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

func (s Sale) campaign(briefHold time.Duration) *campaignv1.Desired {
	d := desired(s.Campaign)
	d.Items = []*campaignv1.Item{item(s.SKU, s.Units)}
	switch s {
	case Later:
		d.StartAt = timestamppb.New(time.Now().Add(24 * time.Hour))
	case Limited:
		d.BuyerLimitUnits = 1
	case Brief:
		d.HoldSeconds = int64(briefHold.Seconds())
	}
	return d
}

// await follows the status of the campaigns until so many are as they should be.
func (us *Ours) await(ctx context.Context, state string, reached func(*campaignv1.Status) bool, want int) error {
	ctx, cancel := context.WithTimeout(ctx, reachWithin)
	defer cancel()
	var mu sync.Mutex
	there := map[string]bool{}
	err := us.conn.Table(ctx, "campaign-status.v1", func(uid string, value []byte) error {
		mu.Lock()
		defer mu.Unlock()
		status := &campaignv1.Status{}
		if err := proto.Unmarshal(value, status); err != nil {
			return err
		}
		if reached(status) {
			there[uid] = true
		}
		if len(there) == want {
			cancel()
		}
		return nil
	}, func() {})
	mu.Lock()
	defer mu.Unlock()
	if len(there) == want {
		return nil
	}
	return errors.Join(fmt.Errorf("%d of %d sales were %s within %s", len(there), want, state, reachWithin), err)
}
