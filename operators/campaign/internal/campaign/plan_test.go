package campaign

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
)

func TestPhase(t *testing.T) {
	for name, tc := range map[string]struct {
		campaign *v1alpha1.Campaign
		lane     *campaignv1.Status
		now      time.Time
		want     v1alpha1.Phase
	}{
		"long before the start it is Preview":                 {aCampaign(), laneSays(campaignv1.Status_PHASE_WAITING, 1), morning, v1alpha1.PhasePreview},
		"ten minutes before the start it is Warming":          {aCampaign(), laneSays(campaignv1.Status_PHASE_WAITING, 1), noon.Add(-WarmUp), v1alpha1.PhaseWarming},
		"without stock it is Preview even after the start":    {aCampaign(), nil, noon.Add(time.Hour), v1alpha1.PhasePreview},
		"a refused campaign stays in Preview":                 {aCampaign(), laneSays(campaignv1.Status_PHASE_WAITING, 1, refusedWith("NotEnoughStock", "")), noon, v1alpha1.PhasePreview},
		"the clock alone does not make it Live":               {aCampaign(), laneSays(campaignv1.Status_PHASE_WAITING, 1), noon.Add(time.Minute), v1alpha1.PhaseWarming},
		"the lane makes it Live":                              {aCampaign(), laneSays(campaignv1.Status_PHASE_OPEN, 1), noon, v1alpha1.PhaseLive},
		"a start that was moved away brings Preview back":     {aCampaign(was(v1alpha1.PhaseWarming, morning)), laneSays(campaignv1.Status_PHASE_WAITING, 1), morning, v1alpha1.PhasePreview},
		"a drained lane makes it AfterSale":                   {aCampaign(), laneSays(campaignv1.Status_PHASE_DRAINED, 1), two, v1alpha1.PhaseAfterSale},
		"a settled lane makes it Settled":                     {aCampaign(), laneSays(campaignv1.Status_PHASE_SETTLED, 1), two, v1alpha1.PhaseSettled},
		"a lane that lost its memory does not take Live back": {aCampaign(was(v1alpha1.PhaseLive, morning)), nil, noon, v1alpha1.PhaseLive},
		"a lane that replays its log does not reopen a sale":  {aCampaign(was(v1alpha1.PhaseSettled, morning)), laneSays(campaignv1.Status_PHASE_OPEN, 1), two, v1alpha1.PhaseSettled},
	} {
		t.Run(name, func(t *testing.T) {
			s := Snapshot{Settings: lawful, Campaign: tc.campaign, Published: published(tc.campaign), Lane: tc.lane}
			if got := Plan(s, tc.now).Status.Phase; got != tc.want {
				t.Errorf("phase = %s, want %s", got, tc.want)
			}
		})
	}
}

