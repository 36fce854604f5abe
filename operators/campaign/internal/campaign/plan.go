package campaign

import (
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
)

// LegalReturnWindow is the seven days in which a buyer may send goods back without a reason.
const LegalReturnWindow = 7 * 24 * time.Hour

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
}

// Snapshot is all that is known of one campaign at one moment. Plan only reads it.
type Snapshot struct {
	Settings Settings
	Campaign *v1alpha1.Campaign
	// Published is what campaigns.v1 holds for it, nil when nothing. A closed record may lack its items.
	Published *campaignv1.Desired
	// Lane is what campaign-status.v1 holds for it, nil when the lane never spoke of it.
	Lane *campaignv1.Status
	// Shared is the use of each partition of the shared lanes.
	Shared []LaneUse
	// PublishFault says why publishing has just failed; with it the plan publishes nothing.
	PublishFault string
}

// Steps is what to do about a campaign, in the order of its fields. Each step survives a crash
// before the next: the plan made from what is then known goes on where this one ended.
type Steps struct {
	// Hold adds the finalizer, before anything is published that would have to be ended.
	Hold bool
	// Publish is the desired state to write, nil when campaigns.v1 holds it already.
	Publish *campaignv1.Desired
	// Status to write, nil to leave it.
	Status *v1alpha1.CampaignStatus
	// Release takes the finalizer away: nothing is left to end.
	Release bool
	// WakeAt is when time alone changes this plan, zero for never.
	WakeAt time.Time
}

// Plan says what to do about a campaign.
func Plan(s Snapshot, now time.Time) Steps {
	if !s.Campaign.DeletionTimestamp.IsZero() {
		return planEnd(s, now)
	}
	f := gather(s, now)
	steps := Steps{Hold: !held(s.Campaign)}
	if f.refusal == nil && s.PublishFault == "" {
		steps.Publish = outdated(f.want, s.Published)
	}
	steps.Status = f.status(steps.Publish)
	steps.WakeAt = f.wakeAt(steps.Status)
	return steps
}

// planEnd ends the campaign of a deleted object. The object goes as soon as its end stands in
// campaigns.v1: the lane closes the sale from there, and paid orders live in lanes and journals.
// So no deletion hangs on a lane, and none strands an order.
func planEnd(s Snapshot, now time.Time) Steps {
	if !held(s.Campaign) {
		return Steps{}
	}
	if s.Published == nil || s.Published.GetClosed() {
		return Steps{Release: true}
	}
	if s.PublishFault != "" {
		f := gather(s, now)
		return Steps{Status: f.status(nil)}
	}
	return Steps{Publish: Closing(s.Published, s.Campaign.Generation), Release: true}
}

func held(c *v1alpha1.Campaign) bool {
	return slices.Contains(c.Finalizers, v1alpha1.Finalizer)
}

// stamp is a time as the API server keeps it: whole seconds, so that a status written and read back
// compares equal.
func stamp(t time.Time) metav1.Time {
	return metav1.NewTime(t.UTC().Truncate(time.Second))
}
