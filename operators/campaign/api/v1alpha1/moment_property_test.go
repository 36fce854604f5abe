package v1alpha1_test

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"pgregory.net/rapid"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
	"github.com/qingcang/qingcang/operators/campaign/internal/teststack"
)

// TestTheAPIServerAndTheOperatorReadTheSameTimes: what the API server takes, by rules in CEL, the operator
// reads as times in the same order, each at an hour that the zone's clock shows once. Times with offsets
// that are in order are taken whatever the zone.
func TestTheAPIServerAndTheOperatorReadTheSameTimes(t *testing.T) {
	stack := teststack.New(t)
	object := manifest(t, stack.Namespace, goodCampaign)
	rapid.Check(t, func(t *rapid.T) {
		zone := rapid.SampledFrom([]string{
			"Asia/Shanghai", "UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia",
		}).Draw(t, "zone")
		form := rapid.SampledFrom([]string{"2006-01-02T15:04:05", time.RFC3339}).Draw(t, "form")
		times := rapid.SliceOfN(instants, 3, 3).Draw(t, "times")
		spec := object.DeepCopy()
		as(
			set(zone, "timeZone"), set(times[0].Format(form), "previewAt"),
			set(times[1].Format(form), "startAt"), set(times[2].Format(form), "endAt"),
		)(spec.Object["spec"].(map[string]any))

		refusal := stack.Client.Create(t.Context(), spec, client.DryRunAll)
		ordered := !times[0].After(times[1]) && times[1].Before(times[2])
		if taken := refusal == nil; !taken {
			if ordered && form == time.RFC3339 {
				t.Fatalf("three times in order with their offsets were refused: %v", refusal)
			}
			return
		}
		var c v1alpha1.Campaign
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(spec.Object, &c); err != nil {
			t.Fatal(err)
		}
		got, err := c.Spec.Schedule()
		if err != nil {
			t.Fatalf("the API server takes what the operator cannot read: %v", err)
		}
		if got.Preview.After(got.Start) || !got.Start.Before(got.End) {
			t.Fatalf("taken out of order: %+v", got)
		}
		for i, at := range []time.Time{got.Preview, got.Start, got.End} {
			if form == time.RFC3339 && !at.Equal(times[i]) {
				t.Errorf("%s was read as %s", times[i], at)
			}
			if form != time.RFC3339 && at.Format(form) != times[i].Format(form) {
				t.Errorf("the clock of %s never shows %s", zone, times[i].Format(form))
			}
			if _, before := at.Zone(); form != time.RFC3339 {
				if _, after := at.Add(2 * time.Hour).Zone(); before != after {
					t.Errorf("%s is within two hours of a change of the clock of %s", at, zone)
				}
			}
		}
	})
}

// instants are seconds of two years, with offsets of their own; most are near a change of some clock.
var instants = rapid.Custom(func(t *rapid.T) time.Time {
	changes := []time.Time{
		time.Date(2026, time.March, 8, 2, 0, 0, 0, time.UTC), time.Date(2026, time.March, 29, 2, 0, 0, 0, time.UTC),
		time.Date(2026, time.April, 5, 2, 0, 0, 0, time.UTC), time.Date(2026, time.October, 4, 2, 0, 0, 0, time.UTC),
		time.Date(2026, time.October, 25, 2, 0, 0, 0, time.UTC), time.Date(2026, time.November, 1, 2, 0, 0, 0, time.UTC),
	}
	around := rapid.SampledFrom(changes).Draw(t, "around")
	seconds := rapid.Int64Range(-3*86_400, 3*86_400).Draw(t, "seconds")
	minutes := rapid.IntRange(-12*4, 14*4).Draw(t, "offset") * 15
	return around.Add(time.Duration(seconds) * time.Second).In(time.FixedZone("", minutes*60))
})
