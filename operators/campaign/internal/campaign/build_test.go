package campaign

import (
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
	"github.com/qingcang/qingcang/operators/campaign/internal/children"
	"github.com/qingcang/qingcang/operators/campaign/internal/stock"
)

// The test campaign starts at noon and ends at two.
var (
	morning = time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)
	noon    = morning.Add(4 * time.Hour)
	two     = morning.Add(6 * time.Hour)
)

// lawful are the settings of an operator that no flag has loosened.
var lawful = Settings{
	Cluster: "north", MinReturnWindow: LegalReturnWindow,
	Children: children.Settings{OrderDeployment: "order"},
}

type edit func(*v1alpha1.Campaign)

// aCampaign is as the API server stores it: defaults filled in, first generation.
func aCampaign(edits ...edit) *v1alpha1.Campaign {
	c := &v1alpha1.Campaign{
		ObjectMeta: metav1.ObjectMeta{
			Name: "coats", Namespace: "sales", UID: "uid-coats", Generation: 1,
			Finalizers: []string{v1alpha1.Finalizer},
		},
		Spec: v1alpha1.CampaignSpec{
			BrandID:        "brand_01k9z3w5n8e7s9v0q2c4x6b8da",
			Title:          "Autumn coats",
			Items:          []v1alpha1.Item{{SKU: "C1", PriceFen: 6_000, SettlementFen: 4_000, Units: 10}},
			CommissionBps:  1_000,
			StartAt:        v1alpha1.MomentOf(noon),
			EndAt:          v1alpha1.MomentOf(two),
			HoldLimitUnits: new(int64(200)),
			Hold:           metav1.Duration{Duration: 15 * time.Minute},
			ReturnWindow: v1alpha1.ReturnWindow{
				Duration: metav1.Duration{Duration: LegalReturnWindow}, From: v1alpha1.FromNextMidnight,
			},
		},
	}
	for _, e := range edits {
		e(c)
	}
	return c
}

func generation(n int64) edit { return func(c *v1alpha1.Campaign) { c.Generation = n } }

func unheld(c *v1alpha1.Campaign) { c.Finalizers = nil }

func deleted(c *v1alpha1.Campaign) {
	at := metav1.NewTime(noon)
	c.DeletionTimestamp = &at
	c.Generation++
}

func window(d time.Duration, from v1alpha1.WindowStart) edit {
	return func(c *v1alpha1.Campaign) {
		c.Spec.ReturnWindow = v1alpha1.ReturnWindow{Duration: metav1.Duration{Duration: d}, From: from}
	}
}

func suspended(c *v1alpha1.Campaign) { c.Spec.Suspend = true }

func resumed(c *v1alpha1.Campaign) { c.Spec.Suspend = false }

func until(t time.Time) edit {
	return func(c *v1alpha1.Campaign) { c.Spec.EndAt = v1alpha1.MomentOf(t) }
}

// trialIndex asks for so many tenths; the goods of the tests have not been tried.
func trialIndex(tenths int32) edit {
	return func(c *v1alpha1.Campaign) { c.Spec.Admission.MinTrialIndexTenths = tenths }
}

// passingOver is what operations add when a lane stands still.
func passingOver(offsets ...int64) edit {
	return func(c *v1alpha1.Campaign) { c.Spec.Lane.SkipOffsets = append(c.Spec.Lane.SkipOffsets, offsets...) }
}

// was sets what an earlier plan left in the status.
func was(phase v1alpha1.Phase, publishedAt time.Time, conditions ...metav1.Condition) edit {
	return func(c *v1alpha1.Campaign) {
		at := metav1.NewTime(publishedAt)
		c.Status.Phase, c.Status.PublishedAt, c.Status.Conditions = phase, &at, conditions
		c.Status.Lane, c.Status.Revision = &v1alpha1.Lane{Topic: SharedLanes, Partition: 2}, 1
	}
}

func allocatedSince(t time.Time) metav1.Condition {
	return metav1.Condition{
		Type: v1alpha1.ConditionAllocated, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonAllocated,
		LastTransitionTime: metav1.NewTime(t),
	}
}

// published is the record of a campaign in partition 2.
func published(c *v1alpha1.Campaign) *campaignv1.Desired {
	times, err := c.Spec.Schedule()
	if err != nil {
		panic(err)
	}
	d := desired(c, times, "north", &campaignv1.Lane{Topic: SharedLanes, Partition: 2, SkipOffsets: c.Spec.Lane.SkipOffsets})
	d.Generation = c.Generation
	return d
}

// revised is a record under another generation.
func revised(generation int64, d *campaignv1.Desired) *campaignv1.Desired {
	d = proto.CloneOf(d)
	d.Generation = generation
	return d
}