func TestReady(t *testing.T) {
	waiting := func(more ...func(*campaignv1.Status)) *campaignv1.Status {
		return laneSays(campaignv1.Status_PHASE_WAITING, 1, more...)
	}
	fresh := was(v1alpha1.PhasePreview, morning, allocatedSince(morning))
	for name, tc := range map[string]struct {
		campaign *v1alpha1.Campaign
		lane     *campaignv1.Status
		fault    string
		now      time.Time
		status   metav1.ConditionStatus
		reason   string
	}{
		"a campaign just published awaits its lane":            {aCampaign(fresh), nil, "", morning, "False", "Pending"},
		"a lane that has not answered in time is silent":       {aCampaign(fresh), nil, "", morning.Add(Grace), "False", "LaneSilent"},
		"an allocated campaign is ready":                       {aCampaign(fresh), waiting(), "", morning, "True", "AsWanted"},
		"a suspended campaign is ready and says so":            {aCampaign(fresh, suspended), waiting(), "", noon.Add(time.Hour), "True", "Suspended"},
		"the pool's own reason is shown":                       {aCampaign(fresh), waiting(refusedWith("SettlementTooLow", "raise C1 to 4500")), "", morning, "False", "SettlementTooLow"},
		"a refusal without a reason is called Refused":         {aCampaign(fresh), waiting(refusedWith("", "")), "", morning, "False", "Refused"},
		"a reason that is not a word is called Refused":        {aCampaign(fresh), waiting(refusedWith("no stock!", "")), "", morning, "False", "Refused"},
		"a stopped lane comes before a refusal":                {aCampaign(fresh), waiting(refusedWith("UnknownSKU", ""), stopped("gap at 7")), "", morning, "False", "LaneStopped"},
		"a lane that missed the start is silent":               {aCampaign(fresh), waiting(), "", noon.Add(Grace), "False", "LaneSilent"},
		"a lane may take its grace to open":                    {aCampaign(fresh), waiting(), "", noon.Add(Grace - time.Second), "True", "AsWanted"},
		"stock that comes after the start gives the lane time": {aCampaign(was("Preview", morning, allocatedSince(two))), waiting(), "", two.Add(time.Second), "True", "AsWanted"},
		"an end that was set to the past gives the lane time":  {aCampaign(was("Live", two.Add(time.Hour), allocatedSince(morning))), laneSays(campaignv1.Status_PHASE_OPEN, 1), "", two.Add(time.Hour), "True", "AsWanted"},
		"a lane that missed the end is silent":                 {aCampaign(fresh), laneSays(campaignv1.Status_PHASE_OPEN, 1), "", two.Add(Grace), "False", "LaneSilent"},
		"a short return window comes before all else":          {aCampaign(fresh, window(time.Hour, "NextMidnight")), waiting(stopped("gap")), "", morning, "False", "WindowTooShort"},
		"a broker that did not take it is named":               {aCampaign(fresh, generation(2)), waiting(), "no leader", morning, "False", "PublishFailed"},
	} {
		t.Run(name, func(t *testing.T) {
			s := Snapshot{Settings: lawful, Campaign: tc.campaign, Published: published(aCampaign()), Lane: tc.lane, PublishFault: tc.fault}
			s.Published.Suspended = tc.campaign.Spec.Suspend
			got := meta.FindStatusCondition(Plan(s, tc.now).Status.Conditions, v1alpha1.ConditionReady)
			if got.Status != tc.status || got.Reason != tc.reason {
				t.Errorf("Ready = %s %s (%s), want %s %s", got.Status, got.Reason, got.Message, tc.status, tc.reason)
			}
		})
	}
}

// A lane's answer is about the record that stands; while that is not what the spec says, nobody has answered.
func TestAllocatedIsOfWhatIsPublished(t *testing.T) {
	one := published(aCampaign())
	for name, s := range map[string]Snapshot{
		"a spec that is refused":      {Campaign: aCampaign(generation(2), window(time.Hour, v1alpha1.FromNextMidnight)), Published: one},
		"an old copy of the object":   {Campaign: aCampaign(), Published: one, Newest: published(aCampaign(generation(2)))},
		"a broker that takes nothing": {Campaign: aCampaign(generation(2), units(9)), Published: one, PublishFault: "no leader"},
		"what is asked just now":      {Campaign: aCampaign(generation(2), units(9)), Published: one},
	} {
		t.Run(name, func(t *testing.T) {
			s.Settings, s.Lane = lawful, laneSays(campaignv1.Status_PHASE_WAITING, 1)
			got := meta.FindStatusCondition(Plan(s, morning).Status.Conditions, v1alpha1.ConditionAllocated)
			if got.Status != metav1.ConditionUnknown {
				t.Errorf("Allocated = %s %s: %s, want Unknown", got.Status, got.Reason, got.Message)
			}
		})
	}
}

