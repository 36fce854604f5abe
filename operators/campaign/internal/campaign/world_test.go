package campaign

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
	"github.com/qingcang/qingcang/operators/campaign/internal/children"
	"github.com/qingcang/qingcang/operators/campaign/internal/stock"
)

// world is a simulated API server, broker, stock pool and lane around one campaign. Each actor takes
// one step when it is asked to, so that a story can run them in any order and crash them anywhere.
type world struct {
	t        testing.TB
	now      time.Time
	settings Settings
	object   *v1alpha1.Campaign // nil when gone
	// copies are the object as it was after each write, the newest last: what a cache may show.
	copies []*v1alpha1.Campaign
	// topic is what campaigns.v1 ends with; heard is the newest generation that a reader has seen, who
	// takes no older one.
	topic, heard *campaignv1.Desired
	// attempted is what the running operator was not told the fate of.
	attempted *campaignv1.Desired
	// inHand is what an operator that stands still was about to write.
	inHand *campaignv1.Desired
	// broker is what it does with a write.
	broker brokerMood
	lane   *campaignv1.Status
	// pool is what the brand has; a generation that asks for more is refused.
	pool int64
	// gained tells whether the brand has got more since the last refusal.
	gained  bool
	refused int64
	// program asks for a longer return window than the law.
	program ProgramWindow
	// kinds are the children that stand, by kind; quota is why the API server refuses some.
	kinds map[schema.GroupVersionKind]*unstructured.Unstructured
	quota string
	log   strings.Builder
}

type brokerMood int

const (
	well brokerMood = iota
	down            // takes nothing
	deaf            // takes it and does not say so
)

func newWorld(t testing.TB) *world {
	return &world{t: t, now: morning, settings: lawful, pool: 10, kinds: map[schema.GroupVersionKind]*unstructured.Unstructured{}}
}

func (w *world) say(format string, args ...any) {
	fmt.Fprintf(&w.log, "%s  %s\n", w.now.Format("15:04:05"), fmt.Sprintf(format, args...))
}

// apply is kubectl apply of a new spec.
func (w *world) apply(what string, edits ...edit) {
	if w.object == nil {
		w.object = aCampaign(append([]edit{unheld}, edits...)...)
	} else {
		for _, e := range edits {
			e(w.object)
		}
		w.object.Generation++
	}
	w.say("user      applies %s", what)
	w.stored()
}

func (w *world) delete() {
	if w.object == nil || w.object.DeletionTimestamp != nil {
		return
	}
	w.say("user      deletes the campaign")
	at := metav1.NewTime(w.now)
	w.object.DeletionTimestamp = &at
	w.object.Generation++
	w.stored()
	w.collect()
}

// stored is a write of the object that the API server took.
func (w *world) stored() {
	w.object.ResourceVersion = strconv.Itoa(len(w.copies) + 1)
	w.copies = append(w.copies, w.object.DeepCopy())
}

// collect is what the API server does with a deleted object that nobody holds, and the garbage collector
// with its children.
func (w *world) collect() {
	if w.object != nil && w.object.DeletionTimestamp != nil && len(w.object.Finalizers) == 0 {
		w.object = nil
		w.say("api       the object is gone")
		clear(w.kinds)
	}
}

// snapshot is what the operator knows, with its cache so many writes behind.
func (w *world) snapshot(behind int) Snapshot {
	c := w.copies[max(len(w.copies)-1-behind, 0)].DeepCopy()
	s := Snapshot{
		Settings: w.settings, Campaign: c, Published: w.topic, Attempted: w.attempted, Lane: w.lane, Program: w.program,
		Shared: []LaneUse{{Partition: 0, Campaigns: 1}, {Partition: 1}},
		Pods:   Pods{Order: orderService(), Live: w.kinds},
	}
	if StockNeeded(c, w.lane) != NoStock {
		s.Stock = w.stock()
	}
	return s
}

// stock is the operator's own picture of the pool: one SKU, of which the lane has some.
func (w *world) stock() stock.View {
	var given int64
	if w.lane.GetPhase() < campaignv1.Status_PHASE_DRAINED {
		given = w.lane.GetUnits()
	}
	return stock.View{
		Known: true, Standing: stock.Open, Refused: w.refused, Gained: w.gained,
		Goods: []stock.Goods{{SKU: "C1", Style: "coat", TagPriceFen: 20_000, SettlementFen: 4_000, FreeUnits: max(w.pool-given, 0), TrialIndexTenths: stock.Untried}},
	}
}

