package lane_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/qingcang/qingcang/proto/eventkit"
	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
	"github.com/qingcang/qingcang/proto/lane/record"
	"github.com/qingcang/qingcang/services/internal/fault"
	"github.com/qingcang/qingcang/services/internal/journal"
	"github.com/qingcang/qingcang/services/internal/testkit"
	"github.com/qingcang/qingcang/services/order/internal/lane"
	"github.com/qingcang/qingcang/services/order/internal/ledger"
)

const patience = 30 * time.Second

// world is a set of topics of the test's own, and one store of snapshots.
type world struct {
	conn          *eventkit.Conn
	snapshots     lane.Snapshots
	apart         *apart
	snapshotEvery int64
}

func newWorld(t testing.TB) *world {
	t.Helper()
	conn, err := eventkit.Dial(eventkit.Config{Brokers: testkit.Brokers(t), TopicPrefix: testkit.Prefix(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	for _, name := range []string{lane.SharedTopic, lane.CampaignTopic, lane.EventTopic} {
		topic, _ := eventkit.TopicNamed(name)
		if err := conn.Ensure(t.Context(), topic); err != nil {
			t.Fatal(err)
		}
	}
	db := testkit.Mongo(t)
	return &world{conn: conn, snapshots: journal.NewMongoStore(db, "lanes"), apart: &apart{db: db}, snapshotEvery: 50}
}

// replica is one process' lanes; it publishes as a member of the group, unless
// that is empty.
func (w *world) replica(t testing.TB, group string) (lanes *lane.Lanes, stop func()) {
	t.Helper()
	return w.process(t, group, "")
}

// only is a replica of one campaign's lane.
func (w *world) only(t testing.TB, uid string) (lanes *lane.Lanes, stop func()) {
	t.Helper()
	return w.process(t, "", uid)
}

func (w *world) process(t testing.TB, group, only string) (lanes *lane.Lanes, stop func()) {
	t.Helper()
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	campaigns := lane.NewCampaigns(w.conn, log)
	lanes, err := lane.New(lane.Config{
		Conn: w.conn, Campaigns: campaigns, Snapshots: w.snapshots, Dedicated: w.apart, Log: log, Only: only, SnapshotEvery: w.snapshotEvery,
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	var parts sync.WaitGroup
	parts.Go(func() { _ = campaigns.Run(ctx) })
	parts.Go(func() { _ = lanes.Run(ctx) })
	if group != "" {
		parts.Go(func() {
			roles := map[string]eventkit.Role{lane.SharedTopic: lanes.Publisher()}
			_ = w.conn.Consume(ctx, eventkit.Group{ID: group, Topics: roles, Log: log})
		})
	}
	stop = sync.OnceFunc(func() { cancel(); parts.Wait() })
	t.Cleanup(stop)
	testkit.Eventually(t, patience, func() error { return errors.Join(lanes.Ready(nil), campaigns.Ready(nil)) })
	return lanes, stop
}

// opens wants a campaign of one SKU on partition 1, gives it stock, and waits
// until it sells.
func (w *world) opens(t testing.TB, lanes *lane.Lanes, uid string, units int64) {
	t.Helper()
	now := time.Now()
	desired := &campaignv1.Desired{
		Uid: uid, Generation: 1, BrandId: "brand", HoldSeconds: 600, StartAt: timestamppb.New(now), EndAt: timestamppb.New(now.Add(time.Hour)),
		Items: []*campaignv1.Item{{Sku: "a", PriceFen: 100, SettlementFen: 70, Units: units}},
		Lane:  &campaignv1.Lane{Topic: lane.SharedTopic, Partition: 1},
	}
	if err := w.conn.Put(t.Context(), lane.CampaignTopic, uid, desired); err != nil {
		t.Fatal(err)
	}
	allocation := &record.Allocate{CampaignUID: uid, Generation: 1, Add: []record.Units{{SKU: "a", Units: units}}}
	do(t, lanes.All()[1], allocation)
	testkit.Eventually(t, patience, func() error { return inPhase(lanes, uid, campaignv1.Status_PHASE_OPEN) })
}

func inPhase(lanes *lane.Lanes, uid string, want campaignv1.Status_Phase) error {
	var status *campaignv1.Status
	lanes.All()[1].Peek(func(l *ledger.Ledger) { status, _ = l.Status(uid) })
	if status.GetPhase() != want {
		return fmt.Errorf("the campaign is in phase %s", status.GetPhase())
	}
	return nil
}

func do(t testing.TB, l *lane.Lane, c record.Command) {
	t.Helper()
	if err := l.Do(t.Context(), c); err != nil {
		t.Fatal(err)
	}
}

// place asks for one unit of "a" and returns the state of the order.
func place(ctx context.Context, l *lane.Lane, uid, order string) (ledger.State, error) {
	o, err := l.Place(ctx, &record.Place{OrderID: order, CampaignUID: uid, BuyerID: "buyer", Lines: []record.Units{{SKU: "a", Units: 1}}})
	return o.State, err
}

// TestAnOrderIsReadFromTheLog: a replica that was not there when it was placed has
// the snapshot's word for where it stands.
func TestAnOrderIsReadFromTheLog(t *testing.T) {
	w := newWorld(t)
	a, stop := w.replica(t, "order")
	w.opens(t, a, "sale", 100)
	p := &record.Place{
		OrderID: "ord_5nywrgzcxxdjvgszx7yac8ydxd", CampaignUID: "sale", BuyerID: "ann", OwnerID: "bob", AddressID: "addr",
		BodyHash: 7, TakeWhatFits: true, Lines: []record.Units{{SKU: "a", Units: 2}, {SKU: "x", Units: 1}},
	}
	placed, err := a.All()[1].Place(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 120 {
		if _, err := place(t.Context(), a.All()[1], "sale", fmt.Sprintf("o%d", i)); err != nil {
			t.Fatal(err)
		}
	}
	testkit.Eventually(t, patience, func() error {
		if _, found, err := w.snapshots.LatestSnapshot(t.Context(), 1); err != nil || !found {
			return fmt.Errorf("no snapshot yet: %w", err)
		}
		return nil
	})
	stop()
	b, _ := w.replica(t, "order")
	read, _, err := b.Order(t.Context(), p.OrderID)
	placed.Lines[0].SettlementPrice = 70 // what the lane's answer leaves out
	if err != nil || !reflect.DeepEqual(read, placed) {
		t.Errorf("it was placed as\n%+v\nand is\n%+v: %v", placed, read, err)
	}
	again, err := b.All()[1].Place(t.Context(), p)
	if err != nil || !reflect.DeepEqual(again, read) {
		t.Errorf("asked for again it is\n%+v: %v", again, err)
	}
}

func TestTwoReplicasSellWhatThereIs(t *testing.T) {
	w := newWorld(t)
	a, _ := w.replica(t, "order")
	b, _ := w.replica(t, "")
	w.opens(t, a, "sale", 100)

	var held, refused atomic.Int64
	var callers sync.WaitGroup
	for i := range 400 {
		l := []*lane.Lanes{a, b}[i%2].All()[1]
		callers.Go(func() {
			switch state, err := place(t.Context(), l, "sale", fmt.Sprintf("o%d", i)); {
			case err != nil:
				t.Error(err)
			case state == ledger.Held:
				held.Add(1)
			case state == ledger.Refused:
				refused.Add(1)
			}
		})
	}
	callers.Wait()
	if held.Load() != 100 || refused.Load() != 300 {
		t.Errorf("%d held and %d refused, want 100 and 300", held.Load(), refused.Load())
	}
	for i := range 400 { // each replica reads what the other wrote
		id := fmt.Sprintf("o%d", i)
		x, _, errX := a.Order(t.Context(), id)
		y, _, errY := b.Order(t.Context(), id)
		if err := errors.Join(errX, errY); err != nil || x.State != y.State {
			t.Fatalf("%s is %s and %s: %v", id, x.State, y.State, err)
		}
	}
}

func TestARestartGoesOnFromASnapshot(t *testing.T) {
	w := newWorld(t)
	a, stop := w.replica(t, "order")
	w.opens(t, a, "sale", 100)
	for i := range 120 {
		if _, err := place(t.Context(), a.All()[1], "sale", fmt.Sprintf("o%d", i)); err != nil {
			t.Fatal(err)
		}
	}
	testkit.Eventually(t, patience, func() error {
		if _, found, err := w.snapshots.LatestSnapshot(t.Context(), 1); err != nil || !found {
			return fmt.Errorf("no snapshot yet: %w", err)
		}
		return nil
	})
	stop()
	b, _ := w.replica(t, "order")
	for i := range 120 {
		o, _, err := b.Order(t.Context(), fmt.Sprintf("o%d", i))
		want := ledger.Held
		if i >= 100 {
			want = ledger.Refused
		}
		if err != nil || o.State != want {
			t.Fatalf("order %d is %q, want %q: %v", i, o.State, want, err)
		}
	}
	w.eventsAddUp(t, 100, 20)
}

func TestAHandoverLosesNoEvent(t *testing.T) {
	w := newWorld(t)
	a, stopA := w.replica(t, "order")
	b, _ := w.replica(t, "")
	w.opens(t, a, "sale", 60)
	for i := range 100 {
		if i == 50 {
			stopA()
			c, _ := w.replica(t, "order")
			a = c
		}
		for _, lanes := range []*lane.Lanes{a, b} { // the second asks for the same order again
			if i == 50 && lanes == b {
				continue
			}
			if _, err := place(t.Context(), lanes.All()[1], "sale", fmt.Sprintf("o%d", i)); err != nil {
				t.Fatal(err)
			}
		}
	}
	w.eventsAddUp(t, 60, 40)
}

// TestAStalePublisherOnlyRepeats: two groups assign each lane twice, as happens
// while a group does not know yet that a member is cut off.
func TestAStalePublisherOnlyRepeats(t *testing.T) {
	w := newWorld(t)
	a, _ := w.replica(t, "order")
	b, _ := w.replica(t, "stale")
	w.opens(t, a, "sale", 150)
	var callers sync.WaitGroup
	for i := range 200 {
		l := []*lane.Lanes{a, b}[i%2].All()[1]
		callers.Go(func() {
			if _, err := place(t.Context(), l, "sale", fmt.Sprintf("o%d", i)); err != nil {
				t.Error(err)
			}
		})
	}
	callers.Wait()
	w.eventsAddUp(t, 150, 50)
}

// eventsAddUp reads the events of partition 1 as a consumer does: repeats are
// dropped, and each event follows the one before it.
func (w *world) eventsAddUp(t *testing.T, held, refused int) {
	t.Helper()
	testkit.Eventually(t, patience, func() error {
		seen, last := map[string]int{}, eventkit.Event{}
		end, err := w.conn.EndOffset(t.Context(), lane.EventTopic, 1)
		if err != nil {
			return err
		}
		for offset := int64(0); offset < end; {
			records, err := w.conn.Fetch(t.Context(), lane.EventTopic, 1, offset)
			if err != nil {
				return err
			}
			for _, r := range records {
				offset = r.Offset + 1
				if repeats(t, r.Event, last) {
					continue
				}
				if r.Event.Prev != last.ID {
					t.Fatalf("%s follows %q, not %q", r.Event.ID, r.Event.Prev, last.ID)
				}
				last = r.Event
				seen[r.Event.Type]++
			}
		}
		if seen["order.v1.OrderHeld"] != held || seen["order.v1.OrderRefused"] != refused {
			return fmt.Errorf("the events are %v, want %d held and %d refused", seen, held, refused)
		}
		return nil
	})
}

func repeats(t *testing.T, e, last eventkit.Event) bool {
	t.Helper()
	p, err := e.Position()
	if err != nil {
		t.Fatal(err)
	}
	if last.ID == "" {
		return false
	}
	q, err := last.Position()
	if err != nil {
		t.Fatal(err)
	}
	return !p.After(q)
}

func TestBadEntries(t *testing.T) {
	w := newWorld(t)
	a, _ := w.replica(t, "order")
	w.opens(t, a, "sale", 10)

	t.Run("bytes that are no entry are skipped and counted", func(t *testing.T) {
		if _, err := w.conn.Append(t.Context(), lane.SharedTopic, 1, [][]byte{{record.Format, 0xff, 0xff}}); err != nil {
			t.Fatal(err)
		}
		if state, err := place(t.Context(), a.All()[1], "sale", "o1"); err != nil || state != ledger.Held {
			t.Errorf("the next order is %q: %v", state, err)
		}
		if got := a.All()[1].Skipped(); got != 1 {
			t.Errorf("%d entries skipped, want 1", got)
		}
	})
	t.Run("an entry under unknown rules stops its lane, and no other", func(t *testing.T) {
		entry := record.Entry{Rules: 99, Command: &record.Tick{}}
		unknown, err := entry.Append(nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.conn.Append(t.Context(), lane.SharedTopic, 1, [][]byte{unknown}); err != nil {
			t.Fatal(err)
		}
		testkit.Eventually(t, patience, func() error {
			if a.All()[1].Stopped() == "" {
				return errors.New("the lane runs")
			}
			return nil
		})
		if _, err := place(t.Context(), a.All()[1], "sale", "o2"); fault.KindOf(err) != fault.Unavailable {
			t.Errorf("a stopped lane answers %v", err)
		}
		do(t, a.All()[2], &record.Tick{})
	})
}
