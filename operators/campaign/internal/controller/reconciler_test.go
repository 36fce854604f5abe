package controller

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/qingcang/qingcang/proto/eventkit"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
	"github.com/qingcang/qingcang/operators/campaign/internal/campaign"
	"github.com/qingcang/qingcang/operators/campaign/internal/mirror"
	"github.com/qingcang/qingcang/operators/campaign/internal/stock"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// broker counts what it takes, and takes nothing while it is down.
type broker struct {
	down  bool
	taken int
}

func (b *broker) Follow(context.Context, string, func(eventkit.Record) error, func()) error {
	return nil
}

func (b *broker) EndOffset(context.Context, string, int) (int64, error) { return 0, nil }

func (b *broker) Ensure(context.Context, ...eventkit.Topic) error { return nil }

// Read and Parked are told of nothing: the broker has nothing to read.
func (b *broker) Read(string, int, int64) {}

func (b *broker) Parked(string, string) {}

func (b *broker) Put(context.Context, string, string, proto.Message) error {
	if b.down {
		return errors.New("no leader")
	}
	b.taken++
	return nil
}

// bench is a reconciler over one campaign that starts in an hour.
type bench struct {
	*Reconciler
	broker *broker
	key    client.ObjectKey
}

func newBench(t *testing.T) *bench {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	c := &v1alpha1.Campaign{
		ObjectMeta: metav1.ObjectMeta{Name: "coats", Namespace: "sales", UID: "uid-coats", Generation: 1},
		Spec: v1alpha1.CampaignSpec{
			Items:        []v1alpha1.Item{{SKU: "C1", PriceFen: 6_000, SettlementFen: 4_000, Units: 10}},
			StartAt:      v1alpha1.MomentOf(noon.Add(time.Hour)),
			EndAt:        v1alpha1.MomentOf(noon.Add(2 * time.Hour)),
			ReturnWindow: v1alpha1.ReturnWindow{Duration: metav1.Duration{Duration: campaign.LegalReturnWindow}, From: v1alpha1.FromNextMidnight},
		},
	}
	b := &bench{broker: &broker{}, key: client.ObjectKeyFromObject(c)}
	b.Reconciler = &Reconciler{
		client:     fake.NewClientBuilder().WithScheme(scheme).WithObjects(c).WithStatusSubresource(c).Build(),
		mirror:     mirror.New(b.broker, "north", b.broker, slog.New(slog.DiscardHandler)),
		stock:      stock.New(b.broker, b.broker, slog.New(slog.DiscardHandler)),
		topics:     b.broker,
		recorder:   events.NewFakeRecorder(10), // more events than a test makes
		settings:   campaign.Settings{Cluster: "north", MinReturnWindow: campaign.LegalReturnWindow},
		partitions: 4,
		now:        func() time.Time { return noon },
	}
	return b
}

func (b *bench) reconcile(t *testing.T) (reconcile.Result, error) {
	t.Helper()
	return b.Reconcile(t.Context(), reconcile.Request{NamespacedName: b.key})
}

func (b *bench) get(t *testing.T) *v1alpha1.Campaign {
	t.Helper()
	c := &v1alpha1.Campaign{}
	if err := b.client.Get(t.Context(), b.key, c); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestASecondLookWritesNothing(t *testing.T) {
	b := newBench(t)
	result, err := b.reconcile(t)
	if err != nil || result.RequeueAfter != campaign.Grace {
		t.Fatalf("got %+v, %v, want the next look when the lane's answer is due", result, err)
	}
	before := b.get(t)
	if _, err := b.reconcile(t); err != nil {
		t.Fatal(err)
	}
	if after := b.get(t); b.broker.taken != 1 || after.ResourceVersion != before.ResourceVersion {
		t.Errorf("%d records and version %s, want 1 and %s", b.broker.taken, after.ResourceVersion, before.ResourceVersion)
	}
}

func TestABrokerThatIsDownIsShownAndTriedAgain(t *testing.T) {
	b := newBench(t)
	b.broker.down = true
	if _, err := b.reconcile(t); err == nil {
		t.Fatal("no error, so it would not be tried again")
	}
	if ready := meta.FindStatusCondition(b.get(t).Status.Conditions, v1alpha1.ConditionReady); ready.Reason != v1alpha1.ReasonPublishFailed {
		t.Errorf("Ready for %s, want PublishFailed", ready.Reason)
	}
	b.broker.down = false
	if _, err := b.reconcile(t); err != nil {
		t.Fatal(err)
	}
	if ready := meta.FindStatusCondition(b.get(t).Status.Conditions, v1alpha1.ConditionReady); ready.Reason != v1alpha1.ReasonPending {
		t.Errorf("Ready for %s, want Pending", ready.Reason)
	}
}

func TestADeletionWaitsForTheBroker(t *testing.T) {
	b := newBench(t)
	if _, err := b.reconcile(t); err != nil {
		t.Fatal(err)
	}
	b.broker.down = true
	if err := b.client.Delete(t.Context(), b.get(t)); err != nil {
		t.Fatal(err)
	}
	if _, err := b.reconcile(t); err == nil {
		t.Fatal("no error, so it would not be tried again")
	}
	b.get(t)
	b.broker.down = false
	if _, err := b.reconcile(t); err != nil {
		t.Fatal(err)
	}
	if err := b.client.Get(t.Context(), b.key, &v1alpha1.Campaign{}); !apierrors.IsNotFound(err) {
		t.Errorf("got %v, want the object gone", err)
	}
	if published, _ := b.mirror.Campaigns.Of("uid-coats"); !published.GetClosed() {
		t.Errorf("published %v, want its end", published)
	}
}
