package operator_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
	"github.com/qingcang/qingcang/operators/campaign/internal/campaign"
	"github.com/qingcang/qingcang/operators/campaign/internal/children"
	"github.com/qingcang/qingcang/operators/campaign/internal/operator"
	"github.com/qingcang/qingcang/operators/campaign/internal/proof"
	"github.com/qingcang/qingcang/operators/campaign/internal/teststack"
)

// weather is what an operator's ways to the API server and the broker are like.
type weather struct {
	// api fails that many requests of 100, half of them after the API server has done what they ask.
	api atomic.Int32
	// cut breaks every connection to the broker, lost every request to the API server.
	cut, lost atomic.Bool
}

var errWeather = errors.New("the connection broke")

// wrap is the way to the API server.
func (w *weather) wrap(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		bad := rand.Int32N(100) < w.api.Load() && !strings.Contains(r.URL.RawQuery, "watch")
		if w.lost.Load() || bad && rand.IntN(2) == 0 {
			if r.Body != nil {
				_ = r.Body.Close()
			}
			return nil, errWeather
		}
		response, err := next.RoundTrip(r)
		if bad && err == nil {
			_, _ = io.Copy(io.Discard, response.Body)
			_ = response.Body.Close()
			return nil, errWeather
		}
		return response, err
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// dial is the way to the broker. A connection that is there breaks when it is used next.
func (w *weather) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if w.cut.Load() {
		return nil, errWeather
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
	return &breakable{Conn: conn, weather: w}, err
}

type breakable struct {
	net.Conn
	weather *weather
}

func (c *breakable) Write(p []byte) (int, error) {
	if c.weather.cut.Load() {
		return 0, errWeather
	}
	return c.Conn.Write(p)
}

// team is one or two operators of one namespace, of which one works, and all around them.
type team struct {
	*proof.Trial
	*teststack.Stack
	cluster string
	offset  int64
}

func newTeam(t *proof.Trial) *team {
	team := &team{Trial: t, Stack: teststack.New(t).WithBroker(t), cluster: cluster}
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	labels := map[string]string{"app": "order"}
	must(team.Client.Create(t.Context(), &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "order", Namespace: team.Namespace},
		Spec: appsv1.DeploymentSpec{
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "order", Image: "qingcang/order:v1"}}},
			},
		},
	}))
	return team
}

// start starts an operator in a weather of its own.
func (t *team) start(w *weather) (stop func()) {
	cfg := operator.Config{
		ClusterName: t.cluster, Namespace: t.Namespace, MinReturnWindow: campaign.LegalReturnWindow,
		MetricsAddr: "0", ProbeAddr: "0", ResyncEvery: 200 * time.Millisecond,
		LeaderElect: true, Lease: 2 * time.Second, OrderDeployment: "order",
		Kafka: t.Kafka, Kubernetes: rest.CopyConfig(t.REST),
	}
	cfg.Kafka.Dial = w.dial
	cfg.Kubernetes.Wrap(w.wrap)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for ctx.Err() == nil { // a supervisor starts what ended
			_ = operator.Run(ctx, cfg, slog.New(slog.DiscardHandler))
		}
	}()
	stop = sync.OnceFunc(func() {
		cancel()
		<-ended
	})
	t.Cleanup(stop)
	return stop
}

// say plays the order service, with the answer of the brand's stock pool or before there is one.
func (t *team) say(c *v1alpha1.Campaign, phase campaignv1.Status_Phase, answered bool) {
	s := allocated(c, phase, t.offset)
	s.Generation = max(c.Status.Revision, 1)
	s.Allocation.Generation = s.Generation
	if !answered {
		s.Allocation, s.Units, s.LeftUnits = nil, 0, 0
	}
	if phase >= campaignv1.Status_PHASE_OPEN {
		s.OpenedAt = timestamppb.Now()
	}
	if phase >= campaignv1.Status_PHASE_DRAINING {
		s.ClosedAt = timestamppb.Now()
	}
	if err := t.Conn.Put(t.Context(), "campaign-status.v1", s.GetUid(), s); err != nil {
		t.Fatal(err)
	}
}

