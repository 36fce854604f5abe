package view

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestTheTreeOfEachPhase(t *testing.T) {
	shared := Around{Pods: []corev1.Pod{podNamed("order-6c9f-b", "node-1", true, 0, ""), podNamed("order-6c9f-a", "node-2", true, 0, "")}}
	sells := Pace{PaidPerSecond: new(12.4), TakenPerSecond: new(15.26)}
	for name, tc := range map[string]struct {
		facts Facts
		now   time.Time
	}{
		"one that no operator has seen": {Facts{Campaign: coats(func(c *v1alpha1.Campaign) { c.Status = v1alpha1.CampaignStatus{} })}, start.Add(-48 * time.Hour)},
		"preview, and its stock is refused": {Facts{Around: shared, Campaign: coats(
			says(v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonNotEnoughStock, "SKU 6902000000011: 40 wanted, 12 free"),
			says(v1alpha1.ConditionAllocated, metav1.ConditionFalse, v1alpha1.ReasonNotEnoughStock, "SKU 6902000000011: 40 wanted, 12 free"),
			says(v1alpha1.ConditionLaneRunning, metav1.ConditionTrue, v1alpha1.ReasonRunning, "the lane follows"),
			says(v1alpha1.ConditionPublished, metav1.ConditionTrue, v1alpha1.ReasonPublished, "the services have been told"),
		)}, start.Add(-27 * time.Hour)},
		"warming": {Facts{Campaign: coats(phase(v1alpha1.PhaseWarming), stock(0, 0, 1_000), asWanted, reported(start.Add(-5*time.Second))),
			Around: Around{PodsNote: "you may not list them", ChildrenNote: "you may not list them"}}, start.Add(-1500 * time.Millisecond)},
		"warming, and late": {Facts{Campaign: coats(phase(v1alpha1.PhaseWarming), stock(0, 0, 1_000), asWanted), Around: shared}, start.Add(42 * time.Second)},
		"live in a dedicated lane": {Facts{Campaign: coats(phase(v1alpha1.PhaseLive), dedicated, stock(410, 120, 470), orders(380, 0),
			says(v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonPodsMissing, "2 of 3 pods answer"),
			says(v1alpha1.ConditionScaled, metav1.ConditionFalse, v1alpha1.ReasonPodsMissing, "2 of 3 pods answer"),
			reported(start.Add(29*time.Minute))), Around: lanePool(), Pace: sells}, start.Add(30 * time.Minute)},
		"live, paused and deleted": {Facts{Around: shared, Campaign: coats(phase(v1alpha1.PhaseLive), stock(1, 0, 999_999), orders(1, 0), func(c *v1alpha1.Campaign) {
			c.Spec.Suspend, c.Generation = true, 2
			c.DeletionTimestamp = when(start)
		}, asWanted)}, start.Add(time.Minute)},
		"live, and the API server is away": {Facts{Campaign: coats(phase(v1alpha1.PhaseLive), stock(999, 0, 1), orders(500, 0), asWanted), Around: shared,
			Fault: "cannot be read: connection refused", LookedAt: start.Add(time.Minute)}, start.Add(2 * time.Minute)},
		"draining": {Facts{Campaign: coats(phase(v1alpha1.PhaseDraining), stock(900, 100, 0), orders(450, 3), asWanted,
			func(c *v1alpha1.Campaign) { c.Status.ClosedAt = when(end) }), Around: shared}, end.Add(time.Minute)},
		"after the sale": {Facts{Campaign: coats(phase(v1alpha1.PhaseAfterSale), stock(900, 0, 100), orders(450, 30), asWanted), Around: shared}, end.Add(time.Hour)},
		"settled":        {Facts{Campaign: coats(phase(v1alpha1.PhaseSettled), stock(1_000, 0, 0), orders(450, 450), asWanted), Around: shared}, end.Add(240 * time.Hour)},
	} {
		t.Run(name, func(t *testing.T) {
			v := Of(tc.facts, tc.now)
			var tree strings.Builder
			if err := v.Tree(&tree, Black); err != nil {
				t.Fatal(err)
			}
			golden(t, tree.String()+"\n"+v.Line()+"\n")
		})
	}
}

func TestColourSaysWhatIsWrong(t *testing.T) {
	v := Of(Facts{Campaign: coats(phase(v1alpha1.PhaseLive), asWanted), Around: lanePool()}, start)
	var tree strings.Builder
	if err := v.Tree(&tree, Colour); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"\x1b[31mCrashLoopBackOff, not ready", "\x1b[32mRunning, ready", "\x1b[32mtrue, AsWanted"} {
		if !strings.Contains(tree.String(), want) {
			t.Errorf("no %q in\n%s", want, tree.String())
		}
	}
}

func TestTheTable(t *testing.T) {
	at := func(name string, changes ...func(*v1alpha1.Campaign)) View {
		c := coats(append(changes, asWanted)...)
		c.Name = name
		return Of(Facts{Campaign: c}, start.Add(-time.Hour))
	}
	views := []View{
		at("settled", phase(v1alpha1.PhaseSettled), stock(5, 0, 0), orders(5, 5)),
		at("later", func(c *v1alpha1.Campaign) {
			c.Spec.StartAt, c.Spec.EndAt = "2026-11-26T20:00:00", "2026-11-26T21:00:00"
		}),
		at("next", phase(v1alpha1.PhaseWarming)),
		at("runs", phase(v1alpha1.PhaseLive), dedicated, stock(10, 2, 3), orders(4, 0)),
		at("paused", phase(v1alpha1.PhaseLive), func(c *v1alpha1.Campaign) { c.Spec.Suspend = true; c.Status.Lane = nil }),
	}
	Sort(views)
	for _, namespaces := range []bool{false, true} {
		t.Run(map[bool]string{false: "of one namespace", true: "of all namespaces"}[namespaces], func(t *testing.T) {
			var table strings.Builder
			if err := Table(&table, views, namespaces); err != nil {
				t.Fatal(err)
			}
			golden(t, table.String())
		})
	}
}

func golden(t *testing.T, got string) {
	t.Helper()
	path := filepath.Join("testdata", t.Name()+".golden")
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("-want +got (go test -update writes what is got)\n%s", diff)
	}
}
