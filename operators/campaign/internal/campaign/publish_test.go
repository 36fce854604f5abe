package campaign

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
	"github.com/qingcang/qingcang/operators/campaign/internal/children"
)

func TestWhatIsPublished(t *testing.T) {
	one := aCampaign()
	closed := published(one)
	closed.Closed, closed.Generation, closed.Items = true, 2, nil
	for name, tc := range map[string]struct {
		snapshot Snapshot
		want     *campaignv1.Desired
	}{
		"a new campaign is published in the least used lane": {
			Snapshot{Campaign: one, Shared: []LaneUse{{0, 3}, {1, 2}, {2, 1}, {3, 1}}},
			published(one),
		},
		"what the topic holds already is not published again": {
			Snapshot{Campaign: one, Published: published(one)},
			nil,
		},
		"a newer generation replaces the older one in its lane": {
			Snapshot{Campaign: aCampaign(generation(2), units(9)), Published: published(one), Shared: []LaneUse{{0, 0}}},
			published(aCampaign(generation(2), units(9))),
		},
		"an object that lags behind the topic publishes nothing": {
			Snapshot{Campaign: one, Published: published(aCampaign(generation(2), units(9)))},
			nil,
		},
		"a return window under seven days is not published": {
			Snapshot{Campaign: aCampaign(window(time.Hour, v1alpha1.FromNextMidnight))},
			nil,
		},
		"a return window from signing is not published": {
			Snapshot{Campaign: aCampaign(window(LegalReturnWindow, v1alpha1.FromSigning))},
			nil,
		},
		"nothing is published right after the broker refused": {
			Snapshot{Campaign: one, PublishFault: "no leader"},
			nil,
		},
		"a campaign whose end was published stays ended": {
			Snapshot{Campaign: aCampaign(generation(9)), Published: closed},
			nil,
		},
		"also when records were written over its end": {
			Snapshot{Campaign: aCampaign(generation(9)), Published: published(one), Newest: published(aCampaign(generation(3))), Ended: true},
			nil,
		},
		"also when the broker has not confirmed its end": {
			Snapshot{Campaign: aCampaign(generation(9)), Published: published(one), Attempted: closed},
			nil,
		},
		"a record that hides another of its number is replaced": {
			Snapshot{Campaign: aCampaign(generation(2)), Published: published(aCampaign(generation(2))), Newest: revised(2, published(one))},
			revised(3, published(aCampaign(generation(2)))),
		},
		"what was tried keeps its generation": {
			Snapshot{Campaign: aCampaign(generation(2), units(9)), Published: published(one), Attempted: revised(5, published(aCampaign(generation(2), units(9))))},
			revised(5, published(aCampaign(generation(2), units(9)))),
		},
		"unless another operator has given that to another record": {
			Snapshot{
				Campaign: aCampaign(generation(2), units(9)), Published: published(one), Newest: published(aCampaign(generation(2))),
				Attempted: published(aCampaign(generation(2), units(9))),
			},
			revised(3, published(aCampaign(generation(2), units(9)))),
		},
		"or has tried a newer one since": {
			Snapshot{
				Campaign: aCampaign(generation(2), units(9), known(3)), Published: published(one),
				Attempted: published(aCampaign(generation(2), units(9))),
			},
			revised(4, published(aCampaign(generation(2), units(9)))),
		},
		"an older record that came back is replaced as the newer one had it": {
			Snapshot{Campaign: aCampaign(generation(2)), Published: inLane(1, published(one)), Newest: published(aCampaign(generation(2), passingOver(7)))},
			revised(3, published(aCampaign(generation(2), passingOver(7)))),
		},
		"an object that lags behind what an older record replaced publishes nothing": {
			Snapshot{Campaign: aCampaign(units(9)), Published: published(one), Newest: published(aCampaign(generation(2)))},
			nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			tc.snapshot.Settings = lawful
			got := Plan(tc.snapshot, morning).Publish
			if diff := cmp.Diff(tc.want, got, protocmp.Transform()); diff != "" {
				t.Errorf("published (-want +got):\n%s", diff)
			}
		})
	}
}