// make makes a campaign, with a lane of its own or on a shared one.
func (t *team) make(dedicated bool) *v1alpha1.Campaign {
	c := &v1alpha1.Campaign{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "coats-", Namespace: t.Namespace},
		Spec: v1alpha1.CampaignSpec{
			BrandID: "brand_01k9z3w5n8e7s9v0q2c4x6b8da", Title: "Autumn coats", CommissionBps: 1_000,
			Items:   []v1alpha1.Item{{SKU: "C1", PriceFen: 6_000, SettlementFen: 4_000, Units: 10}},
			StartAt: v1alpha1.MomentOf(time.Now().Add(time.Hour)), EndAt: v1alpha1.MomentOf(time.Now().Add(2 * time.Hour)),
		},
	}
	if dedicated {
		c.Spec.Lane.Dedicated = &v1alpha1.DedicatedLane{Replicas: v1alpha1.LaneReplicas{Before: 1, During: 2}, MaxReplicas: 4}
	}
	if err := t.Client.Create(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	return c
}

// newest is the campaign's record as whoever reads the topic from its start sees it.
func (t *team) newest(c *v1alpha1.Campaign) *campaignv1.Desired {
	var newest *campaignv1.Desired
	ctx, cancel := context.WithCancel(t.Context())
	err := t.Conn.Table(ctx, "campaigns.v1", func(key string, value []byte) error {
		d := &campaignv1.Desired{}
		err := proto.Unmarshal(value, d)
		if key == string(c.UID) {
			newest = d
		}
		return err
	}, cancel)
	if err != nil && !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	return newest
}

// converges is how long the operator gets once all is well again: what failed often before is tried again after
// 30 s at the latest, and then there is work to do.
const converges = time.Minute

// soon waits until a condition holds.
func (t *team) soon(what string, condition func() error) {
	deadline := time.Now().Add(converges)
	for {
		err := condition()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: %v", what, err)
		}
		<-time.After(50 * time.Millisecond)
	}
}

// TestProofTheOperatorConvergesOnAnAPIServer is row 18 on a real API server and a real broker: two operators
// with one lease, of which the leader is killed, requests that fail before and after they took effect, a
// broker that is cut off, and somebody who edits the object all the time.
func TestProofTheOperatorConvergesOnAnAPIServer(t *testing.T) {
	proof.Random(t, "18", proof.Trials{CI: 20, Full: 200}, 2, func(trial *proof.Trial) {
		t := newTeam(trial)
		first, second := &weather{}, &weather{}
		stop := t.start(first)
		t.start(second)
		c := t.make(trial.Number%2 == 0)
		for range 12 {
			t.disturb(c, first, second, stop)
		}
		for _, w := range []*weather{first, second} {
			w.api.Store(0)
			w.cut.Store(false)
			w.lost.Store(false)
		}
		t.soon("it does not converge", func() error { return t.converged(c) })
	})
}

// disturb does one thing that an operator has to live with.
func (t *team) disturb(c *v1alpha1.Campaign, first, second *weather, stop func()) {
	one := []*weather{first, second}[t.IntN(2)]
	switch t.IntN(6) {
	case 0:
		one.api.Store(int32(t.IntN(60)))
	case 1:
		one.cut.Store(t.Chance(2))
	case 2: // killed: it cannot give its lease back
		first.lost.Store(true)
		stop()
	case 3, 4:
		units := t.Int64N(100)
		for range 5 { // a storm: each write makes every copy old
			patch := fmt.Sprintf(`{"metadata":{"annotations":{"storm":"%d"}},"spec":{"items":[{"sku":"C1","priceFen":6000,"settlementFen":4000,"units":%d}]}}`, t.Int(), units)
			if err := t.Client.Patch(t.Context(), c, client.RawPatch("application/merge-patch+json", []byte(patch))); err != nil {
				t.Fatal(err)
			}
		}
	case 5:
		<-time.After(time.Duration(t.IntN(300)) * time.Millisecond)
	}
}

// converged tells what is missing of: the record says what the spec says, the status answers it, and each
// child stands once.
func (t *team) converged(c *v1alpha1.Campaign) error {
	if err := t.Client.Get(t.Context(), client.ObjectKeyFromObject(c), c); err != nil {
		return err
	}
	d := t.newest(c)
	switch {
	case c.Status.ObservedGeneration != c.Generation:
		return fmt.Errorf("the status answers generation %d of %d", c.Status.ObservedGeneration, c.Generation)
	case len(d.GetItems()) != 1 || d.GetItems()[0].GetUnits() != c.Spec.Items[0].Units:
		return fmt.Errorf("published are %v, want %v", d.GetItems(), c.Spec.Items)
	case d.GetGeneration() != c.Status.Revision:
		return fmt.Errorf("generation %d is published and %d shown", d.GetGeneration(), c.Status.Revision)
	case !meta.IsStatusConditionTrue(c.Status.Conditions, v1alpha1.ConditionPublished):
		return fmt.Errorf("conditions are %v", c.Status.Conditions)
	}
	want := 0
	if c.Spec.Lane.Dedicated != nil {
		want = 1
	}
	for _, list := range []client.ObjectList{&appsv1.DeploymentList{}, &corev1.ServiceList{}} {
		if err := t.Client.List(t.Context(), list, client.InNamespace(t.Namespace), client.MatchingLabels{children.UIDLabel: string(c.UID)}); err != nil {
			return err
		}
		if n := meta.LenList(list); n != want {
			return fmt.Errorf("%d of %T, want %d", n, list, want)
		}
	}
	return nil
}

