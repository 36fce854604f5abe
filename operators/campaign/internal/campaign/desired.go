package campaign

import (
	"slices"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"
	"k8s.io/utils/ptr"

	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
)

// desired is the campaign as the services read it, but for its generation.
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
		SpecGeneration:  c.Generation,
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
		Lane:             lane,
		Suspended:        c.Spec.Suspend,
		TrialIndexTenths: c.Spec.Admission.MinTrialIndexTenths,
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

// record is what the desired states of campaigns and programmes have in common.
type record interface {
	GetUid() string
	GetCluster() string
	GetNamespace() string
	GetClosed() bool
}

// Orphans returns the open records of this operator whose object is gone. A record of another cluster
// or namespace belongs to another operator and is never touched.
func Orphans[R record](records []R, cluster, namespace string, lives func(uid string) bool) []R {
	return slices.DeleteFunc(records, func(r R) bool {
		mine := r.GetCluster() == cluster && r.GetNamespace() == namespace
		return !mine || r.GetClosed() || lives(r.GetUid())
	})
}