// What stops a sale counts also in a spec that is refused; nothing else of it does.
func TestWhatIsPublishedOfARefusedSpec(t *testing.T) {
	one := noon.Add(time.Hour)
	short, soon := window(time.Hour, v1alpha1.FromNextMidnight), noon.Add(30*time.Minute)
	record := func(generation, specGeneration int64, edits ...edit) *campaignv1.Desired {
		d := published(aCampaign(edits...))
		d.Generation, d.SpecGeneration = generation, specGeneration
		return d
	}
	for name, tc := range map[string]struct {
		campaign             *v1alpha1.Campaign
		published, attempted *campaignv1.Desired
		want                 *campaignv1.Desired
	}{
		"a suspension stops what was published":              {aCampaign(generation(2), short, units(9), suspended), record(1, 1), nil, record(2, 2, suspended)},
		"an earlier end does":                                {aCampaign(generation(2), short, units(9), until(one)), record(1, 1), nil, record(2, 2, until(one))},
		"a style that was tried badly keeps no sale open":    {aCampaign(generation(2), trialIndex(50), suspended), record(1, 1), nil, record(2, 2, suspended)},
		"a zone that cannot be read does not either":         {aCampaign(generation(2), zone("Moon/Tranquility"), suspended), record(1, 1), nil, record(2, 2, suspended)},
		"a later end waits for the rest":                     {aCampaign(generation(2), short, until(two.Add(time.Hour))), record(1, 1), nil, nil},
		"a resumption waits for the rest":                    {aCampaign(generation(3), short), record(2, 2, suspended), nil, nil},
		"an earlier end resumes nothing":                     {aCampaign(generation(3), short, until(one)), record(2, 2, suspended), nil, record(3, 3, suspended, until(one))},
		"a suspension moves no end back":                     {aCampaign(generation(3), short, suspended), record(2, 2, until(one)), nil, record(3, 3, suspended, until(one))},
		"what is stopped already is not published again":     {aCampaign(generation(2), short, suspended, until(one)), record(2, 2, suspended, until(one)), nil, nil},
		"what the broker may hold is stopped":                {aCampaign(generation(3), short, suspended), record(1, 1), record(2, 2, units(8)), record(3, 3, units(8), suspended)},
		"what it was tried with before keeps its number":     {aCampaign(generation(2), short, suspended), record(1, 1), record(2, 2, suspended), record(2, 2, suspended)},
		"an older record that came back is stopped":          {aCampaign(generation(3), short, suspended, known(5)), record(2, 2, suspended), nil, record(6, 3, suspended)},
		"an end that may be published stays the earliest":    {aCampaign(generation(3), short, until(one)), record(1, 1), record(2, 2, until(soon)), record(3, 3, until(soon))},
		"an end that the broker may hold is not the later":   {aCampaign(generation(3), short, until(one)), record(1, 1, until(soon)), record(2, 2), record(3, 3, until(one))},
		"an old copy of the object stops nothing":            {aCampaign(generation(2), short, suspended), record(3, 3), nil, nil},
		"what was never published need not be stopped":       {aCampaign(short, suspended), nil, nil, nil},
		"what was ended stays ended, whatever the spec says": {aCampaign(generation(3), suspended), Closing(record(1, 1), 0), nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			s := Snapshot{Settings: lawful, Campaign: tc.campaign, Published: tc.published, Attempted: tc.attempted, Stock: unfree}
			got := Plan(s, noon).Publish
			if diff := cmp.Diff(tc.want, got, protocmp.Transform()); diff != "" {
				t.Errorf("published (-want +got):\n%s", diff)
			}
		})
	}
}

func TestARefusedSpecResumesNothingThatAnOlderRecordHides(t *testing.T) {
	one := noon.Add(time.Hour)
	s := Snapshot{
		Settings:  lawful,
		Campaign:  aCampaign(generation(3), window(time.Hour, v1alpha1.FromNextMidnight), until(one)),
		Published: published(aCampaign()), Newest: published(aCampaign(generation(2), suspended)),
	}
	want := published(aCampaign(generation(3), suspended, until(one)))
	if diff := cmp.Diff(want, Plan(s, noon).Publish, protocmp.Transform()); diff != "" {
		t.Errorf("published (-want +got):\n%s", diff)
	}
}

func TestARefusedSpecAsksForNoStock(t *testing.T) {
	short := window(time.Hour, v1alpha1.FromNextMidnight)
	s := Snapshot{
		Settings: lawful, Campaign: aCampaign(generation(2), short, suspended, was(v1alpha1.PhasePreview, morning), known(2)),
		Published: published(aCampaign(generation(2), suspended)),
		Lane:      laneSays(campaignv1.Status_PHASE_WAITING, 2, refusedWith("NotEnoughStock", "")), Stock: free,
	}
	s.Stock.Gained, s.Stock.Refused = true, 2
	if got := Plan(s, noon).Publish; got != nil {
		t.Errorf("published %v, want nothing", got)
	}
	s.Campaign = aCampaign(generation(2), suspended, was(v1alpha1.PhasePreview, morning), known(2))
	if got := Plan(s, noon); !got.Again {
		t.Errorf("a spec that is allowed plans %+v, want it asked again", got)
	}
}

