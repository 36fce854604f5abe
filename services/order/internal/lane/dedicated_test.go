package lane_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/mongo"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/qingcang/qingcang/proto/eventkit"
	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
	"github.com/qingcang/qingcang/proto/lane/record"
	"github.com/qingcang/qingcang/services/internal/fault"
	"github.com/qingcang/qingcang/services/internal/ids"
	"github.com/qingcang/qingcang/services/internal/journal"
	"github.com/qingcang/qingcang/services/internal/testkit"
	"github.com/qingcang/qingcang/services/order/internal/lane"
	"github.com/qingcang/qingcang/services/order/internal/ledger"
)

// apart keeps the snapshots of dedicated lanes in collections of their own.
type apart struct {
	db     *mongo.Database
	forgot atomic.Int64
}

func (a *apart) Of(uid string) lane.Snapshots { return journal.NewMongoStore(a.db, "lane_"+uid) }

func (a *apart) Forget(ctx context.Context, uid string) error {
	a.forgot.Add(1)
	return a.db.Collection("lane_" + uid + "_snapshots").Drop(ctx)
}

func ownLane(uid string) *campaignv1.Lane { return &campaignv1.Lane{Topic: lane.DedicatedTopic(uid)} }

// wants publishes a campaign with a lane, as the operator does.
func (w *world) wants(t testing.TB, uid string, at *campaignv1.Lane, units int64, closed bool) {
	t.Helper()
	now := time.Now()
	desired := &campaignv1.Desired{
		Uid: uid, Generation: 1, BrandId: "brand", HoldSeconds: 600, StartAt: timestamppb.New(now.Add(-time.Minute)), EndAt: timestamppb.New(now.Add(time.Hour)),
		Items: []*campaignv1.Item{{Sku: "a", PriceFen: 100, SettlementFen: 70, Units: units}}, Lane: at, Closed: closed,
	}
	if closed {
		desired.Generation = 2
	}
	if err := w.conn.Put(t.Context(), lane.CampaignTopic, uid, desired); err != nil {
		t.Fatal(err)
	}
}

// ownTopic makes a campaign's topic.
func (w *world) ownTopic(t testing.TB, uid string) {
	t.Helper()
	topic, ok := eventkit.TopicNamed(lane.DedicatedTopic(uid))
	if !ok {
		t.Fatalf("%s is of no family", lane.DedicatedTopic(uid))
	}
	if err := w.conn.Ensure(t.Context(), topic); err != nil {
		t.Fatal(err)
	}
}

// opensAlone is opens on a lane of the campaign's own.
func (w *world) opensAlone(t testing.TB, lanes *lane.Lanes, uid string, units int64) {
	t.Helper()
	w.ownTopic(t, uid)
	w.wants(t, uid, ownLane(uid), units, false)
	allocation := &record.Allocate{CampaignUID: uid, Generation: 1, Add: []record.Units{{SKU: "a", Units: units}}}
	testkit.Eventually(t, patience, func() error { return lanes.Allocate(t.Context(), ownLane(uid), allocation) })
	testkit.Eventually(t, patience, func() error {
		return aloneInPhase(lanes, uid, campaignv1.Status_PHASE_OPEN)
	})
}

func aloneInPhase(lanes *lane.Lanes, uid string, want campaignv1.Status_Phase) error {
	l, ok := lanes.Dedicated(uid)
	if !ok {
		return errors.New("the lane is not there")
	}
	if status, _, _ := l.Status(uid); status.GetPhase() != want {
		return fmt.Errorf("the campaign is in phase %s", status.GetPhase())
	}
	return nil
}

// placeAlone asks for one unit.
func placeAlone(ctx context.Context, lanes *lane.Lanes, uid, order string) (ledger.State, error) {
	p := &record.Place{OrderID: order, CampaignUID: uid, BuyerID: order, Lines: []record.Units{{SKU: "a", Units: 1}}}
	o, err := lanes.Place(ctx, ownLane(uid), p)
	return o.State, err
}

