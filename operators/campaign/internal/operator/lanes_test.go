package operator_test

import (
	"fmt"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
	"github.com/qingcang/qingcang/operators/campaign/internal/children"
	"github.com/qingcang/qingcang/operators/campaign/internal/operator"
	"github.com/qingcang/qingcang/operators/campaign/internal/teststack"
)

func withPods(cfg *operator.Config) { cfg.OrderDeployment = "order" }

func ownLane(c *v1alpha1.Campaign) {
	c.Spec.Lane.Dedicated = &v1alpha1.DedicatedLane{Replicas: v1alpha1.LaneReplicas{Before: 1, During: 3}, MaxReplicas: 6}
}

// orderService makes the Deployment that lanes are made from.
func orderService(t *testing.T, s *teststack.Stack) *appsv1.Deployment {
	t.Helper()
	labels := map[string]string{"app.kubernetes.io/name": "order"}
	d := &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "order", Namespace: s.Namespace},
		Spec: appsv1.DeploymentSpec{
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec: corev1.PodSpec{Containers: []corev1.Container{{
					Name: "order", Image: "qingcang/order:v1",
					Env:   []corev1.EnvVar{{Name: "LOG_LEVEL", Value: "info"}},
					Ports: []corev1.ContainerPort{{Name: "http", ContainerPort: 8080}},
				}}},
			},
		},
	}
	if err := s.Client.Create(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	return d
}

// lane waits for a campaign's Deployment that satisfies a condition.
func lane(t *testing.T, s *teststack.Stack, c *v1alpha1.Campaign, condition func(*appsv1.Deployment) error) *appsv1.Deployment {
	t.Helper()
	d := &appsv1.Deployment{}
	teststack.Eventually(t, func() error {
		if err := s.Client.Get(t.Context(), client.ObjectKey{Namespace: s.Namespace, Name: children.Name(c)}, d); err != nil {
			return err
		}
		return condition(d)
	})
	return d
}

func image(want string) func(*appsv1.Deployment) error {
	return func(d *appsv1.Deployment) error {
		if got := d.Spec.Template.Spec.Containers[0].Image; got != want {
			return fmt.Errorf("the image is %s, want %s", got, want)
		}
		return nil
	}
}