// approve is the brand's stock growing.
func (w *world) approve(units int64) {
	w.pool += units
	w.gained = true
	w.say("brand     has %d more units approved", units)
}

// operate is one reconcile that crashes after the given number of writes.
func (w *world) operate(writes int) { w.reconcile(writes, 0, false) }

// reconcile is one reconcile with a cache so many writes behind, that crashes after a number of writes,
// or stops right before it publishes and wakes up later.
func (w *world) reconcile(writes, behind int, stops bool) {
	if w.object == nil {
		return
	}
	crashed := func() bool {
		writes--
		if writes == -1 {
			w.attempted = nil // the next process does not know
		}
		return writes < 0
	}
	snapshot := w.snapshot(behind)
	conflict := func() bool { return snapshot.Campaign.ResourceVersion != w.object.ResourceVersion }
	steps := Plan(snapshot, w.now)
	if steps.Hold {
		if crashed() || conflict() {
			return
		}
		w.object.Finalizers = []string{v1alpha1.Finalizer}
		w.say("operator  holds the object")
		w.stored()
		snapshot.Campaign = w.object.DeepCopy()
	}
	for _, child := range steps.Children {
		if crashed() {
			return
		}
		if fault := w.applyChild(child); fault != "" {
			snapshot.Pods.Fault = fault
		}
	}
	if snapshot.Pods.Fault != "" {
		steps = Plan(snapshot, w.now)
	}
	if steps.Publish != nil {
		if crashed() {
			return
		}
		if stops {
			w.inHand = steps.Publish
			w.attempted = nil
			w.say("operator  stands still with generation %d in hand; another takes over", steps.Publish.GetGeneration())
			return
		}
		if fault := w.publish(steps.Publish); fault != "" {
			snapshot.PublishFault, snapshot.Attempted = fault, w.attempted
			steps = Plan(snapshot, w.now)
		}
	}
	if steps.Status != nil && !equality.Semantic.DeepEqual(*steps.Status, snapshot.Campaign.Status) {
		if crashed() || conflict() {
			return
		}
		w.writeStatus(steps.Status)
		w.stored()
		snapshot.Campaign = w.object.DeepCopy()
	}
	if steps.Items != nil && snapshot.PublishFault == "" {
		if crashed() {
			return
		}
		w.object.Spec.Items = steps.Items
		w.object.Generation++
		w.say("operator  writes %d units of %s to spec.items for %d fen", steps.Items[0].Units, steps.Items[0].SKU, steps.Items[0].PriceFen)
		w.stored()
	}
	if steps.Release {
		if crashed() || conflict() {
			return
		}
		w.object.Finalizers = nil
		w.say("operator  lets the object go")
		w.stored()
		w.collect()
	}
}

// wake is the operator that stood still going on where it was.
func (w *world) wake() {
	if w.inHand == nil {
		return
	}
	w.topic, w.inHand = w.inHand, nil
	w.say("operator  that stood still writes generation %d", w.topic.GetGeneration())
	w.hear()
}

// resync ends a record whose object is gone.
func (w *world) resync() {
	if w.topic == nil || w.broker != well {
		return
	}
	lives := func(string) bool { return w.object != nil }
	for range Orphans([]*campaignv1.Desired{w.topic}, w.settings.Cluster, "sales", lives) {
		w.topic = Closing(w.topic, w.heard.GetGeneration())
		w.say("operator  ends the orphan as generation %d", w.topic.GetGeneration())
		w.hear()
	}
}

