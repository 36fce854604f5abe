package campaign

import (
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
	"k8s.io/utils/ptr"

	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
)

// desired is the campaign as the services read it.
func desired(c *v1alpha1.Campaign, times v1alpha1.Schedule, cluster string, lane *campaignv1.Lane) *campaignv1.Desired {
	items := make([]*campaignv1.Item, 0, len(c.Spec.Items))
	for _, i := range c.Spec.Items {
		items = append(items, &campaignv1.Item{
			Sku: i.SKU, PriceFen: i.PriceFen, SettlementFen: i.SettlementFen, Units: i.Units,
		})
	}
	return &campaignv1.Desired{
		Uid:             string(c.UID),
		Cluster:         cluster,
		Namespace:       c.Namespace,
		Name:            c.Name,
		Generation:      c.Generation,
		BrandId:         c.Spec.BrandID,
		Title:           c.Spec.Title,
		Items:           items,
		CommissionBps:   c.Spec.CommissionBps,
		PreviewAt:       timestamp(times.Preview),
		StartAt:         timestamp(times.Start),
		EndAt:           timestamp(times.End),
		BuyerLimitUnits: c.Spec.BuyerLimitUnits,
		HoldLimitUnits:  ptr.Deref(c.Spec.HoldLimitUnits, 0),
		HoldSeconds:     int64(c.Spec.Hold.Duration / time.Second),
		ReturnWindow: &campaignv1.ReturnWindow{
			Seconds: int64(c.Spec.ReturnWindow.Duration.Duration / time.Second),
			From:    windowStarts[c.Spec.ReturnWindow.From],
		},
		Lane:      lane,
		Suspended: c.Spec.Suspend,
	}
}

var windowStarts = map[v1alpha1.WindowStart]campaignv1.ReturnWindow_From{
	v1alpha1.FromNextMidnight: campaignv1.ReturnWindow_FROM_NEXT_MIDNIGHT,
	v1alpha1.FromSigning:      campaignv1.ReturnWindow_FROM_SIGNING,
}

func timestamp(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}

// outdated returns what is wanted if campaigns.v1 does not hold it, else nil. An older generation
// never replaces a newer one: the object in the cache is then behind, and its update is on the way.
func outdated(want, have *campaignv1.Desired) *campaignv1.Desired {
	switch {
	case have == nil:
		return want
	case have.GetGeneration() > want.GetGeneration(), proto.Equal(want, have):
		return nil
	default:
		return want
	}
}

// Closing is the record that ends a published campaign. It keeps what was published last, because a
// later spec may be one that was never allowed. Its generation is above every earlier one, so that
// each reader takes it in.
func Closing(published *campaignv1.Desired, generation int64) *campaignv1.Desired {
	end := proto.CloneOf(published)
	end.Closed = true
	end.Generation = max(generation, published.GetGeneration()+1)
	return end
}

// Orphans returns the end of each open campaign of this operator whose object is gone. A record of
// another cluster or namespace belongs to another operator and is never touched.
func Orphans(records []*campaignv1.Desired, cluster, namespace string, lives func(uid string) bool) []*campaignv1.Desired {
	var ends []*campaignv1.Desired
	for _, r := range records {
		mine := r.GetCluster() == cluster && r.GetNamespace() == namespace
		if mine && !r.GetClosed() && !lives(r.GetUid()) {
			ends = append(ends, Closing(r, 0))
		}
	}
	return ends
}