// Reports come all the time, and other campaigns move the lane's offset.
func TestAReportThatChangesNothingIsNotWorthAWrite(t *testing.T) {
	sold := func(s *campaignv1.Status) { s.SoldUnits, s.LeftUnits = 1, 9 }
	open, waiting := campaignv1.Status_PHASE_OPEN, campaignv1.Status_PHASE_WAITING
	for name, tc := range map[string]struct {
		phase campaignv1.Status_Phase
		later time.Duration
		more  []func(*campaignv1.Status)
		want  bool
	}{
		"a moment later nothing is new":              {open, ReportPause - time.Second, nil, false},
		"after a while people look at how old it is": {open, ReportPause, nil, true},
		"but not before the sale":                    {waiting, ReportPause, nil, false},
		"what was sold is worth one at any time":     {open, time.Second, []func(*campaignv1.Status){sold}, true},
	} {
		t.Run(name, func(t *testing.T) {
			c := aCampaign()
			s := Snapshot{Settings: lawful, Campaign: c, Published: published(c), Lane: laneSays(tc.phase, 1), HeardAt: morning}
			c.Status = *Plan(s, morning).Status
			s.Lane, s.HeardAt = laneSays(tc.phase, 1, tc.more...), morning.Add(tc.later)
			s.Lane.Offset = 99
			got := Plan(s, s.HeardAt).Status
			if changed := !equality.Semantic.DeepEqual(*got, c.Status); changed != tc.want {
				t.Errorf("the status changes: %t, want %t", changed, tc.want)
			}
		})
	}
}

func TestWhichChildrenAreApplied(t *testing.T) {
	kinds := len(lawful.Children.Kinds())
	foreground := func(c *v1alpha1.Campaign) {
		c.Finalizers = append(c.Finalizers, metav1.FinalizerDeleteDependents)
	}
	short := window(time.Hour, v1alpha1.FromNextMidnight)
	for name, tc := range map[string]struct {
		campaign *v1alpha1.Campaign
		fault    string
		want     int
	}{
		"all of a lane of its own":                         {aCampaign(ownLane), "", kinds},
		"none of a shared one":                             {aCampaign(), "", 0},
		"none of a spec that was never allowed":            {aCampaign(ownLane, short), "", 0},
		"none over what is somebody else's":                {aCampaign(ownLane), "Service lane-coats is not this campaign's", 0},
		"all of a sale that was deleted and runs on":       {aCampaign(ownLane, onTime, deleted), "", kinds},
		"none that the garbage collector is to take first": {aCampaign(ownLane, onTime, deleted, foreground), "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := Snapshot{
				Settings: lawful, Campaign: tc.campaign, Lane: laneSays(campaignv1.Status_PHASE_OPEN, 1),
				Pods: Pods{Order: orderService(), Fault: tc.fault},
			}
			if got := Plan(s, noon).Children; len(got) != tc.want {
				t.Errorf("%d children are applied, want %d", len(got), tc.want)
			}
		})
	}
}