// applyChild is server-side apply.
func (w *world) applyChild(child *unstructured.Unstructured) (fault string) {
	kind := child.GroupVersionKind()
	if w.quota != "" && kind == children.Deployment {
		return kind.Kind + " " + child.GetName() + ": " + w.quota
	}
	if known := w.kinds[kind]; known != nil && known.GetName() != child.GetName() {
		w.fail("a second %s, %s beside %s", kind.Kind, child.GetName(), known.GetName())
	}
	if child.GetOwnerReferences()[0].UID != w.object.UID {
		w.fail("the %s is not the campaign's own", kind.Kind)
	}
	child = child.DeepCopy()
	if known := w.kinds[kind]; known != nil {
		child.Object["status"] = known.Object["status"]
	}
	w.kinds[kind] = child
	least := ""
	if kind == children.Autoscaler {
		n, _, _ := unstructured.NestedInt64(child.Object, "spec", "minReplicas")
		least = fmt.Sprintf(" for at least %d pods", n)
	}
	w.say("operator  applies the %s%s", kind.Kind, least)
	return ""
}

// kubelet lets as many pods run as the autoscaler asks for at least.
func (w *world) kubelet() {
	hpa, deployment := w.kinds[children.Autoscaler], w.kinds[children.Deployment]
	if hpa == nil || deployment == nil {
		return
	}
	n, _, _ := unstructured.NestedInt64(hpa.Object, "spec", "minReplicas")
	if zero, set, _ := unstructured.NestedInt64(deployment.Object, "spec", "replicas"); set {
		n = zero
	}
	if int64(children.Ready(deployment)) == n {
		return
	}
	deployment = deployment.DeepCopy()
	deployment.Object["status"] = map[string]any{"readyReplicas": n}
	w.kinds[children.Deployment] = deployment
	w.say("kubelet   runs %d pods", n)
}

func (w *world) publish(d *campaignv1.Desired) (fault string) {
	if w.broker == down {
		w.attempted = d
		return "no leader"
	}
	w.checkPublished(d)
	w.topic = d
	w.hear()
	if w.broker == deaf {
		w.attempted = d
		w.say("broker    takes generation %d and does not say so", d.GetGeneration())
		return "timed out"
	}
	w.attempted = nil
	if d.GetClosed() {
		w.say("operator  publishes the end as generation %d", d.GetGeneration())
		return ""
	}
	past := ""
	if offsets := d.GetLane().GetSkipOffsets(); len(offsets) > 0 {
		past = fmt.Sprintf(", passing over %v", offsets)
	}
	if d.GetSuspended() {
		past += ", suspended"
	}
	if end := d.GetEndAt().AsTime(); end.Before(two) {
		past += end.Format(", until 15:04")
	}
	lane := fmt.Sprintf("lane %d", d.GetLane().GetPartition())
	if d.GetLane().GetTopic() != SharedLanes {
		lane = "a lane of its own"
	}
	w.say("operator  publishes generation %d in %s%s", d.GetGeneration(), lane, past)
	return ""
}

// hear is what readers do with what was written: an older generation than they know is dropped.
func (w *world) hear() {
	if w.topic.GetGeneration() > w.heard.GetGeneration() {
		w.heard = w.topic
	}
}

func (w *world) writeStatus(s *v1alpha1.CampaignStatus) {
	old := w.object.Status
	w.checkStatus(&old, s)
	w.object.Status = *s
	ready := meta.FindStatusCondition(s.Conditions, v1alpha1.ConditionReady)
	w.say("operator  shows %s, Ready=%s %s, sold %d, left %d", s.Phase, ready.Status, ready.Reason, s.SoldUnits, s.LeftUnits)
}

// answer is the order service and the brand's pool: the lane takes the newest generation in and the
// pool answers it.
func (w *world) answer() {
	if w.heard == nil || w.lane.GetGeneration() >= w.heard.GetGeneration() {
		return
	}
	if w.lane == nil {
		w.lane = &campaignv1.Status{Uid: w.heard.GetUid(), Phase: campaignv1.Status_PHASE_WAITING}
	}
	s := proto.CloneOf(w.lane)
	if s.Stopped != "" {
		if !slices.Contains(w.heard.GetLane().GetSkipOffsets(), badOffset) {
			return
		}
		s.Stopped = ""
		w.say("lane      passes over offset %d and goes on", badOffset)
	}
	s.Generation = w.heard.GetGeneration()
	var asked int64
	for _, i := range w.heard.GetItems() {
		asked += i.GetUnits()
	}
	s.Allocation = &campaignv1.Allocation{Generation: s.Generation, State: campaignv1.Allocation_STATE_ALLOCATED}
	if asked > w.pool {
		s.Allocation.State, s.Allocation.Reason = campaignv1.Allocation_STATE_REFUSED, "NotEnoughStock"
		w.refused, w.gained = s.Generation, false
		w.say("pool      refuses generation %d: %d asked, %d there", s.Generation, asked, w.pool)
	} else {
		w.refused = 0
		s.Units, s.LeftUnits = asked, asked-s.GetSoldUnits()
		w.say("pool      allocates generation %d", s.Generation)
	}
	w.lane = s
}