// The dependencies that can be down when a campaign is deleted.
var dependencies = []string{"none", "broker", "api server", "order service", "operator", "order Deployment", "brand-intake"}

// lanePhases are the phases in which a campaign is deleted.
var lanePhases = []campaignv1.Status_Phase{
	campaignv1.Status_PHASE_UNSPECIFIED, campaignv1.Status_PHASE_WAITING, campaignv1.Status_PHASE_OPEN,
	campaignv1.Status_PHASE_DRAINING, campaignv1.Status_PHASE_DRAINED, campaignv1.Status_PHASE_SETTLED,
}

// TestProofNoDeletionIsStuck is row 19: a campaign is deleted in each phase with each dependency down. The
// object goes, with nobody's help if what is down is not what the end is written to, and never before its
// end is in the topic: from there the lane pays out what is held and settles what was paid.
func TestProofNoDeletionIsStuck(t *testing.T) {
	proof.Random(t, "19", proof.Trials{CI: 50, Full: 50}, 2, func(trial *proof.Trial) {
		t := newTeam(trial)
		phase := lanePhases[int(trial.Number)%len(lanePhases)]
		down := dependencies[int(trial.Number)/len(lanePhases)%len(dependencies)]
		w := &weather{}
		stop := t.start(w)
		c := t.make(t.Chance(2))
		t.soon("it is not published", func() error { return t.converged(c) })
		if phase != campaignv1.Status_PHASE_UNSPECIFIED && down != "order service" {
			// No sale opens without stock: one that has was given its stock before brand-intake went.
			t.say(c, phase, down != "brand-intake" || phase >= campaignv1.Status_PHASE_OPEN)
		}

		up := t.take(down, c, w, stop)
		if err := t.Client.Delete(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		if slices.Contains([]string{"broker", "api server", "operator"}, down) {
			<-time.After(time.Duration(t.IntN(500)) * time.Millisecond)
			if err := t.Client.Get(t.Context(), client.ObjectKeyFromObject(c), c); err != nil {
				t.Fatalf("in %s without the %s: the object went before its end was published: %v", phase, down, err)
			}
			up()
		}
		t.soon(fmt.Sprintf("in %s without the %s", phase, down), func() error {
			err := t.Client.Get(t.Context(), client.ObjectKeyFromObject(c), c)
			if apierrors.IsNotFound(err) {
				return nil
			}
			return errors.Join(errors.New("the deletion is stuck"), err)
		})
		if d := t.newest(c); !d.GetClosed() || len(d.GetItems()) == 0 {
			t.Fatalf("in %s without the %s: the object is gone and its sale runs on: %v", phase, down, d)
		}
	})
}

// take takes a dependency down and returns what brings it back.
func (t *team) take(name string, c *v1alpha1.Campaign, w *weather, stop func()) (up func()) {
	switch name {
	case "broker":
		w.cut.Store(true)
		return func() { w.cut.Store(false) }
	case "api server":
		w.lost.Store(true)
		return func() { w.lost.Store(false) }
	case "operator":
		stop()
		return func() { t.start(&weather{}) }
	case "order Deployment":
		order := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "order", Namespace: t.Namespace}}
		if err := t.Client.Delete(t.Context(), order); err != nil {
			t.Fatal(err)
		}
	case "brand-intake": // more is asked of it, and nobody answers
		more := client.RawPatch(types.MergePatchType, []byte(`{"spec":{"items":[{"sku":"C1","priceFen":6000,"settlementFen":4000,"units":20}]}}`))
		if err := t.Client.Patch(t.Context(), c, more); err != nil {
			t.Fatal(err)
		}
		t.soon("it is not asked for", func() error { return t.converged(c) })
	}
	return func() {}
}