// TestADedicatedLaneFromItsFirstOrderToItsRest: two replicas of its own and one of the shared pool sell it; the
// dedicated ones end in mid-sale, the shared one goes on, and who starts later finds the lane at rest.
func TestADedicatedLaneFromItsFirstOrderToItsRest(t *testing.T) {
	w := newWorld(t)
	shared, stopShared := w.replica(t, "order")
	const uid = "11111111-2222-3333-4444-555555555555"
	alone1, stop1 := w.only(t, uid)
	alone2, stop2 := w.only(t, uid)
	w.opensAlone(t, shared, uid, 100)
	for _, r := range []*lane.Lanes{alone1, alone2} {
		testkit.Eventually(t, patience, func() error { return aloneInPhase(r, uid, campaignv1.Status_PHASE_OPEN) })
	}

	order := func(r *lane.Lanes, i int) {
		t.Helper()
		want := ledger.Held
		if i >= 100 {
			want = ledger.Refused
		}
		if state, err := placeAlone(t.Context(), r, uid, fmt.Sprintf("o%03d", i)); err != nil || state != want {
			t.Fatalf("order %d is %q, want %q: %v", i, state, want, err)
		}
	}
	for i := range 60 {
		order([]*lane.Lanes{alone1, alone2, shared}[i%3], i)
	}
	stop1()
	stop2()
	for i := 60; i < 120; i++ {
		order(shared, i)
	}
	if o, at, err := shared.Order(t.Context(), "o007"); err != nil || o.State != ledger.Held || at.GetTopic() != lane.DedicatedTopic(uid) {
		t.Errorf("an order that a dedicated replica took is %q on %s: %v", o.State, at.GetTopic(), err)
	}
	w.ownEventsAddUp(t, uid, 100, 20)

	for i := range 100 {
		cancel := &record.Cancel{OrderID: fmt.Sprintf("o%03d", i), CampaignUID: uid}
		if err := shared.Do(t.Context(), ownLane(uid), cancel); err != nil {
			t.Fatal(err)
		}
	}
	w.wants(t, uid, ownLane(uid), 100, true)
	testkit.Eventually(t, patience, func() error { return aloneInPhase(shared, uid, campaignv1.Status_PHASE_DRAINED) })
	if err := shared.Do(t.Context(), ownLane(uid), &record.Settle{CampaignUID: uid}); err != nil {
		t.Fatal(err)
	}
	rests := func(r *lane.Lanes) func() error {
		return func() error {
			if l, ok := r.Dedicated(uid); !ok || !l.Rests() {
				return errors.New("the lane does not rest")
			}
			return nil
		}
	}
	testkit.Eventually(t, patience, rests(shared))
	w.refusesForGood(t, shared, uid)
	stopShared()

	later, _ := w.replica(t, "order")
	if err := rests(later)(); err != nil {
		t.Errorf("a replica that starts behind the end: %v", err)
	}
	w.refusesForGood(t, later, uid)
	w.lateMoney(t, later, uid)
	testkit.Eventually(t, patience, rests(later))

	if err := w.conn.Put(t.Context(), lane.CampaignTopic, uid, nil); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, patience, func() error {
		if _, known := later.Dedicated(uid); known || w.apart.forgot.Load() == 0 {
			return errors.New("the campaign is not forgotten")
		}
		return nil
	})
}

// TestWhoStopsDoesNotSayThatTheSaleIsOver: requests in flight may outlive their lanes, and a buyer does not come back to a
// campaign that is closed.
func TestWhoStopsDoesNotSayThatTheSaleIsOver(t *testing.T) {
	w := newWorld(t)
	shared, stop := w.replica(t, "")
	w.opensAlone(t, shared, "hot", 10)
	stop()
	if state, err := placeAlone(t.Context(), shared, "hot", "h1"); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("an order is %q: %v", state, err)
	}
	reason, _, err := shared.Refusal(t.Context(), ownLane("hot"), lane.Ask{CampaignUID: "hot", BuyerID: "ann"})
	if fault.KindOf(err) != fault.Unavailable {
		t.Errorf("a buyer is refused for %q: %v", reason, err)
	}
}

// refusesForGood asks a lane at rest.
func (w *world) refusesForGood(t *testing.T, r *lane.Lanes, uid string) {
	t.Helper()
	reason, at, err := r.Refusal(t.Context(), ownLane(uid), lane.Ask{CampaignUID: uid, BuyerID: "late"})
	if reason != ledger.Closed || at == 0 || err != nil {
		t.Errorf("a lane at rest refuses for %q at %d, %v", reason, at, err)
	}
	if state, err := placeAlone(t.Context(), r, uid, "late"); state != ledger.Refused || err != nil {
		t.Errorf("a lane at rest makes an order %q, %v", state, err)
	}
}

// lateMoney comes for an order of a lane at rest, and has its answer.
func (w *world) lateMoney(t *testing.T, r *lane.Lanes, uid string) {
	t.Helper()
	pay := &record.Pay{OrderID: "o001", CampaignUID: uid, PaymentID: "late", Fen: 100}
	testkit.Eventually(t, patience, func() error { return r.Pay(t.Context(), ownLane(uid), pay) })
	testkit.Eventually(t, patience, func() error {
		if n := w.ownEvents(t, uid)["order.v1.PaymentUnwanted"]; n != 1 {
			return fmt.Errorf("%d answers to late money", n)
		}
		return nil
	})
}

// ownEvents counts what a dedicated lane published, by type: once each, none missing.
func (w *world) ownEvents(t *testing.T, uid string) map[string]int {
	t.Helper()
	seen, last := map[string]int{}, eventkit.Event{}
	partition := ids.Shard(uid, 8)
	end, err := w.conn.EndOffset(t.Context(), lane.EventTopic, partition)
	if err != nil {
		t.Fatal(err)
	}
	for offset := int64(0); offset < end; {
		records, err := w.conn.Fetch(t.Context(), lane.EventTopic, partition, offset)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range records {
			offset = r.Offset + 1
			p, err := r.Event.Position()
			if err != nil {
				t.Fatal(err)
			}
			if p.Source != lane.DedicatedTopic(uid)+"/0" || repeats(t, r.Event, last) {
				continue
			}
			if r.Event.Prev != last.ID {
				t.Fatalf("%s follows %q, not %q", r.Event.ID, r.Event.Prev, last.ID)
			}
			last = r.Event
			seen[r.Event.Type]++
		}
	}
	return seen
}

