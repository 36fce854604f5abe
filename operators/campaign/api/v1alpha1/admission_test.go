package v1alpha1_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
	"github.com/qingcang/qingcang/operators/campaign/internal/teststack"
)

const good = `
apiVersion: sale.qingcang.io/v1alpha1
kind: Campaign
metadata: {name: coats}
spec:
  brandId: brand_01k9z3w5n8e7s9v0q2c4x6b8da
  title: Autumn coats
  commissionBps: 1000
  previewAt: "2026-11-24T02:00:00Z"
  startAt: "2026-11-24T12:00:00+08:00"
  endAt: "2026-11-24T14:00:00+08:00"
  items:
  - {sku: C1, priceFen: 6000, settlementFen: 4000, units: 10}
`

// change is an edit of a manifest's spec.
type change func(spec map[string]any)

func set(value any, path ...string) change {
	return func(spec map[string]any) {
		if err := unstructured.SetNestedField(spec, value, path...); err != nil {
			panic(err)
		}
	}
}

func drop(path ...string) change {
	return func(spec map[string]any) { unstructured.RemoveNestedField(spec, path...) }
}

func items(list ...map[string]any) change {
	return func(spec map[string]any) {
		all := make([]any, len(list))
		for i, item := range list {
			all[i] = item
		}
		spec["items"] = all
	}
}

func item(sku string, priceFen, settlementFen, units int64) map[string]any {
	return map[string]any{"sku": sku, "priceFen": priceFen, "settlementFen": settlementFen, "units": units}
}

func passOver(offsets ...int64) change {
	list := make([]any, len(offsets))
	for i, offset := range offsets {
		list[i] = offset
	}
	return set(list, "lane", "skipOffsets")
}

func manyItems(n int) change {
	list := make([]map[string]any, n)
	for i := range list {
		list[i] = item(fmt.Sprintf("6901234%06d", i), 6_000, 4_000, 10)
	}
	return items(list...)
}

func manifest(t *testing.T, namespace string, changes ...change) *unstructured.Unstructured {
	t.Helper()
	object := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(good), object); err != nil {
		t.Fatal(err)
	}
	object.SetNamespace(namespace)
	spec := object.Object["spec"].(map[string]any)
	for _, c := range changes {
		c(spec)
	}
	return object
}