// badOffset is the entry at which a lane of the world stops.
const badOffset = 7

// stop is an entry that the lane cannot let count.
func (w *world) stop() {
	if w.lane == nil {
		return
	}
	w.lane = proto.CloneOf(w.lane)
	w.lane.Stopped = fmt.Sprintf("at offset %d: bad checksum", badOffset)
	w.say("lane      stops at offset %d", badOffset)
}

// tick is the lane's clock: it opens, closes and drains the campaign by what it last took in.
func (w *world) tick() {
	if w.lane == nil || w.lane.GetStopped() != "" {
		return
	}
	s := proto.CloneOf(w.lane)
	over := w.heard.GetClosed() || !w.now.Before(w.heard.GetEndAt().AsTime())
	switch {
	case s.Phase == campaignv1.Status_PHASE_WAITING && over:
		s.Phase, s.ClosedAt, s.LeftUnits = campaignv1.Status_PHASE_DRAINED, at(w.now), 0
		w.say("lane      drains a campaign that never opened")
	case s.Phase == campaignv1.Status_PHASE_WAITING && s.Units > 0 && !w.now.Before(w.heard.GetStartAt().AsTime()):
		s.Phase, s.OpenedAt = campaignv1.Status_PHASE_OPEN, at(w.now)
		w.say("lane      opens")
	case s.Phase == campaignv1.Status_PHASE_OPEN && over:
		s.Phase, s.ClosedAt = campaignv1.Status_PHASE_DRAINING, at(w.now)
		w.say("lane      closes")
	case s.Phase == campaignv1.Status_PHASE_DRAINING:
		s.Phase, s.LeftUnits = campaignv1.Status_PHASE_DRAINED, 0
		w.say("lane      is drained")
	case s.Phase == campaignv1.Status_PHASE_DRAINED:
		s.Phase, s.FinalOrders = campaignv1.Status_PHASE_SETTLED, s.PaidOrders
		w.say("lane      is settled")
	default:
		return
	}
	w.lane = s
}

// sell is a buyer who pays for a unit.
func (w *world) sell() {
	if w.lane.GetPhase() != campaignv1.Status_PHASE_OPEN || w.lane.GetLeftUnits() == 0 || w.lane.GetStopped() != "" {
		return
	}
	s := proto.CloneOf(w.lane)
	s.SoldUnits, s.LeftUnits, s.PaidOrders = s.SoldUnits+1, s.LeftUnits-1, s.PaidOrders+1
	w.lane = s
	w.say("buyer     pays for a unit")
}

// checkPublished holds every record against what services rely on.
func (w *world) checkPublished(d *campaignv1.Desired) {
	w.t.Helper()
	switch {
	case len(w.object.Finalizers) == 0:
		w.fail("published while nothing holds the object: its end could be missed")
	case w.heard.GetClosed() && !d.GetClosed():
		w.fail("published after the end")
	case w.heard != nil && d.GetGeneration() < w.heard.GetGeneration() && w.topic == w.heard,
		d.GetGeneration() == w.heard.GetGeneration() && !same(d, w.heard):
		w.fail("generation %d published after %d: its readers drop it", d.GetGeneration(), w.heard.GetGeneration())
	case d.GetGeneration() < d.GetSpecGeneration():
		w.fail("generation %d is under the object's %d", d.GetGeneration(), d.GetSpecGeneration())
	case !d.GetClosed() && d.GetSpecGeneration() < w.heard.GetSpecGeneration() && w.topic == w.heard:
		w.fail("an older spec, %d, published after %d", d.GetSpecGeneration(), w.heard.GetSpecGeneration())
	case w.topic != nil && *laneStatus(d.GetLane()) != *laneStatus(w.topic.GetLane()):
		w.fail("the lane changed from %v to %v", w.topic.GetLane(), d.GetLane())
	case slices.ContainsFunc(w.topic.GetLane().GetSkipOffsets(), func(o int64) bool { return !slices.Contains(d.GetLane().GetSkipOffsets(), o) }):
		w.fail("a replica that starts would pass over %v no more, only %v", w.topic.GetLane().GetSkipOffsets(), d.GetLane().GetSkipOffsets())
	case d.GetReturnWindow().GetSeconds() < int64(LegalReturnWindow.Seconds()):
		w.fail("a return window of %d s was published", d.GetReturnWindow().GetSeconds())
	}
}