func TestADedicatedLaneHasItsChildren(t *testing.T) {
	s := teststack.New(t).WithBroker(t)
	order := orderService(t, s)
	stop := run(t, s, withPods)
	c := apply(t, s, ownLane)
	d := lane(t, s, c, image("qingcang/order:v1"))
	want := map[string]string{"LOG_LEVEL": "info", "LANE": string(c.UID)}
	for _, e := range d.Spec.Template.Spec.Containers[0].Env {
		if want[e.Name] != e.Value {
			t.Errorf("%s = %q, want %q", e.Name, e.Value, want[e.Name])
		}
		delete(want, e.Name)
	}
	if len(want) > 0 {
		t.Errorf("the pods lack %v", want)
	}
	key := client.ObjectKeyFromObject(d)
	all := []client.Object{d, &corev1.Service{}, &autoscalingv2.HorizontalPodAutoscaler{}, &policyv1.PodDisruptionBudget{}}
	versions := map[int]string{}
	for i, child := range all {
		teststack.Eventually(t, func() error { return s.Client.Get(t.Context(), key, child) })
		if !metav1.IsControlledBy(child, c) {
			t.Errorf("%T is not owned by the campaign", child)
		}
		versions[i] = child.GetResourceVersion()
	}
	becomes(t, s, c, v1alpha1.PhasePreview, "False", v1alpha1.ReasonPending)
	if _, newest := topic(t, s); newest[string(c.UID)].GetLane().GetTopic() != "lane."+string(c.UID) {
		t.Errorf("published in %v, want a lane of its own", newest[string(c.UID)].GetLane())
	}
	if _, err := s.Conn.EndOffset(t.Context(), "lane."+string(c.UID), 0); err != nil {
		t.Errorf("the lane's topic: %v", err)
	}
	laneSays(t, s, allocated(c, campaignv1.Status_PHASE_WAITING, 1))
	becomes(t, s, c, v1alpha1.PhasePreview, "False", v1alpha1.ReasonRollingOut)
	d.Status.Replicas, d.Status.ReadyReplicas = 1, 1
	if err := s.Client.Status().Update(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	becomes(t, s, c, v1alpha1.PhasePreview, "True", v1alpha1.ReasonAsWanted)

	stop()
	run(t, s, withPods) // to the end of all that follows
	t.Run("a restart writes none of them", func(t *testing.T) {
		next := apply(t, s) // what it shows was planned after the first one's plan was repeated
		becomes(t, s, next, v1alpha1.PhasePreview, "False", v1alpha1.ReasonPending)
		for i, child := range all[1:] {
			if err := s.Client.Get(t.Context(), key, child); err != nil || child.GetResourceVersion() != versions[i+1] {
				t.Errorf("%T was written again (%v)", child, err)
			}
		}
	})
	t.Run("a roll-out of the order service reaches it", func(t *testing.T) {
		order.Spec.Template.Spec.Containers[0].Image = "qingcang/order:v2"
		if err := s.Client.Update(t.Context(), order); err != nil {
			t.Fatal(err)
		}
		lane(t, s, c, image("qingcang/order:v2"))
	})
	t.Run("what somebody else makes of it is put right", func(t *testing.T) {
		d := lane(t, s, c, image("qingcang/order:v2"))
		d.Spec.Template.Spec.Containers[0].Image = "somebody/else:v1"
		if err := s.Client.Update(t.Context(), d); err != nil {
			t.Fatal(err)
		}
		lane(t, s, c, image("qingcang/order:v2"))
	})
}

func TestWithoutTheOrderDeploymentDedicatedLanesAreRefused(t *testing.T) {
	s := teststack.New(t).WithBroker(t)
	run(t, s)
	c := apply(t, s, ownLane)
	becomes(t, s, c, v1alpha1.PhasePreview, "False", v1alpha1.ReasonDedicatedUnavailable)
	if records, _ := topic(t, s); records != 0 {
		t.Errorf("%d records were published, want none", records)
	}
}

func TestGarbageIsParkedAndReported(t *testing.T) {
	s := teststack.New(t).WithBroker(t)
	run(t, s)
	c := apply(t, s)
	becomes(t, s, c, v1alpha1.PhasePreview, "False", v1alpha1.ReasonPending)
	far := allocated(c, campaignv1.Status_PHASE_SETTLED, 1<<40)
	laneSays(t, s, far)
	wantEvents(t, s, c, "RecordParked")
	laneSays(t, s, allocated(c, campaignv1.Status_PHASE_WAITING, 0))
	becomes(t, s, c, v1alpha1.PhasePreview, "True", v1alpha1.ReasonAsWanted)
}

func TestAProgramIsPublishedAndEnded(t *testing.T) {
	s := teststack.New(t).WithBroker(t)
	run(t, s)
	p := &v1alpha1.OwnerProgram{
		ObjectMeta: metav1.ObjectMeta{Name: "standard", Namespace: s.Namespace},
		Spec: v1alpha1.OwnerProgramSpec{
			Title: "Store owner", FeeFen: 39_800, Depth: 1,
			Ranks:        []v1alpha1.Rank{{Name: "owner", RateBps: 10_000}},
			ReturnWindow: metav1.Duration{Duration: 30 * 24 * time.Hour},
		},
	}
	if err := s.Client.Create(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	teststack.Eventually(t, func() error {
		if err := s.Client.Get(t.Context(), client.ObjectKeyFromObject(p), p); err != nil {
			return err
		}
		if !meta.IsStatusConditionTrue(p.Status.Conditions, v1alpha1.ConditionReady) {
			return fmt.Errorf("conditions are %v", p.Status.Conditions)
		}
		return nil
	})
	end := func() int64 {
		offset, err := s.Conn.EndOffset(t.Context(), "programs.v1", 0)
		if err != nil {
			t.Fatal(err)
		}
		return offset
	}
	if end() != 1 {
		t.Errorf("programs.v1 has %d records, want 1", end())
	}
	c := apply(t, s) // its return window is seven days, the programme asks for thirty
	becomes(t, s, c, v1alpha1.PhasePreview, "False", v1alpha1.ReasonWindowTooShort)
	if err := s.Client.Delete(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	becomes(t, s, c, v1alpha1.PhasePreview, "False", v1alpha1.ReasonPending)
	if end() != 2 {
		t.Errorf("programs.v1 has %d records, want its end, too", end())
	}
}