func TestTheAPIServerRefuses(t *testing.T) {
	const ratio = "priceFen must cover settlementFen plus the commission of priceFen × commissionBps / 10000: raise priceFen, or lower settlementFen or commissionBps"
	const hold = "hold must be 10s to 2h in whole hours, minutes and seconds, for example 15m or 1m30s"
	const duration = "returnWindow.duration must be 1s to 8760h in whole hours, minutes and seconds, for example 168h"
	const brandID = "brandId must be the id that brand-intake gave the brand: brand_ and 26 more characters"
	stack := teststack.New(t)
	for name, tc := range map[string]struct {
		change change
		want   string
	}{
		"an end before the start":                      {set("2026-11-24T03:00:00Z", "endAt"), "endAt must be later than startAt: move endAt back or startAt forward"},
		"an end at the start in another zone":          {set("2026-11-24T04:00:00Z", "endAt"), "endAt must be later than startAt"},
		"a preview after the start":                    {set("2026-11-24T04:00:01Z", "previewAt"), "previewAt must not be later than startAt: move previewAt forward or leave it out"},
		"a price under the settlement price":           {items(item("C1", 3_999, 4_000, 1)), "item C1: " + ratio},
		"a price that does not cover the commission":   {items(item("C1", 6_000, 4_000, 1), item("C2", 4_444, 4_000, 1)), "item C2: " + ratio},
		"a commission that only rounding would cover":  {items(item("C1", 99, 90, 1)), "item C1: " + ratio},
		"a commission that leaves nothing for a brand": {set(int64(10_000), "commissionBps"), "item C1: " + ratio},
		"a commission over the whole":                  {set(int64(10_001), "commissionBps"), "spec.commissionBps in body should be less than or equal to 10000"},
		"a negative commission":                        {set(int64(-1), "commissionBps"), "spec.commissionBps in body should be greater than or equal to 0"},
		"a price of nothing":                           {items(item("C1", 0, 0, 1)), "spec.items[0].priceFen in body should be greater than or equal to 1"},
		"a price over a million yuan":                  {items(item("C1", 100_000_001, 1, 1)), "spec.items[0].priceFen in body should be less than or equal to 100000000"},
		"a negative settlement price":                  {items(item("C1", 10, -1, 1)), "spec.items[0].settlementFen in body should be greater than or equal to 0"},
		"negative units":                               {items(item("C1", 10, 1, -1)), "spec.items[0].units in body should be greater than or equal to 0"},
		"a price in yuan with a point":                 {set(59.9, "commissionBps"), "spec.commissionBps in body must be of type int32"},
		"a SKU twice":                                  {items(item("C1", 10, 1, 1), item("C1", 10, 1, 2)), `spec.items[1]: Duplicate value: {"sku":"C1"}`},
		"a SKU with a space":                           {items(item("C 1", 10, 1, 1)), "spec.items[0].sku in body should match"},
		"a SKU of 65 characters":                       {items(item(strings.Repeat("9", 65), 10, 1, 1)), "spec.items[0].sku: Too long: may not be more than 64"},
		"no goods":                                     {items(), "spec.items in body should have at least 1 items"},
		"1,001 goods":                                  {manyItems(1_001), "spec.items: Too many: 1001: must have at most 1000 items"},
		"a missing brand":                              {drop("brandId"), "spec.brandId: Required value"},
		"a brand's name for its id":                    {set("Peacebird", "brandId"), brandID},
		"an id that does not name a brand":             {set("own_01k9z3w5n8e7s9v0q2c4x6b8da", "brandId"), brandID},
		"a missing start":                              {drop("startAt"), "spec.startAt: Required value"},
		"a day that is not in the calendar":            {set("2026-11-31T00:00:00Z", "startAt"), "spec.startAt in body must be of type date-time"},
		"a start without a zone":                       {set("2026-11-24T12:00:00", "startAt"), "spec.startAt in body must be of type date-time"},
		"a start with a part of a second":              {set("2026-11-24T12:00:00.5Z", "startAt"), "spec.startAt in body should match"},
		"a missing title":                              {drop("title"), "spec.title: Required value"},
		"an empty title":                               {set("", "title"), "spec.title in body should be at least 1 chars long"},
		"a title of 121 characters":                    {set(strings.Repeat("清", 121), "title"), "spec.title: Too long: may not be more than 120"},
		"a hold of a second":                           {set("1s", "hold"), hold},
		"a hold of a day":                              {set("24h", "hold"), hold},
		"a hold that is no duration":                   {set("a while", "hold"), hold},
		"a hold with a part of a second":               {set("10.5s", "hold"), hold},
		"an empty hold":                                {set("", "hold"), hold},
		"a return window in days":                      {set("7d", "returnWindow", "duration"), duration},
		"a return window of nothing":                   {set("0s", "returnWindow", "duration"), duration},
		"a return window over a year":                  {set("8761h", "returnWindow", "duration"), duration},
		"a return window from the moon":                {set("Moon", "returnWindow", "from"), `spec.returnWindow.from: Unsupported value: "Moon": supported values: "NextMidnight", "Signing"`},
		"a negative buyer limit":                       {set(int64(-1), "buyerLimitUnits"), "spec.buyerLimitUnits in body should be greater than or equal to 0"},
		"a negative hold limit":                        {set(int64(-1), "holdLimitUnits"), "spec.holdLimitUnits in body should be greater than or equal to 0"},
		"a hold limit over a million":                  {set(int64(1_000_001), "holdLimitUnits"), "spec.holdLimitUnits in body should be less than or equal to 1000000"},
		"a negative offset to pass over":               {passOver(-1), "spec.lane.skipOffsets[0] in body should be greater than or equal to 0"},
		"an offset to pass over twice":                 {passOver(7, 7), "spec.lane.skipOffsets[1]: Duplicate value: 7"},
		"17 offsets to pass over":                      {passOver(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17), "spec.lane.skipOffsets: Too many: 17: must have at most 16 items"},
		"a lane of the author's choice":                {set(int64(3), "lane", "partition"), `unknown field "spec.lane.partition"`},
		"a field that does not exist":                  {set("10%", "comission"), `unknown field "spec.comission"`},
	} {
		t.Run(name, func(t *testing.T) {
			err := stack.Client.Create(t.Context(), manifest(t, stack.Namespace, tc.change), client.DryRunAll)
			if err == nil {
				t.Fatal("it was taken")
			}
			if !strings.Contains(err.Error(), tc.want) {
				t.Errorf("it was refused with\n  %v\nwant\n  %s", err, tc.want)
			}
		})
	}
}