// checkStatus holds every status against what people rely on.
func (w *world) checkStatus(old, s *v1alpha1.CampaignStatus) {
	w.t.Helper()
	ready := meta.FindStatusCondition(s.Conditions, v1alpha1.ConditionReady)
	switch {
	case rank(old.Phase) >= rank(v1alpha1.PhaseLive) && rank(s.Phase) < rank(old.Phase):
		w.fail("the phase went back from %s to %s", old.Phase, s.Phase)
	case s.ObservedGeneration < old.ObservedGeneration:
		w.fail("a status of an older generation")
	case s.Revision < old.Revision:
		w.fail("the revision fell from %d to %d", old.Revision, s.Revision)
	case s.Phase == v1alpha1.PhaseLive && w.lane.GetOpenedAt() == nil:
		w.fail("Live before the lane opened")
	case ready.Status == metav1.ConditionTrue && !w.told():
		w.fail("Ready, but the services have been told something else than the spec: %v", w.topic)
	case old.Lane != nil && *old.Lane != *s.Lane:
		w.fail("the lane in the status changed")
	}
}

// checkConverged makes sure that what is published is what is wanted, for those who read the topic from
// its start and for those who have read it all along, and that each child stands.
func (w *world) checkConverged() {
	w.t.Helper()
	if w.object == nil || w.topic == nil || w.topic.GetClosed() {
		return
	}
	f := gather(w.snapshot(0), w.now)
	switch {
	case w.object.Spec.Suspend && !w.topic.GetSuspended():
		w.fail("the spec suspends the sale and the services have not been told")
	case f.times.End.Before(w.topic.GetEndAt().AsTime()):
		w.fail("the spec ends the sale earlier than the services have been told")
	case !f.publishable(): // then the rest of the last record stays, whichever it is, until the spec is corrected
	case w.heard.GetGeneration() != w.topic.GetGeneration() || !same(w.heard, w.topic):
		w.fail("the topic ends with generation %d, and its readers know %d", w.topic.GetGeneration(), w.heard.GetGeneration())
	case !same(f.want, w.topic):
		w.fail("it is published as %v, want %v", w.topic, f.want)
	case dedicated(w.object) && len(w.kinds) != len(w.settings.Children.Kinds()):
		w.fail("%d kinds of children stand, want one of each of %v", len(w.kinds), w.settings.Children.Kinds())
	}
}

// told tells whether campaigns.v1 says what the spec says.
func (w *world) told() bool {
	times, err := w.object.Spec.Schedule()
	want := desired(w.object, times, w.settings.Cluster, w.topic.GetLane())
	return err == nil && w.topic != nil && same(want, w.topic)
}

// checkQuiet makes sure that a second look at the same world writes nothing, and that nothing is
// gone whose end is not published.
func (w *world) checkQuiet() {
	w.t.Helper()
	if w.object == nil {
		if w.topic != nil && !w.topic.GetClosed() {
			w.fail("the object is gone and its campaign was not ended")
		}
		return
	}
	steps := Plan(w.snapshot(0), w.now)
	if steps.Hold || steps.Publish != nil || steps.Release || len(steps.Children) > 0 && w.quota == "" || steps.Items != nil {
		w.fail("a second plan still acts: %+v", steps)
	}
	if w.quota == "" && steps.Status != nil && !equality.Semantic.DeepEqual(*steps.Status, w.object.Status) {
		w.fail("a second plan writes another status")
	}
}

func (w *world) fail(format string, args ...any) {
	w.t.Helper()
	w.t.Fatalf("%s\nafter:\n%s", fmt.Sprintf(format, args...), w.log.String())
}