func (w *world) ownEventsAddUp(t *testing.T, uid string, held, refused int) {
	t.Helper()
	testkit.Eventually(t, patience, func() error {
		if seen := w.ownEvents(t, uid); seen["order.v1.OrderHeld"] != held || seen["order.v1.OrderRefused"] != refused {
			return fmt.Errorf("the events are %v, want %d held and %d refused", seen, held, refused)
		}
		return nil
	})
}

func TestADedicatedReplicaRunsOneLaneOnly(t *testing.T) {
	w := newWorld(t)
	shared, _ := w.replica(t, "order")
	w.opens(t, shared, "sale", 10)
	if state, err := place(t.Context(), shared.All()[1], "sale", "o1"); err != nil || state != ledger.Held {
		t.Fatalf("%q: %v", state, err)
	}
	alone, _ := w.only(t, "hot") // ready, though nobody has published the campaign yet
	notHere := func(what string, err error) {
		t.Helper()
		var f *fault.Error
		if !errors.As(err, &f) || f.Code != "lane_not_here" || fault.KindOf(err) != fault.Unavailable {
			t.Errorf("%s: %v", what, err)
		}
	}
	_, err := alone.LaneOf("sale")
	notHere("the lane of another campaign", err)
	_, err = alone.Place(t.Context(), &campaignv1.Lane{Topic: lane.SharedTopic, Partition: 1}, &record.Place{OrderID: "o2", CampaignUID: "sale"})
	notHere("an order on a shared lane", err)
	_, _, err = alone.Order(t.Context(), "o1")
	notHere("an order that a shared lane has", err)
	notHere("money for another lane", alone.Pay(t.Context(), ownLane("cold"), &record.Pay{OrderID: "o1", CampaignUID: "cold"}))
	if _, err := alone.LaneOf("hot"); !errors.Is(err, lane.ErrUnknownCampaign) {
		t.Errorf("its own, which is not published: %v", err)
	}

	w.opensAlone(t, shared, "hot", 10)
	testkit.Eventually(t, patience, func() error {
		_, err := placeAlone(t.Context(), alone, "hot", "h1")
		return err
	})
}

func TestALaneOfAWrongNameIsRefusedAlone(t *testing.T) {
	w := newWorld(t)
	wrong := map[string]*campaignv1.Lane{
		"another-campaigns": ownLane("cold"),
		"second-partition":  {Topic: lane.DedicatedTopic("second-partition"), Partition: 1},
		"other-topic":       {Topic: "orders"},
		"none":              {},
		"bad.uid":           ownLane("bad.uid"),
	}
	for uid, at := range wrong {
		w.wants(t, uid, at, 10, false)
	}
	shared, _ := w.replica(t, "order")
	for uid, at := range wrong {
		if _, err := shared.LaneOf(uid); fault.KindOf(err) != fault.Unavailable {
			t.Errorf("%s is served: %v", uid, err)
		}
		if err := shared.Allocate(t.Context(), at, &record.Allocate{CampaignUID: uid, Generation: 1}); err != nil {
			t.Errorf("stock for %s holds up the others': %v", uid, err)
		}
		if err := shared.Pay(t.Context(), at, &record.Pay{CampaignUID: uid, OrderID: "o"}); fault.KindOf(err) != fault.Unavailable {
			t.Errorf("money for %s is lost from sight: %v", uid, err)
		}
	}
	w.opensAlone(t, shared, "hot", 10)
	if state, err := placeAlone(t.Context(), shared, "hot", "h1"); err != nil || state != ledger.Held {
		t.Errorf("beside them an order is %q: %v", state, err)
	}
}

func TestALaneWhoseTopicIsMissingHoldsNobodyUp(t *testing.T) {
	w := newWorld(t)
	w.wants(t, "early", ownLane("early"), 10, false)
	shared, _ := w.replica(t, "order") // is ready
	w.opens(t, shared, "sale", 10)
	if _, err := placeAlone(t.Context(), shared, "early", "e1"); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("without its topic an order is %v", err)
	}
	w.ownTopic(t, "early")
	allocation := &record.Allocate{CampaignUID: "early", Generation: 1, Add: []record.Units{{SKU: "a", Units: 10}}}
	testkit.Eventually(t, patience, func() error { return shared.Allocate(t.Context(), ownLane("early"), allocation) })
	testkit.Eventually(t, patience, func() error { return aloneInPhase(shared, "early", campaignv1.Status_PHASE_OPEN) })
	if state, err := placeAlone(t.Context(), shared, "early", "e1"); err != nil || state != ledger.Held {
		t.Errorf("an order is %q: %v", state, err)
	}
}