// Over the Kafka protocol the operator makes a lane's topic itself, right before it is first needed.
func TestATopicIsMadeForALaneOfItsOwn(t *testing.T) {
	strimzi := lawful
	strimzi.Children.StrimziCluster = "kafka"
	own := published(aCampaign())
	own.Lane = &campaignv1.Lane{Topic: OwnLane("uid-coats")}
	for name, tc := range map[string]struct {
		snapshot Snapshot
		want     string
	}{
		"a lane of its own":             {Snapshot{Settings: lawful, Campaign: aCampaign(ownLane)}, "lane.uid-coats"},
		"one that was published before": {Snapshot{Settings: lawful, Campaign: aCampaign(ownLane, generation(2), units(9)), Published: own}, ""},
		"one that Strimzi has made":     {Snapshot{Settings: strimzi, Campaign: aCampaign(ownLane), Pods: topicIs("True", "")}, ""},
		"the shared lanes":              {Snapshot{Settings: lawful, Campaign: aCampaign()}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := Plan(tc.snapshot, morning)
			if got.Topic != tc.want || got.Publish == nil {
				t.Errorf("topic %q, published %v, want %q", got.Topic, got.Publish, tc.want)
			}
		})
	}
}

// What admission takes while it does not know that a sale has opened is held against what was published.
func TestWhatWasChangedUnseenAfterTheOpening(t *testing.T) {
	const day, second = 24 * time.Hour, int64(2)
	long, longer := window(10*day, v1alpha1.FromNextMidnight), window(11*day, v1alpha1.FromNextMidnight)
	open, waiting, closed := campaignv1.Status_PHASE_OPEN, campaignv1.Status_PHASE_WAITING, campaignv1.Status_PHASE_DRAINING
	for name, tc := range map[string]struct {
		phase  campaignv1.Status_Phase
		edits  []edit
		reason string
		says   string
		// want is what is published, by the edits that it differs in from what was; nil for nothing.
		want []edit
	}{
		"a price that rose is to be lowered":                  {open, []edit{long, price(7_000)}, "AlreadyOpen", "lower priceFen of C1 to 6000", nil},
		"a SKU that was taken out is to be put back":          {open, []edit{long, selling("C2")}, "AlreadyOpen", "with units 0 to take it off the sale: C1", nil},
		"a commission that fell is to be raised":              {open, []edit{long, commission(900)}, "AlreadyOpen", "raise commissionBps to 1000", nil},
		"a shorter window is to be made longer":               {open, []edit{window(8*day, v1alpha1.FromNextMidnight)}, "AlreadyOpen", "make returnWindow.duration 240h0m0s", nil},
		"goods to be resolved anew are to be put back":        {open, []edit{long, described}, "AlreadyOpen", "take it off the sale: C1", nil},
		"such a sale is stopped all the same":                 {open, []edit{long, price(7_000), suspended}, "AlreadyOpen", "; the sale is suspended meanwhile", []edit{suspended}},
		"before the opening anything goes":                    {waiting, []edit{long, price(7_000)}, "Published", "", []edit{price(7_000)}},
		"a lower price goes":                                  {open, []edit{long, price(5_500)}, "Published", "", []edit{price(5_500)}},
		"a higher commission and longer window go":            {open, []edit{longer, commission(1_100)}, "Published", "", []edit{longer, commission(1_100)}},
		"another start stays as it was":                       {open, []edit{long, starting(noon.Add(time.Hour)), units(9)}, "Published", "", []edit{units(9)}},
		"windows begin where they began":                      {open, []edit{window(10*day, v1alpha1.FromSigning)}, "Published", "", nil},
		"an end that was moved back after the close stays":    {closed, []edit{long, until(two.Add(time.Hour))}, "Published", "", nil},
		"while it sells the end may move back":                {open, []edit{long, until(two.Add(time.Hour))}, "Published", "", []edit{until(two.Add(time.Hour))}},
		"a record that replaced a newer one promises nothing": {open, []edit{long, price(7_000), known(2)}, "Published", "", []edit{price(7_000), generation(3)}},
	} {
		t.Run(name, func(t *testing.T) {
			changed := aCampaign(append([]edit{generation(second)}, tc.edits...)...)
			got := Plan(Snapshot{Settings: lawful, Campaign: changed, Published: published(aCampaign(long)), Lane: laneSays(tc.phase, 1), Stock: free}, noon.Add(time.Hour))
			var want *campaignv1.Desired
			if tc.want != nil {
				want = published(aCampaign(append([]edit{generation(second), long}, tc.want...)...))
				want.SpecGeneration = second
			}
			if diff := cmp.Diff(want, got.Publish, protocmp.Transform()); diff != "" {
				t.Errorf("published (-want +got):\n%s", diff)
			}
			condition := meta.FindStatusCondition(got.Status.Conditions, v1alpha1.ConditionPublished)
			if condition.Reason != tc.reason || !strings.Contains(condition.Message, tc.says) {
				t.Errorf("Published = %s: %s\nwant %s: %s", condition.Reason, condition.Message, tc.reason, tc.says)
			}
			if got.Items != nil {
				t.Errorf("spec.items is written anew: %v", got.Items)
			}
		})
	}
}

