package v1alpha1_test

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
	"github.com/qingcang/qingcang/operators/campaign/internal/teststack"
)

// status is what has happened to a campaign.
type status map[string]any

var (
	warming = status{"phase": "Warming"}
	opened  = status{"phase": "Live"}
	closed  = status{"phase": "Draining"}
	settled = status{"phase": "Settled"}
	hasLane = status{"lane": map[string]any{"topic": "lanes.shared.v1", "partition": int64(1)}}
	ownLane = status{"lane": map[string]any{"topic": "lane.0f3c", "partition": int64(0)}}
)

// changed is a campaign to which something has happened, a change of it, and what the API server says of
// it: nothing where it takes it.
type changed struct {
	is       change
	happened status
	change   change
	want     string
}

const (
	startSentence    = "spec.startAt: Invalid value: startAt and timeZone cannot change after the sale has opened: put the old ones back, and set endAt or suspend to stop the sale"
	lostSentence     = "spec.items: Invalid value: items cannot lose a SKU after the sale has opened: put it back, with units 0 to take it off the sale"
	dearerSentence   = "spec.items: Invalid value: a priceFen cannot rise after the sale has opened, because posters with the price are out: put the old price back or lower it"
	rateSentence     = "spec.commissionBps: Invalid value: commissionBps cannot fall after the sale has opened, because store owners forward goods for it: put the old rate back or raise it"
	shorterSentence  = "spec.returnWindow: Invalid value: returnWindow cannot become shorter, nor begin elsewhere, after the sale has opened, because buyers were told: put the old one back or make it longer"
	ownLaneSentence  = "spec.lane: Invalid value: lane.dedicated cannot be added or taken out after the lane was chosen: put it back as it was; its replicas may change"
	takenSentence    = "lane.skipOffsets can only grow: put back what was taken out, because replicas that run have passed over it already and those that start must do the same"
	resolvedSentence = "selector is not looked at while items stand: take items out to have it resolved, or put selector back as it was and edit items"
)