func TestDeletion(t *testing.T) {
	gone := aCampaign(deleted)
	closed := ending(gone.Generation)
	for name, tc := range map[string]struct {
		snapshot Snapshot
		want     Steps
	}{
		"what was never published goes at once":        {Snapshot{Campaign: gone}, Steps{Release: true}},
		"an end that stands in the topic lets it go":   {Snapshot{Campaign: gone, Published: closed}, Steps{Release: true}},
		"a published campaign is ended, then let go":   {Snapshot{Campaign: gone, Published: published(aCampaign())}, Steps{Publish: closed, Release: true}},
		"an object that is not held is left alone":     {Snapshot{Campaign: aCampaign(unheld, deleted), Published: published(aCampaign())}, Steps{}},
		"nor kept to its end":                          {Snapshot{Campaign: aCampaign(unheld, onTime, deleted), Published: published(aCampaign()), Lane: laneSays(campaignv1.Status_PHASE_OPEN, 1)}, Steps{}},
		"a sale that was edited badly ends as it was":  {Snapshot{Campaign: aCampaign(window(time.Hour, "Signing"), deleted), Published: published(aCampaign())}, Steps{Publish: closed, Release: true}},
		"what the broker may hold is ended":            {Snapshot{Campaign: gone, Attempted: published(aCampaign())}, Steps{Publish: closed, Release: true}},
		"an end that was tried keeps its generation":   {Snapshot{Campaign: gone, Published: published(aCampaign()), Attempted: closed}, Steps{Publish: closed, Release: true}},
		"an end that its readers have passed is new":   {Snapshot{Campaign: gone, Published: closed, Newest: published(aCampaign(generation(2)))}, Steps{Publish: revised(3, closed), Release: true}},
		"an end is not under its object":               {Snapshot{Campaign: aCampaign(generation(5), deleted), Published: published(aCampaign())}, Steps{Publish: ending(6), Release: true}},
		"an end comes after each published generation": {Snapshot{Campaign: gone, Published: published(aCampaign(generation(7)))}, Steps{Publish: Closing(published(aCampaign(generation(7))), 0), Release: true}},
	} {
		t.Run(name, func(t *testing.T) {
			tc.snapshot.Settings = lawful
			got := Plan(tc.snapshot, noon)
			if diff := cmp.Diff(tc.want, got, protocmp.Transform()); diff != "" {
				t.Errorf("steps (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDeletionWaitsForTheBroker(t *testing.T) {
	s := Snapshot{Settings: lawful, Campaign: aCampaign(deleted), Published: published(aCampaign()), PublishFault: "no leader"}
	got := Plan(s, noon)
	ready := meta.FindStatusCondition(got.Status.Conditions, v1alpha1.ConditionReady)
	if got.Release || got.Publish != nil || ready.Reason != v1alpha1.ReasonPublishFailed {
		t.Errorf("steps = %+v, want the object kept and PublishFailed shown", got)
	}
}

func TestWakeAt(t *testing.T) {
	ready := was(v1alpha1.PhasePreview, morning, allocatedSince(morning))
	for name, tc := range map[string]struct {
		lane *campaignv1.Status
		now  time.Time
		want time.Time
	}{
		"for the answer of the lane":       {nil, morning, morning.Add(Grace)},
		"for the warm-up":                  {laneSays(campaignv1.Status_PHASE_WAITING, 1), morning, noon.Add(-WarmUp)},
		"for the opening":                  {laneSays(campaignv1.Status_PHASE_WAITING, 1), noon, noon.Add(Grace)},
		"for the close":                    {laneSays(campaignv1.Status_PHASE_OPEN, 1), noon, two.Add(Grace)},
		"not at all when only others move": {laneSays(campaignv1.Status_PHASE_DRAINED, 1), two, time.Time{}},
	} {
		t.Run(name, func(t *testing.T) {
			s := Snapshot{Settings: lawful, Campaign: aCampaign(ready), Published: published(aCampaign()), Lane: tc.lane}
			if got := Plan(s, tc.now).WakeAt; !got.Equal(tc.want) {
				t.Errorf("wakes at %s, want %s", got, tc.want)
			}
		})
	}
}

// An operator that is killed between a record and its status leaves an older time of publication behind.
func TestALaneHasItsGraceAlsoWhenTheStatusIsBehind(t *testing.T) {
	behind := aCampaign(generation(2), units(9), was(v1alpha1.PhasePreview, morning))
	later := morning.Add(time.Hour)
	got := Plan(Snapshot{Settings: lawful, Campaign: behind, Published: published(behind), Lane: laneSays(campaignv1.Status_PHASE_WAITING, 1)}, later)
	if want := later.Add(Grace); !got.WakeAt.Equal(want) {
		t.Errorf("wakes at %s, want %s", got.WakeAt, want)
	}
}

func TestOrphans(t *testing.T) {
	record := func(uid, cluster, namespace string, closed bool) *campaignv1.Desired {
		return &campaignv1.Desired{Uid: uid, Cluster: cluster, Namespace: namespace, Generation: 3, Closed: closed}
	}
	records := []*campaignv1.Desired{
		record("alive", "north", "sales", false),
		record("gone", "north", "sales", false),
		record("gone-and-ended", "north", "sales", true),
		record("gone-in-another-cluster", "south", "sales", false),
		record("gone-in-another-namespace", "north", "staging", false),
	}
	got := Orphans(records, "north", "sales", func(uid string) bool { return uid == "alive" })
	want := []*campaignv1.Desired{{Uid: "gone", Cluster: "north", Namespace: "sales", Generation: 3}}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("orphans (-want +got):\n%s", diff)
	}
}