func TestPublishedSaysWhatTheServicesKnow(t *testing.T) {
	strimzi := lawful
	strimzi.Children.StrimziCluster = "kafka"
	short := window(time.Hour, v1alpha1.FromNextMidnight)
	topic := children.Name(aCampaign())
	const pending, none = v1alpha1.ReasonPending, metav1.ConditionUnknown
	for name, tc := range map[string]struct {
		snapshot Snapshot
		status   metav1.ConditionStatus
		reason   string
		says     string
	}{
		"what is published":                            {Snapshot{Campaign: aCampaign()}, "True", "Published", "the services have been told"},
		"a topic that Strimzi has not begun to make":   {Snapshot{Campaign: aCampaign(ownLane)}, none, pending, "KafkaTopic " + topic + " is not ready"},
		"a topic that Strimzi cannot make says why":    {Snapshot{Campaign: aCampaign(ownLane), Pods: topicIs("False", "no quota")}, none, pending, topic + " is not ready: no quota"},
		"a topic that Strimzi has made":                {Snapshot{Campaign: aCampaign(ownLane), Pods: topicIs("True", "")}, "True", "Published", "the services have been told"},
		"an old copy of the object":                    {Snapshot{Campaign: aCampaign(), Published: published(aCampaign(generation(2)))}, none, pending, "a newer generation"},
		"a refused spec":                               {Snapshot{Campaign: aCampaign(short)}, "False", "WindowTooShort", "make it longer"},
		"a refused spec of a sale that it suspends":    {Snapshot{Campaign: aCampaign(short, suspended), Published: published(aCampaign())}, "False", "WindowTooShort", "; the sale is suspended meanwhile"},
		"a refused spec of a sale that it does resume": {Snapshot{Campaign: aCampaign(short), Published: published(aCampaign(suspended))}, "False", "WindowTooShort", "; the sale stays suspended"},
		"a suspension that the broker does not take":   {Snapshot{Campaign: aCampaign(short, suspended), Published: published(aCampaign()), PublishFault: "no leader"}, "False", "PublishFailed", "no leader"},
	} {
		t.Run(name, func(t *testing.T) {
			tc.snapshot.Settings = strimzi
			status := Plan(tc.snapshot, morning).Status
			got := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionPublished)
			if got.Status != tc.status || got.Reason != tc.reason || !strings.Contains(got.Message, tc.says) {
				t.Errorf("Published = %s %s: %s\nwant %s %s: %s", got.Status, got.Reason, got.Message, tc.status, tc.reason, tc.says)
			}
			if allocated := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionAllocated); allocated.Reason != pending {
				t.Errorf("Allocated = %s, want Pending: no lane has spoken", allocated.Reason)
			}
		})
	}
}

// The broker may have taken what it said that it did not: a second attempt in another lane would leave
// the stock in one and the orders in the other.
func TestALaneIsKeptWhenItsPublicationFailed(t *testing.T) {
	c := aCampaign()
	s := Snapshot{Settings: lawful, Campaign: c, Shared: []LaneUse{{0, 3}, {1, 1}, {2, 2}}, PublishFault: "timed out"}
	c.Status = *Plan(s, morning).Status
	s.PublishFault, s.Shared = "", []LaneUse{{0, 0}, {1, 1}, {2, 2}}
	want := &campaignv1.Lane{Topic: SharedLanes, Partition: 1}
	if got := Plan(s, morning).Publish.GetLane(); !proto.Equal(got, want) {
		t.Errorf("lane = %v, want %v", got, want)
	}
}