var changedCampaigns = map[string]changed{
	"the brand": {change: set("brand_01k9z3w5n8e7s9v0q2c4x6b8db", "brandId"),
		want: "brandId cannot change: delete this campaign and make another for the other brand"},

	"the start of a sale that has opened":    {happened: opened, change: set("2026-11-24T04:30:00Z", "startAt"), want: startSentence},
	"the zone of a sale that has opened":     {happened: opened, change: set("UTC", "timeZone"), want: startSentence},
	"the start of a sale that is over":       {happened: settled, change: set("2026-11-24T04:30:00Z", "startAt"), want: startSentence},
	"but the start before the opening":       {happened: warming, change: set("2026-11-24T04:30:00Z", "startAt")},
	"but the zone before the opening":        {change: set("UTC", "timeZone")},
	"the end of a sale that has closed":      {happened: closed, change: set("2026-11-24T07:00:00Z", "endAt"), want: "spec.endAt: Invalid value: endAt cannot change after the sale has closed: put the old endAt back, and make another campaign to sell more"},
	"the end of a sale that is over":         {happened: settled, change: set("2026-11-24T07:00:00Z", "endAt"), want: "endAt cannot change after the sale has closed"},
	"but the end before the close":           {happened: opened, change: set("2026-11-24T05:00:00Z", "endAt")},
	"a SKU less in a sale that has opened":   {is: items(item("C1", 100, 50, 1), item("C2", 100, 50, 1)), happened: opened, change: items(item("C2", 100, 50, 1)), want: lostSentence},
	"a SKU for another in a sale":            {happened: opened, change: items(item("C2", 100, 50, 1)), want: lostSentence},
	"no goods in a sale that has opened":     {is: as(selects(), items(item("C1", 100, 50, 1))), happened: opened, change: drop("items"), want: lostSentence},
	"but a SKU less before the opening":      {is: items(item("C1", 100, 50, 1), item("C2", 100, 50, 1)), change: items(item("C2", 100, 50, 1))},
	"but a SKU more in a sale":               {happened: opened, change: items(item("C0", 100, 50, 1), item("C1", 6_000, 4_000, 10))},
	"but no units of a SKU":                  {happened: opened, change: items(item("C1", 6_000, 4_000, 0))},
	"a higher price in a sale":               {happened: opened, change: items(item("C0", 100, 50, 1), item("C1", 6_001, 4_000, 10)), want: dearerSentence},
	"a higher price at the end of 1,000":     {is: manyItems(1_000), happened: opened, change: as(manyItems(1_000), dearer(999)), want: dearerSentence},
	"but a lower price in a sale":            {happened: opened, change: items(item("C1", 5_999, 4_000, 10))},
	"but a higher price before the opening":  {happened: warming, change: items(item("C1", 6_001, 4_000, 10))},
	"but 1,000 goods as they were":           {is: manyItems(1_000), happened: opened, change: set("Winter coats", "title")},
	"a lower commission in a sale":           {happened: opened, change: set(int64(999), "commissionBps"), want: rateSentence},
	"but a higher commission in a sale":      {happened: opened, change: set(int64(1_001), "commissionBps")},
	"but a lower commission before it":       {change: set(int64(999), "commissionBps")},
	"a shorter return window in a sale":      {is: set("240h", "returnWindow", "duration"), happened: opened, change: set("168h", "returnWindow", "duration"), want: shorterSentence},
	"a return window from elsewhere":         {happened: opened, change: set("Signing", "returnWindow", "from"), want: shorterSentence},
	"the seven days for no word of them":     {is: set("240h", "returnWindow", "duration"), happened: opened, change: drop("returnWindow"), want: shorterSentence},
	"but a longer return window in a sale":   {happened: opened, change: set("240h", "returnWindow", "duration")},
	"but a shorter one before the opening":   {is: set("240h", "returnWindow", "duration"), change: set("168h", "returnWindow", "duration")},
	"but limits, hold and title in a sale":   {happened: opened, change: as(set(int64(3), "buyerLimitUnits"), set(int64(2), "holdLimitUnits"), set("5m", "hold"), set("Coats", "title"))},
	"but suspend and deletion in a sale":     {happened: opened, change: as(set(true, "suspend"), set("EndOnTime", "deletionPolicy"))},
	"a lane of its own once one was chosen":  {happened: hasLane, change: dedicated(), want: ownLaneSentence},
	"no lane of its own once it was chosen":  {is: dedicated(), happened: ownLane, change: drop("lane", "dedicated"), want: ownLaneSentence},
	"no word of the lane once it was chosen": {is: dedicated(), happened: ownLane, change: drop("lane"), want: ownLaneSentence},
	"but one that came too late for a lane":  {is: dedicated(), happened: hasLane, change: drop("lane", "dedicated")},
	"but a lane of its own before that":      {change: dedicated()},
	"but the replicas of a lane":             {is: dedicated(), happened: ownLane, change: dedicated(set(int64(6), "replicas", "during"))},
	"a selector that was resolved":           {is: as(selects(), items(item("C1", 100, 50, 1))), change: set(list("PB-2"), "selector", "styles"), want: resolvedSentence},
	"a selector beside items by hand":        {change: func(spec map[string]any) { items := spec["items"]; selects()(spec); spec["items"] = items }, want: resolvedSentence},
	"no selector any more":                   {is: as(selects(), items(item("C1", 100, 50, 1))), change: drop("selector"), want: resolvedSentence},
	"but a selector and no items":            {is: as(selects(), items(item("C1", 100, 50, 1))), change: as(drop("items"), set(list("PB-2"), "selector", "styles"))},
	"but a selector for items by hand":       {change: selects()},
	"but items by hand for a selector":       {is: selects(), change: as(drop("selector"), items(item("C1", 100, 50, 1)))},
	"but the items of a selector":            {is: as(selects(), items(item("C1", 100, 50, 1))), change: items(item("C2", 100, 50, 1))},
	"but what a selector comes to":           {is: selects(), change: items(item("C2", 100, 50, 1))},
	"but a selector that found nothing":      {is: selects(), change: set(list("PB-2"), "selector", "styles")},
	"the only offset that is passed over":    {is: passOver(7), change: drop("lane"), want: takenSentence},
	"one of two offsets":                     {is: passOver(7, 9), change: passOver(9), want: takenSentence},
	"one that others take over":              {is: passOver(7), change: passOver(8, 9), want: takenSentence},
	"but the first offset may be added":      {change: passOver(7)},
	"but another offset may be added":        {is: passOver(7), change: passOver(7, 9)},
	"but their order says nothing":           {is: passOver(7, 9), change: passOver(9, 7)},
}

