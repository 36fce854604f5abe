package systems

import (
	"context"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/qingcang/qingcang/hack/internal/offers"
	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
)

const (
	laneEvents = "order.lane-events.v1"
	// lane is the one partition that all sales share: nothing here gains from a second.
	lane = 0
)

// openSales begins the sales that every run has and the assortment.
func (us *Ours) openSales(ctx context.Context, o Options) error {
	campaigns := o.Wide.campaigns()
	for _, sale := range []Sale{Hot, Last, Gone, Limited, Brief, Later} {
		campaigns = append(campaigns, sale.campaign(o.BriefHold))
	}
	if err := us.offers.Want(ctx, campaigns...); err != nil {
		return err
	}
	return us.offers.Await(ctx, offers.Open, campaigns[:len(campaigns)-1]...) // all but Later
}

// Wait adds an assortment whose sale begins tomorrow, and returns when it has its stock.
func (us *Ours) Wait(ctx context.Context, w Wide) error {
	campaigns := w.campaigns()
	for _, d := range campaigns {
		d.StartAt = timestamppb.New(time.Now().Add(24 * time.Hour))
	}
	if err := us.offers.Want(ctx, campaigns...); err != nil {
		return err
	}
	return us.offers.Await(ctx, offers.Waiting, campaigns...)
}

// desired is a campaign that is open now.
func desired(uid string, items ...*campaignv1.Item) *campaignv1.Desired {
	return offers.Desired("bench", uid, lane, items...)
}

func (s Sale) campaign(briefHold time.Duration) *campaignv1.Desired {
	d := desired(s.Campaign, offers.Item(s.SKU, s.Units))
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
