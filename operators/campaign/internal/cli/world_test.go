package cli

import (
	"bytes"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
	"github.com/qingcang/qingcang/operators/campaign/internal/teststack"
)

// world is a namespace of a real API server in which the test itself plays the operator.
type world struct {
	*teststack.Stack
	t *testing.T
}

func newWorld(t *testing.T) *world {
	t.Helper()
	return &world{Stack: teststack.New(t), t: t}
}

// output is what a command printed, safe to read while it still prints.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// said is what a command came to.
type said struct {
	code     int
	out, err string
}

// run runs the plugin as kubectl does, with nobody at its input.
func (w *world) run(args ...string) said {
	w.t.Helper()
	return w.runWith("", args...)
}

func (w *world) runWith(stdin string, args ...string) said {
	w.t.Helper()
	var out, complaints output
	streams := genericiooptions.IOStreams{In: strings.NewReader(stdin), Out: &out, ErrOut: &complaints}
	code := Run(w.t.Context(), append([]string{"kubectl-qingcang", "-n", w.Namespace}, args...), streams)
	return said{code, out.String(), complaints.String()}
}

// campaign makes a campaign with a status.
func (w *world) campaign(name string, status v1alpha1.CampaignStatus, changes ...func(*v1alpha1.CampaignSpec)) *v1alpha1.Campaign {
	w.t.Helper()
	now := time.Now()
	c := &v1alpha1.Campaign{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.Namespace, Name: name},
		Spec: v1alpha1.CampaignSpec{
			BrandID: "brand_01k9z3w5n8e7s9v0q2c4x6b8da", Title: "Autumn coats", CommissionBps: 1_000, TimeZone: "Asia/Shanghai",
			StartAt: v1alpha1.MomentOf(now.Add(-time.Hour)), EndAt: v1alpha1.MomentOf(now.Add(time.Hour)),
			Hold:         metav1.Duration{Duration: 15 * time.Minute},
			ReturnWindow: v1alpha1.ReturnWindow{Duration: metav1.Duration{Duration: 168 * time.Hour}, From: v1alpha1.FromNextMidnight},
			Items:        []v1alpha1.Item{{SKU: "C1", PriceFen: 6_000, SettlementFen: 4_000, Units: 1_000}},
		},
	}
	for _, change := range changes {
		change(&c.Spec)
	}
	if err := w.Client.Create(w.t.Context(), c); err != nil {
		w.t.Fatal(err)
	}
	c.Status = status
	c.Status.ObservedGeneration = c.Generation
	w.write(c)
	return c
}

func (w *world) write(c *v1alpha1.Campaign) {
	w.t.Helper()
	if err := w.Client.Status().Update(w.t.Context(), c); err != nil {
		w.t.Fatal(err)
	}
}

// deleted is a live campaign that somebody deleted and that its finalizer holds.
func (w *world) deleted(name string, change func(*v1alpha1.CampaignSpec)) *v1alpha1.Campaign {
	w.t.Helper()
	c := w.campaign(name, live(), change)
	c.Finalizers = []string{v1alpha1.Finalizer}
	if err := w.Client.Update(w.t.Context(), c); err != nil {
		w.t.Fatal(err)
	}
	if err := w.Client.Delete(w.t.Context(), c); err != nil {
		w.t.Fatal(err)
	}
	return c
}

// release takes the finalizer away.
func (w *world) release(name string) {
	w.t.Helper()
	c := w.get(name)
	before := c.DeepCopy()
	c.Finalizers = nil
	if err := w.Client.Patch(w.t.Context(), c, client.MergeFrom(before)); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) get(name string) *v1alpha1.Campaign {
	w.t.Helper()
	c := &v1alpha1.Campaign{}
	if err := w.Client.Get(w.t.Context(), client.ObjectKey{Namespace: w.Namespace, Name: name}, c); err != nil {
		w.t.Fatal(err)
	}
	return c
}

// follow plays the operator once: it waits for a spec that it has not answered, and answers it.
func (w *world) follow(name string, answer func(*v1alpha1.Campaign)) {
	w.t.Helper()
	teststack.Eventually(w.t, func() error {
		c := w.get(name)
		if c.Status.ObservedGeneration == c.Generation {
			return errUsage // any error: not yet
		}
		c.Status.ObservedGeneration = c.Generation
		answer(c)
		return w.Client.Status().Update(w.t.Context(), c)
	})
}

// live is the status of a sale that runs.
func live() v1alpha1.CampaignStatus {
	opened := metav1.NewTime(time.Now().Add(-time.Hour))
	s := v1alpha1.CampaignStatus{
		Phase: v1alpha1.PhaseLive, OpenedAt: &opened, Lane: &v1alpha1.Lane{Topic: "lanes.shared.v1", Partition: 3},
		Units: 1_000, SoldUnits: 410, HeldUnits: 120, LeftUnits: 470, PaidOrders: 380,
	}
	ready(&s, v1alpha1.ReasonAsWanted)
	return s
}

func inPhase(p v1alpha1.Phase) v1alpha1.CampaignStatus {
	s := live()
	s.Phase = p
	if p != v1alpha1.PhaseLive {
		s.OpenedAt = nil
	}
	return s
}

func ready(s *v1alpha1.CampaignStatus, reason string) {
	for kind, why := range map[string]string{
		v1alpha1.ConditionReady: reason, v1alpha1.ConditionLaneRunning: v1alpha1.ReasonRunning, v1alpha1.ConditionPublished: v1alpha1.ReasonPublished,
	} {
		meta.SetStatusCondition(&s.Conditions, metav1.Condition{Type: kind, Status: metav1.ConditionTrue, Reason: why, Message: "as its spec says"})
	}
}
