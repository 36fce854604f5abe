package campaign

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
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
	// takes no older one; ended tells that one of all records was an end.
	topic, heard *campaignv1.Desired
	ended        bool
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
	// others are the campaigns in partition 1 of the shared lanes; partition 0 has one.
	others int
	log    strings.Builder
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
		Settings: w.settings, Campaign: c, Attempted: w.attempted, Lane: w.lane, Program: w.program,
		Published: w.topic, Newest: outline(w.heard), Ended: w.ended,
		Shared: []LaneUse{{Partition: 0, Campaigns: 1}, {Partition: 1, Campaigns: w.others}},
		Pods:   Pods{Order: orderService(), Live: w.kinds},
	}
	if w.topic.GetClosed() && w.heard.GetClosed() {
		// Of what is over an operator keeps its generation alone.
		s.Published = &campaignv1.Desired{Uid: w.topic.GetUid(), Generation: w.topic.GetGeneration(), Closed: true}
		s.Newest, s.Lane = s.Published, nil
	}
	if StockNeeded(c, s.Lane) != NoStock {
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

// outline is what an operator keeps of a record that stands no more.
func outline(d *campaignv1.Desired) *campaignv1.Desired {
	d = proto.CloneOf(d)
	if d != nil {
		d.Items = nil
	}
	return d
}

// ask is an OwnerProgram that comes to ask for a return window, or for none.
func (w *world) ask(p ProgramWindow) {
	w.program = p
	w.say("programme asks for a return window of %s", p.Window)
}

// approve is the brand's stock growing.
func (w *world) approve(units int64) {
	w.pool += units
	w.gained = true
	w.say("brand     has %d more units approved", units)
}