func inLane(partition int32, d *campaignv1.Desired) *campaignv1.Desired {
	d = proto.CloneOf(d)
	d.Lane.Partition = partition
	return d
}

// ending is the end of the test campaign by an object of that generation.
func ending(generation int64) *campaignv1.Desired {
	d := published(aCampaign())
	d.Closed, d.Generation, d.SpecGeneration = true, generation, generation
	return d
}

// laneSays is a lane's word after it took a generation in and its stock was allocated.
func laneSays(phase campaignv1.Status_Phase, generation int64, more ...func(*campaignv1.Status)) *campaignv1.Status {
	s := &campaignv1.Status{
		Uid: "uid-coats", Generation: generation, Phase: phase, Units: 10, LeftUnits: 10,
		Allocation: &campaignv1.Allocation{Generation: generation, State: campaignv1.Allocation_STATE_ALLOCATED},
	}
	for _, m := range more {
		m(s)
	}
	return s
}

func refusedWith(reason, message string) func(*campaignv1.Status) {
	return func(s *campaignv1.Status) {
		s.Units, s.LeftUnits = 0, 0
		s.Allocation.State = campaignv1.Allocation_STATE_REFUSED
		s.Allocation.Reason, s.Allocation.Message = reason, message
	}
}

func stopped(why string) func(*campaignv1.Status) {
	return func(s *campaignv1.Status) { s.Stopped = why }
}

func at(t time.Time) *timestamppb.Timestamp { return timestamppb.New(t) }

// ownLane gives the campaign pods of its own: 1 before, 3 during and none after the sale.
func ownLane(c *v1alpha1.Campaign) {
	c.Spec.Lane.Dedicated = &v1alpha1.DedicatedLane{Replicas: v1alpha1.LaneReplicas{Before: 1, During: 3}, MaxReplicas: 6}
}

// onTime lets a sale run to its end whoever deletes the object.
func onTime(c *v1alpha1.Campaign) { c.Spec.DeletionPolicy = v1alpha1.EndOnTime }

// described leaves the goods to a selector: coats at a third of the tag price.
func described(c *v1alpha1.Campaign) {
	c.Spec.Items = nil
	c.Spec.Selector = &v1alpha1.Selector{
		Styles: []string{"coat"}, Price: v1alpha1.PriceRule{TagBps: 3_333, RoundUpToFen: 100},
	}
}

// orderService is the Deployment that lanes are made from.
func orderService() *appsv1.Deployment {
	return &appsv1.Deployment{Spec: appsv1.DeploymentSpec{Template: corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app.kubernetes.io/name": "order"}},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "order", Image: "qingcang/order:v1"}}},
	}}}
}

func zone(name string) edit { return func(c *v1alpha1.Campaign) { c.Spec.TimeZone = name } }

// known sets the newest revision that the status remembers.
func known(revision int64) edit { return func(c *v1alpha1.Campaign) { c.Status.Revision = revision } }

// unfree is stock of which nothing is free and that nobody has tried.
var unfree = stock.View{Known: true, Standing: stock.Open, Goods: []stock.Goods{{SKU: "C1", Style: "coat", TrialIndexTenths: stock.Untried}}}

// free is stock of which a selector finds something.
var free = stock.View{Known: true, Standing: stock.Open, Goods: []stock.Goods{
	{SKU: "C1", Style: "coat", TagPriceFen: 20_000, SettlementFen: 4_000, FreeUnits: 10, TrialIndexTenths: stock.Untried},
}}

// topicIs is a dedicated lane whose KafkaTopic says of itself whether it is ready.
func topicIs(ready, message string) Pods {
	topic := &unstructured.Unstructured{Object: map[string]any{"status": map[string]any{
		"conditions": []any{map[string]any{"type": "Ready", "status": ready, "message": message}},
	}}}
	return Pods{Live: map[schema.GroupVersionKind]*unstructured.Unstructured{children.KafkaTopic: topic}}
}

// price sets what the goods cost, if they are listed already.
func price(fen int64) edit {
	return func(c *v1alpha1.Campaign) {
		if len(c.Spec.Items) > 0 {
			c.Spec.Items[0].PriceFen = fen
		}
	}
}

func commission(bps int32) edit { return func(c *v1alpha1.Campaign) { c.Spec.CommissionBps = bps } }

func starting(t time.Time) edit {
	return func(c *v1alpha1.Campaign) { c.Spec.StartAt = v1alpha1.MomentOf(t) }
}

// selling puts other goods in the place of those of the tests.
func selling(sku string) edit { return func(c *v1alpha1.Campaign) { c.Spec.Items[0].SKU = sku } }