func TestTheAPIServerTakes(t *testing.T) {
	stack := teststack.New(t)
	for name, c := range map[string]change{
		"a price that covers the commission to the fen": items(item("C1", 100, 90, 1)),
		"1,000 goods":               manyItems(1_000),
		"goods without units":       items(item("C1", 100, 90, 0)),
		"a hold of a minute and 30": set("1m30s", "hold"),
		"no preview":                drop("previewAt"),
		"no limit on holds":         set(int64(0), "holdLimitUnits"),
		"an entry to pass over":     passOver(0),
	} {
		t.Run(name, func(t *testing.T) {
			if err := stack.Client.Create(t.Context(), manifest(t, stack.Namespace, c), client.DryRunAll); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestTheAPIServerTakesTheSample(t *testing.T) {
	stack := teststack.New(t)
	text, err := os.ReadFile("../../config/samples/campaign.yaml")
	if err != nil {
		t.Fatal(err)
	}
	sample := &unstructured.Unstructured{}
	if err := yaml.Unmarshal(text, sample); err != nil {
		t.Fatal(err)
	}
	sample.SetNamespace(stack.Namespace)
	if err := stack.Client.Create(t.Context(), sample, client.DryRunAll); err != nil {
		t.Error(err)
	}
}

func TestDefaults(t *testing.T) {
	stack := teststack.New(t)
	object := manifest(t, stack.Namespace)
	if err := stack.Client.Create(t.Context(), object); err != nil {
		t.Fatal(err)
	}
	c := &v1alpha1.Campaign{}
	if err := stack.Client.Get(t.Context(), client.ObjectKeyFromObject(object), c); err != nil {
		t.Fatal(err)
	}
	want := v1alpha1.ReturnWindow{Duration: metav1.Duration{Duration: 168 * time.Hour}, From: v1alpha1.FromNextMidnight}
	if c.Spec.ReturnWindow != want || c.Spec.Hold.Duration != 15*time.Minute {
		t.Errorf("return window %+v and hold %s, want %+v and 15m", c.Spec.ReturnWindow, c.Spec.Hold.Duration, want)
	}
	if limit := c.Spec.HoldLimitUnits; limit == nil || *limit != 200 {
		t.Errorf("hold limit %v, want 200 units", limit)
	}
}

func TestWhatHappenedCannotBeChanged(t *testing.T) {
	stack := teststack.New(t)
	opened := func(s *v1alpha1.CampaignStatus) { at := metav1.Now(); s.OpenedAt = &at }
	closed := func(s *v1alpha1.CampaignStatus) { opened(s); s.ClosedAt = s.OpenedAt }
	for name, tc := range map[string]struct {
		happened func(*v1alpha1.CampaignStatus)
		change   func(*v1alpha1.Campaign)
		want     string // empty when it is taken
	}{
		"the brand": {nil, func(c *v1alpha1.Campaign) { c.Spec.BrandID = "brand_01k9z3w5n8e7s9v0q2c4x6b8db" },
			"brandId cannot change: delete this campaign and make another for the other brand"},
		"the start of a sale that has opened": {opened, func(c *v1alpha1.Campaign) { c.Spec.StartAt.Time = c.Spec.StartAt.Add(time.Minute) },
			"spec.startAt cannot change after the sale has opened: put the old startAt back, and set endAt or suspend to stop the sale"},
		"the end of a sale that has closed": {closed, func(c *v1alpha1.Campaign) { c.Spec.EndAt.Time = c.Spec.EndAt.Add(time.Minute) },
			"spec.endAt cannot change after the sale has closed: put the old endAt back, and make another campaign to sell more"},
		"but the start before the opening": {nil, func(c *v1alpha1.Campaign) { c.Spec.StartAt.Time = c.Spec.StartAt.Add(time.Minute) }, ""},
		"but the end before the close":     {opened, func(c *v1alpha1.Campaign) { c.Spec.EndAt.Time = c.Spec.EndAt.Add(-time.Minute) }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			object := manifest(t, stack.Namespace)
			object.SetName("")
			object.SetGenerateName("coats-")
			if err := stack.Client.Create(t.Context(), object); err != nil {
				t.Fatal(err)
			}
			c := &v1alpha1.Campaign{}
			if err := stack.Client.Get(t.Context(), client.ObjectKeyFromObject(object), c); err != nil {
				t.Fatal(err)
			}
			if tc.happened != nil {
				tc.happened(&c.Status)
				if err := stack.Client.Status().Update(t.Context(), c); err != nil {
					t.Fatal(err)
				}
			}
			tc.change(c)
			err := stack.Client.Update(t.Context(), c, client.DryRunAll)
			switch {
			case tc.want == "" && err != nil:
				t.Errorf("it was refused: %v", err)
			case tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)):
				t.Errorf("got %v, want it refused with %q", err, tc.want)
			}
		})
	}
}

func TestWhatALanePassesOverCannotBeTakenBack(t *testing.T) {
	const taken = "lane.skipOffsets can only grow: put back what was taken out, because replicas that run have passed over it already and those that start must do the same"
	stack := teststack.New(t)
	for name, tc := range map[string]struct {
		before, after []int64
		want          string // empty when it is taken
	}{
		"the only one":                 {[]int64{7}, nil, taken},
		"one of two":                   {[]int64{7, 9}, []int64{9}, taken},
		"one that others take over":    {[]int64{7}, []int64{8, 9}, taken},
		"but the first may be added":   {nil, []int64{7}, ""},
		"but another may be added":     {[]int64{7}, []int64{7, 9}, ""},
		"but their order says nothing": {[]int64{7, 9}, []int64{9, 7}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			object := manifest(t, stack.Namespace, passOver(tc.before...))
			object.SetName("")
			object.SetGenerateName("coats-")
			if err := stack.Client.Create(t.Context(), object); err != nil {
				t.Fatal(err)
			}
			change := passOver(tc.after...)
			if tc.after == nil {
				change = drop("lane")
			}
			change(object.Object["spec"].(map[string]any))
			err := stack.Client.Update(t.Context(), object, client.DryRunAll)
			switch {
			case tc.want == "" && err != nil:
				t.Errorf("it was refused: %v", err)
			case tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)):
				t.Errorf("got %v, want it refused with %q", err, tc.want)
			}
		})
	}
}

func TestTheLaneInTheStatusCannotBeChanged(t *testing.T) {
	stack := teststack.New(t)
	object := manifest(t, stack.Namespace)
	if err := stack.Client.Create(t.Context(), object); err != nil {
		t.Fatal(err)
	}
	c := &v1alpha1.Campaign{}
	if err := stack.Client.Get(t.Context(), client.ObjectKeyFromObject(object), c); err != nil {
		t.Fatal(err)
	}
	c.Status.Lane = &v1alpha1.Lane{Topic: "lanes.shared.v1", Partition: 1}
	if err := stack.Client.Status().Update(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	c.Status.Lane.Partition = 2
	err := stack.Client.Status().Update(t.Context(), c)
	if want := "lane cannot change: orders count in the lane in which the campaign began"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want it refused with %q", err, want)
	}
}