// A replica that starts must pass over all that the running ones have passed over.
func TestWhatALanePassesOverOnlyGrows(t *testing.T) {
	for name, tc := range map[string]struct {
		campaign  *v1alpha1.Campaign
		published *campaignv1.Desired
		want      []int64
	}{
		"a lane that never stopped passes nothing over":        {aCampaign(), nil, nil},
		"an offset that is added is published":                 {aCampaign(generation(2), passingOver(7)), published(aCampaign()), []int64{7}},
		"the offsets are published in ascending order":         {aCampaign(passingOver(9, 3, 7)), nil, []int64{3, 7, 9}},
		"another offset stands beside the first":               {aCampaign(generation(2), passingOver(9, 7)), published(aCampaign(passingOver(9))), []int64{7, 9}},
		"an offset that an older object has forgotten is kept": {aCampaign(generation(2), passingOver(9)), published(aCampaign(passingOver(7))), []int64{7, 9}},
	} {
		t.Run(name, func(t *testing.T) {
			s := Snapshot{Settings: lawful, Campaign: tc.campaign, Published: tc.published, Shared: []LaneUse{{2, 0}}}
			got := Plan(s, morning).Publish.GetLane()
			want := &campaignv1.Lane{Topic: SharedLanes, Partition: 2, SkipOffsets: tc.want}
			if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
				t.Errorf("lane (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTheEndOfACampaignPassesOverWhatItPassedOver(t *testing.T) {
	s := Snapshot{Settings: lawful, Campaign: aCampaign(deleted, passingOver(9)), Published: published(aCampaign(passingOver(7)))}
	if got := Plan(s, noon).Publish.GetLane().GetSkipOffsets(); !slices.Equal(got, []int64{7, 9}) {
		t.Errorf("the end passes over %v, want 7 and what the object says, 9", got)
	}
}

func TestARefusedCampaignHasNoLane(t *testing.T) {
	c := aCampaign(window(time.Hour, v1alpha1.FromNextMidnight))
	if got := Plan(Snapshot{Settings: lawful, Campaign: c, Shared: []LaneUse{{0, 0}}}, morning).Status.Lane; got != nil {
		t.Errorf("lane = %v, want none", got)
	}
}

func TestALoosenedOperatorTakesShortWindowsFromSigning(t *testing.T) {
	c := aCampaign(window(5*time.Second, v1alpha1.FromSigning))
	settings := Settings{Cluster: "demo", MinReturnWindow: 2 * time.Second}
	got := Plan(Snapshot{Settings: settings, Campaign: c}, morning).Publish
	want := &campaignv1.ReturnWindow{Seconds: 5, From: campaignv1.ReturnWindow_FROM_SIGNING}
	if !proto.Equal(got.GetReturnWindow(), want) {
		t.Errorf("return window = %v, want %v", got.GetReturnWindow(), want)
	}
}

func TestEverythingOfTheSpecIsPublished(t *testing.T) {
	c := aCampaign(suspended, func(c *v1alpha1.Campaign) {
		c.Spec.PreviewAt = v1alpha1.MomentOf(morning)
		c.Spec.BuyerLimitUnits, c.Spec.HoldLimitUnits = 20, new(int64(8))
		c.Spec.Lane.SkipOffsets = []int64{181_204}
	})
	got := Plan(Snapshot{Settings: lawful, Campaign: c}, morning).Publish
	want := &campaignv1.Desired{
		Uid: "uid-coats", Cluster: "north", Namespace: "sales", Name: "coats", Generation: 1, SpecGeneration: 1,
		BrandId: "brand_01k9z3w5n8e7s9v0q2c4x6b8da", Title: "Autumn coats",
		Items:         []*campaignv1.Item{{Sku: "C1", PriceFen: 6_000, SettlementFen: 4_000, Units: 10}},
		CommissionBps: 1_000, PreviewAt: at(morning), StartAt: at(noon), EndAt: at(two),
		BuyerLimitUnits: 20, HoldLimitUnits: 8, HoldSeconds: 900,
		ReturnWindow: &campaignv1.ReturnWindow{Seconds: 604_800, From: campaignv1.ReturnWindow_FROM_NEXT_MIDNIGHT},
		Lane:         &campaignv1.Lane{Topic: SharedLanes, SkipOffsets: []int64{181_204}}, Suspended: true,
	}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("published (-want +got):\n%s", diff)
	}
}