// dearer raises the price of one item by a fen.
func dearer(n int) change {
	return func(spec map[string]any) {
		one := spec["items"].([]any)[n].(map[string]any)
		one["priceFen"] = one["priceFen"].(int64) + 1
	}
}

func TestWhatHappenedCannotBeChanged(t *testing.T) {
	stack := teststack.New(t)
	for name, tc := range changedCampaigns {
		t.Run(name, func(t *testing.T) {
			object := create(t, stack, tc.is, tc.happened)
			tc.change(object.Object["spec"].(map[string]any))
			wantAnswer(t, stack.Client.Update(t.Context(), object, client.DryRunAll), tc.want)
		})
	}
}

// create makes a campaign to which something has happened.
func create(t *testing.T, stack *teststack.Stack, is change, happened status) *unstructured.Unstructured {
	t.Helper()
	if is == nil {
		is = as()
	}
	object := manifest(t, stack.Namespace, goodCampaign, is)
	if err := stack.Client.Create(t.Context(), object); err != nil {
		t.Fatal(err)
	}
	if happened != nil {
		object.Object["status"] = map[string]any(happened)
		if err := stack.Client.Status().Update(t.Context(), object); err != nil {
			t.Fatal(err)
		}
	}
	return object
}

const laneSentence = "lane cannot change, because orders count in the lane in which the campaign began: put the old one back"

func TestTheLaneInTheStatusCannotBeChanged(t *testing.T) {
	stack := teststack.New(t)
	object := create(t, stack, nil, hasLane)
	set(int64(2), "status", "lane", "partition")(object.Object)
	wantAnswer(t, stack.Client.Status().Update(t.Context(), object), laneSentence)
}

func TestDefaults(t *testing.T) {
	stack := teststack.New(t)
	c := &v1alpha1.Campaign{}
	if err := stack.Client.Get(t.Context(), client.ObjectKeyFromObject(create(t, stack, dedicated(drop("replicas", "before")), nil)), c); err != nil {
		t.Fatal(err)
	}
	window := v1alpha1.ReturnWindow{Duration: metav1.Duration{Duration: 168 * time.Hour}, From: v1alpha1.FromNextMidnight}
	if c.Spec.ReturnWindow != window || c.Spec.Hold.Duration != 15*time.Minute {
		t.Errorf("return window %+v and hold %s, want %+v and 15m", c.Spec.ReturnWindow, c.Spec.Hold.Duration, window)
	}
	if limit := c.Spec.HoldLimitUnits; limit == nil || *limit != 200 {
		t.Errorf("hold limit %v, want 200 units", limit)
	}
	if c.Spec.TimeZone != "Asia/Shanghai" || c.Spec.DeletionPolicy != v1alpha1.EndNow {
		t.Errorf("zone %q and deletion %q, want Asia/Shanghai and EndNow", c.Spec.TimeZone, c.Spec.DeletionPolicy)
	}
	replicas := v1alpha1.LaneReplicas{Before: 1, During: 3}
	if c.Spec.Lane.Dedicated.Replicas != replicas {
		t.Errorf("replicas %+v, want %+v", c.Spec.Lane.Dedicated.Replicas, replicas)
	}
}
