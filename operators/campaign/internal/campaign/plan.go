package campaign

import (
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
	"github.com/qingcang/qingcang/operators/campaign/internal/children"
	"github.com/qingcang/qingcang/operators/campaign/internal/stock"
)

// LegalReturnWindow is the seven days in which a buyer may send goods back without a reason.
const LegalReturnWindow = v1alpha1.LegalReturnWindow

// WarmUp is how long before its start a campaign is Warming: the time in which people look whether
// everything stands ready.
const WarmUp = 10 * time.Minute

// Grace is how long the lane may take to answer or to keep a time before it counts as silent. It
// covers a rebalance of the order service's group after one of its replicas died (6 s to notice,
// 10 s to settle).
const Grace = 30 * time.Second

// Settings are the operator's own, the same for all campaigns.
type Settings struct {
	// Cluster is the name under which this operator publishes.
	Cluster string
	// MinReturnWindow is the shortest return window that is published. Under LegalReturnWindow it
	// also allows windows that begin at signing; only demos and tests go there.
	MinReturnWindow time.Duration
	// Children says what a lane of its own can have here.
	Children children.Settings
}

// Snapshot is all that is known of one campaign at one moment. Plan only reads it.
type Snapshot struct {
	Settings Settings
	Campaign *v1alpha1.Campaign
	// Published is what campaigns.v1 ends with for it, nil when nothing. Of an end no more than its generation
	// need be known.
	Published *campaignv1.Desired
	// Newest is the record with the greatest generation that was ever read there, without its items: what its
	// readers know. It is Published, but where an operator that stood still has since written what it had in
	// hand. Ended tells that one of all records there was an end.
	Newest *campaignv1.Desired
	Ended  bool
	// Attempted is what the broker did not confirm when it was last published, nil when nothing. The
	// broker may hold it or not.
	Attempted *campaignv1.Desired
	// Lane is what campaign-status.v1 holds for it, nil when the lane never spoke of it or it has ended, and HeardAt when
	// it last spoke while this process listened.
	Lane    *campaignv1.Status
	HeardAt time.Time
	// Program is the OwnerProgram of the namespace with the longest return window, zero where there is none.
	Program ProgramWindow
	// Shared is the use of each partition of the shared lanes.
	Shared []LaneUse
	// Stock is the brand's, as far as StockNeeded says.
	Stock stock.View
	// Pods is what stands in the cluster of a dedicated lane.
	Pods Pods
	// PublishFault says why publishing has just failed; with it the plan publishes nothing.
	PublishFault string
}

// ProgramWindow is the least return window that an OwnerProgram asks for.
type ProgramWindow struct {
	Name   string
	Window time.Duration
}

// Steps is what to do about a campaign, in the order of its fields. Each step survives a crash
// before the next: the plan made from what is then known goes on where this one ended.
type Steps struct {
	// Hold adds the finalizer, before anything is published that would have to be ended, and Note what the object
	// notes of its lane, empty for what it notes already.
	Hold bool
	Note string
	// Items to write to spec.items, nil to leave them. The plan goes on when they stand there.
	Items []v1alpha1.Item
	// Children to apply.
	Children []*unstructured.Unstructured
	// Topic to make before publishing, empty for none.
	Topic string
	// Publish is the desired state to write, nil when campaigns.v1 holds it already.
	Publish *campaignv1.Desired
	// Again tells that Publish asks once more for what was refused.
	Again bool
	// Status to write, nil to leave it.
	Status *v1alpha1.CampaignStatus
	// Release takes the finalizer away: nothing is left to end.
	Release bool
	// WakeAt is when time alone changes this plan, zero for never.
	WakeAt time.Time
}

// Need is how much of the brand's stock a plan rests on.
type Need int

// The needs.
const (
	NoStock    Need = iota
	ItemsStock      // that of the campaign's items
	BrandStock      // all that the brand has
)

// StockNeeded says what the plan of a campaign needs to know of the brand's stock.
func StockNeeded(c *v1alpha1.Campaign, lane *campaignv1.Status) Need {
	switch {
	case selecting(c):
		return BrandStock
	case c.Spec.Admission.MinTrialIndexTenths > 0, lane.GetAllocation().GetState() == campaignv1.Allocation_STATE_REFUSED:
		return ItemsStock
	default:
		return NoStock
	}
}

// Plan says what to do about a campaign.
func Plan(s Snapshot, now time.Time) Steps {
	f := gather(s, now)
	if !s.Campaign.DeletionTimestamp.IsZero() && !f.endsLater(s) {
		return f.end(s)
	}
	steps := Steps{
		Hold:     !held(s.Campaign),
		Note:     f.note(s),
		Items:    f.items,
		Children: f.children(s),
	}
	retryAt := f.retryAt(s)
	if f.record != nil && s.PublishFault == "" && f.awaits == "" {
		steps.Publish, steps.Again = f.outdated(s, retryAt)
		if steps.Publish != nil && s.Published == nil && s.Settings.Children.StrimziCluster == "" {
			steps.Topic = ownTopic(steps.Publish.GetLane())
		}
	}
	f = f.after(steps.Publish)
	steps.Status = f.status()
	steps.WakeAt = f.wakeAt(steps.Status, retryAt, f.endAt())
	return steps
}

// outdated returns what is to be published, nil if campaigns.v1 holds what is wanted; and whether it only
// asks again for what was refused.
func (f facts) outdated(s Snapshot, retryAt time.Time) (publish *campaignv1.Desired, again bool) {
	// A record that stood there before, or may come to stand there, is newer to its readers than this one.
	overtaken := f.revision > s.Published.GetGeneration() || s.replaced()
	due := f.publishable() && !retryAt.IsZero() && !f.now.Before(retryAt)
	switch {
	case s.Published == nil, overtaken, !same(f.record, s.Published):
		return s.revise(f.record), false
	case due:
		return s.revise(f.record), true
	default:
		return nil, false
	}
}

func held(c *v1alpha1.Campaign) bool {
	return slices.Contains(c.Finalizers, v1alpha1.Finalizer)
}

// stamp is a time as the API server keeps it: whole seconds, so that a status written and read back
// compares equal.
func stamp(t time.Time) metav1.Time {
	return metav1.NewTime(t.UTC().Truncate(time.Second))
}
