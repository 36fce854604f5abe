package operator_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
	"github.com/qingcang/qingcang/operators/campaign/internal/campaign"
	"github.com/qingcang/qingcang/operators/campaign/internal/mirror"
	"github.com/qingcang/qingcang/operators/campaign/internal/operator"
	"github.com/qingcang/qingcang/operators/campaign/internal/teststack"
)

const cluster = "north"

// run starts an operator and returns what stops it and waits for its end.
func run(t *testing.T, s *teststack.Stack, changes ...func(*operator.Config)) (stop func()) {
	t.Helper()
	cfg := operator.Config{
		ClusterName: cluster, Namespace: s.Namespace, MinReturnWindow: campaign.LegalReturnWindow,
		MetricsAddr: "0", ProbeAddr: "0", ResyncEvery: 100 * time.Millisecond,
		Kafka: s.Kafka, Kubernetes: s.REST,
	}
	for _, c := range changes {
		c(&cfg)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- operator.Run(ctx, cfg, slog.New(slog.DiscardHandler)) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("the operator ended with %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

// apply makes a campaign that starts in an hour.
func apply(t *testing.T, s *teststack.Stack, edits ...func(*v1alpha1.Campaign)) *v1alpha1.Campaign {
	t.Helper()
	c := &v1alpha1.Campaign{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "coats-", Namespace: s.Namespace},
		Spec: v1alpha1.CampaignSpec{
			BrandID:       "brand_01k9z3w5n8e7s9v0q2c4x6b8da",
			Title:         "Autumn coats",
			Items:         []v1alpha1.Item{{SKU: "C1", PriceFen: 6_000, SettlementFen: 4_000, Units: 10}},
			CommissionBps: 1_000,
			StartAt:       v1alpha1.MomentOf(time.Now().Add(time.Hour)),
			EndAt:         v1alpha1.MomentOf(time.Now().Add(2 * time.Hour)),
		},
	}
	for _, e := range edits {
		e(c)
	}
	if err := s.Client.Create(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	return c
}

// topic reads campaigns.v1: how many records it has and the newest of each key.
func topic(t *testing.T, s *teststack.Stack) (records int64, newest map[string]*campaignv1.Desired) {
	t.Helper()
	newest = map[string]*campaignv1.Desired{}
	ctx, cancel := context.WithCancel(t.Context())
	err := s.Conn.Table(ctx, mirror.DesiredTopic, func(key string, value []byte) error {
		d := &campaignv1.Desired{}
		newest[key] = d
		return proto.Unmarshal(value, d)
	}, cancel)
	if err != nil && !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	records, err = s.Conn.EndOffset(t.Context(), mirror.DesiredTopic, 0)
	if err != nil {
		t.Fatal(err)
	}
	return records, newest
}

// laneSays plays the order service.
func laneSays(t *testing.T, s *teststack.Stack, status *campaignv1.Status) {
	t.Helper()
	if err := s.Conn.Put(t.Context(), mirror.StatusTopic, status.GetUid(), status); err != nil {
		t.Fatal(err)
	}
}

func allocated(c *v1alpha1.Campaign, phase campaignv1.Status_Phase, offset int64) *campaignv1.Status {
	return &campaignv1.Status{
		Uid: string(c.UID), Generation: c.Generation, Phase: phase, Units: 10, LeftUnits: 10, Offset: offset,
		Allocation: &campaignv1.Allocation{Generation: c.Generation, State: campaignv1.Allocation_STATE_ALLOCATED},
	}
}

// becomes waits until the campaign has the phase, and is ready or not for the reason.
func becomes(t *testing.T, s *teststack.Stack, c *v1alpha1.Campaign, phase v1alpha1.Phase, ready metav1.ConditionStatus, reason string) {
	t.Helper()
	teststack.Eventually(t, func() error {
		if err := s.Client.Get(t.Context(), client.ObjectKeyFromObject(c), c); err != nil {
			return err
		}
		got := meta.FindStatusCondition(c.Status.Conditions, v1alpha1.ConditionReady)
		if got == nil {
			return errors.New("it has no status yet")
		}
		if c.Status.Phase != phase || got.Status != ready || got.Reason != reason {
			return fmt.Errorf("it is %s, Ready=%s %s (%s), want %s, Ready=%s %s",
				c.Status.Phase, got.Status, got.Reason, got.Message, phase, ready, reason)
		}
		return nil
	})
}

// vanishes waits until the object is gone.
func vanishes(t *testing.T, s *teststack.Stack, c *v1alpha1.Campaign) {
	t.Helper()
	teststack.Eventually(t, func() error {
		err := s.Client.Get(t.Context(), client.ObjectKeyFromObject(c), c)
		if apierrors.IsNotFound(err) {
			return nil
		}
		return errors.Join(errors.New("the object is still there"), err)
	})
}

func TestASaleFromPreviewToSettled(t *testing.T) {
	s := teststack.New(t).WithBroker(t)
	run(t, s)
	c := apply(t, s)
	becomes(t, s, c, v1alpha1.PhasePreview, "False", v1alpha1.ReasonPending)
	_, newest := topic(t, s)
	if got := newest[string(c.UID)]; got.GetName() != c.Name || got.GetCluster() != cluster || got.GetGeneration() != c.Generation {
		t.Fatalf("published %v", got)
	}

	laneSays(t, s, allocated(c, campaignv1.Status_PHASE_WAITING, 1))
	becomes(t, s, c, v1alpha1.PhasePreview, "True", v1alpha1.ReasonAsWanted)

	open := allocated(c, campaignv1.Status_PHASE_OPEN, 2)
	open.OpenedAt, open.SoldUnits, open.HeldUnits, open.LeftUnits, open.PaidOrders = timestamppb.Now(), 3, 2, 5, 2
	laneSays(t, s, open)
	becomes(t, s, c, v1alpha1.PhaseLive, "True", v1alpha1.ReasonAsWanted)
	got := c.Status
	if got.Units != 10 || got.SoldUnits != 3 || got.HeldUnits != 2 || got.LeftUnits != 5 || got.PaidOrders != 2 || got.OpenedAt == nil {
		t.Errorf("status = %+v, want 10 units, 3 sold, 2 held, 5 left, 2 paid orders, and when it opened", got)
	}

	for offset, phase := range []campaignv1.Status_Phase{
		campaignv1.Status_PHASE_DRAINING, campaignv1.Status_PHASE_DRAINED, campaignv1.Status_PHASE_SETTLED,
	} {
		next := proto.CloneOf(open)
		next.Phase, next.Offset = phase, int64(offset)+3
		laneSays(t, s, next)
		becomes(t, s, c, []v1alpha1.Phase{v1alpha1.PhaseDraining, v1alpha1.PhaseAfterSale, v1alpha1.PhaseSettled}[offset],
			"True", v1alpha1.ReasonAsWanted)
	}
	wantEvents(t, s, c, "Preview", "Live", "Draining", "AfterSale", "Settled")
}

// wantEvents waits for one event a phase, each recorded once.
func wantEvents(t *testing.T, s *teststack.Stack, c *v1alpha1.Campaign, reasons ...string) {
	t.Helper()
	teststack.Eventually(t, func() error {
		var list eventsv1.EventList
		if err := s.Client.List(t.Context(), &list, client.InNamespace(s.Namespace)); err != nil {
			return err
		}
		seen := map[string]int{}
		for _, e := range list.Items {
			if e.Regarding.UID == c.UID {
				seen[e.Reason]++
			}
		}
		for _, r := range reasons {
			if seen[r] != 1 {
				return fmt.Errorf("events are %v, want one of each of %v", seen, reasons)
			}
		}
		return nil
	})
}

func TestARestartWritesNothing(t *testing.T) {
	s := teststack.New(t).WithBroker(t)
	stop := run(t, s)
	c := apply(t, s)
	becomes(t, s, c, v1alpha1.PhasePreview, "False", v1alpha1.ReasonPending)
	laneSays(t, s, allocated(c, campaignv1.Status_PHASE_WAITING, 1))
	becomes(t, s, c, v1alpha1.PhasePreview, "True", v1alpha1.ReasonAsWanted)
	stop()

	records, _ := topic(t, s)
	version := c.ResourceVersion
	run(t, s)
	// What the next campaign shows was planned after the first one's plan was repeated.
	next := apply(t, s)
	becomes(t, s, next, v1alpha1.PhasePreview, "False", v1alpha1.ReasonPending)
	if again, _ := topic(t, s); again != records+1 {
		t.Errorf("%d records were written, want the next campaign's alone", again-records)
	}
	if err := s.Client.Get(t.Context(), client.ObjectKeyFromObject(c), c); err != nil || c.ResourceVersion != version {
		t.Errorf("the object was written again: version %s, want %s (%v)", c.ResourceVersion, version, err)
	}
	if c.Status.Lane.Partition == next.Status.Lane.Partition {
		t.Errorf("both campaigns are in partition %d, while others are free", next.Status.Lane.Partition)
	}
}

func TestARefusalIsShownAndCorrected(t *testing.T) {
	s := teststack.New(t).WithBroker(t)
	run(t, s)
	c := apply(t, s)
	becomes(t, s, c, v1alpha1.PhasePreview, "False", v1alpha1.ReasonPending)
	refused := allocated(c, campaignv1.Status_PHASE_WAITING, 1)
	refused.Allocation = &campaignv1.Allocation{
		Generation: c.Generation, State: campaignv1.Allocation_STATE_REFUSED,
		Reason: "SettlementTooLow", Message: "raise settlementFen of C1 to at least 4500",
	}
	laneSays(t, s, refused)
	becomes(t, s, c, v1alpha1.PhasePreview, "False", "SettlementTooLow")

	c.Spec.Items[0].SettlementFen = 4_500
	if err := s.Client.Update(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	becomes(t, s, c, v1alpha1.PhasePreview, "False", v1alpha1.ReasonPending)
	laneSays(t, s, allocated(c, campaignv1.Status_PHASE_WAITING, 2))
	becomes(t, s, c, v1alpha1.PhasePreview, "True", v1alpha1.ReasonAsWanted)
}

func TestWarmingBeginsByTheClock(t *testing.T) {
	s := teststack.New(t).WithBroker(t)
	run(t, s)
	warm := time.Now().Add(5 * time.Second)
	c := apply(t, s, func(c *v1alpha1.Campaign) {
		c.Spec.StartAt = v1alpha1.MomentOf(warm.Add(campaign.WarmUp))
	})
	becomes(t, s, c, v1alpha1.PhasePreview, "False", v1alpha1.ReasonPending)
	laneSays(t, s, allocated(c, campaignv1.Status_PHASE_WAITING, 1))
	becomes(t, s, c, v1alpha1.PhaseWarming, "True", v1alpha1.ReasonAsWanted)
	if late := time.Since(warm.Truncate(time.Second)); late < 0 || late > 20*time.Second {
		t.Errorf("it was seen warming %s after its time, want at once (20 s for a busy machine)", late)
	}
}

func TestAShortReturnWindowIsNotPublished(t *testing.T) {
	s := teststack.New(t).WithBroker(t)
	short := func(c *v1alpha1.Campaign) {
		c.Spec.ReturnWindow = v1alpha1.ReturnWindow{Duration: metav1.Duration{Duration: 5 * time.Second}, From: v1alpha1.FromSigning}
	}
	stop := run(t, s)
	c := apply(t, s, short)
	becomes(t, s, c, v1alpha1.PhasePreview, "False", v1alpha1.ReasonWindowTooShort)
	if records, _ := topic(t, s); records != 0 {
		t.Errorf("%d records were published, want none", records)
	}
	stop()

	run(t, s, func(cfg *operator.Config) { cfg.MinReturnWindow = time.Second })
	becomes(t, s, c, v1alpha1.PhasePreview, "False", v1alpha1.ReasonPending)
}

func TestADeletedCampaignIsEndedFirst(t *testing.T) {
	s := teststack.New(t).WithBroker(t)
	run(t, s)
	c := apply(t, s)
	becomes(t, s, c, v1alpha1.PhasePreview, "False", v1alpha1.ReasonPending)
	if err := s.Client.Delete(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	vanishes(t, s, c)
	_, newest := topic(t, s)
	if got := newest[string(c.UID)]; !got.GetClosed() || got.GetGeneration() <= 1 || len(got.GetItems()) != 1 {
		t.Errorf("the topic holds %v, want what was published, closed, in a newer generation", got)
	}
}

func TestAResyncEndsItsOwnOrphansOnly(t *testing.T) {
	s := teststack.New(t).WithBroker(t)
	stop := run(t, s)
	alive := apply(t, s)
	becomes(t, s, alive, v1alpha1.PhasePreview, "False", v1alpha1.ReasonPending)
	stop()
	for uid, of := range map[string]struct{ cluster, namespace string }{
		"own": {cluster, s.Namespace}, "other-cluster": {"south", s.Namespace}, "other-namespace": {cluster, "elsewhere"},
	} {
		d := &campaignv1.Desired{Uid: uid, Cluster: of.cluster, Namespace: of.namespace, Name: "gone", Generation: 3}
		if err := s.Conn.Put(t.Context(), mirror.DesiredTopic, uid, d); err != nil {
			t.Fatal(err)
		}
	}
	run(t, s)
	teststack.Eventually(t, func() error {
		if _, newest := topic(t, s); !newest["own"].GetClosed() || newest["own"].GetGeneration() != 4 {
			return fmt.Errorf("the orphan is %v, want it closed in generation 4", newest["own"])
		}
		return nil
	})
	_, newest := topic(t, s)
	for _, uid := range []string{"other-cluster", "other-namespace", string(alive.UID)} {
		if newest[uid].GetClosed() {
			t.Errorf("%s was ended too", uid)
		}
	}
}
