package lane_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
	journalv1 "github.com/qingcang/qingcang/proto/gen/journal/v1"
	lanev1 "github.com/qingcang/qingcang/proto/gen/lane/v1"
	"github.com/qingcang/qingcang/proto/lane/record"
	"github.com/qingcang/qingcang/services/internal/journal"
	"github.com/qingcang/qingcang/services/internal/testkit"
	"github.com/qingcang/qingcang/services/order/internal/lane"
	"github.com/qingcang/qingcang/services/order/internal/ledger"
)

// skips names offsets in the desired state of the campaign "sale".
func (w *world) skips(t *testing.T, uid string, offsets ...int64) {
	t.Helper()
	desired := &campaignv1.Desired{Uid: uid, Generation: 2, BrandId: "brand", Lane: &campaignv1.Lane{
		Topic: lane.SharedTopic, Partition: 1, SkipOffsets: offsets,
	}}
	if err := w.conn.Put(t.Context(), lane.CampaignTopic, uid, desired); err != nil {
		t.Fatal(err)
	}
}

// stops appends an entry that no binary knows and returns its offset.
func (w *world) stops(t *testing.T, l *lane.Lane) int64 {
	t.Helper()
	entry := record.Entry{Rules: 99, Command: &record.Tick{}}
	value, err := entry.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	done, err := w.conn.Append(t.Context(), lane.SharedTopic, 1, [][]byte{value})
	if err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, patience, func() error {
		if l.Stopped() == "" {
			return errors.New("the lane runs")
		}
		return nil
	})
	return done.BaseOffset
}

// timeGoesOn waits for a tick behind now.
func (w *world) timeGoesOn(t *testing.T, l *lane.Lane) {
	t.Helper()
	now := func() (at time.Time) {
		l.Peek(func(state *ledger.Ledger) { at = state.Now() })
		return at
	}
	before := now()
	testkit.Eventually(t, patience, func() error {
		if !now().After(before) {
			return errors.New("ledger time stands still")
		}
		return nil
	})
}

func TestAStoppedLaneGoesOnBehindAnEntryThatIsSkipped(t *testing.T) {
	w := newWorld(t)
	w.snapshotEvery = 10
	a, stopA := w.replica(t, "order")
	b, _ := w.replica(t, "")
	w.opens(t, a, "sale", 100)
	for i := range 30 { // a snapshot from before
		if _, err := place(t.Context(), a.All()[1], "sale", fmt.Sprintf("before-%d", i)); err != nil {
			t.Fatal(err)
		}
	}
	offset := w.stops(t, a.All()[1])
	w.skips(t, "other", offset)
	for name, replica := range map[string]*lane.Lanes{"the publisher": a, "another replica": b} {
		testkit.Eventually(t, patience, func() error {
			if reason := replica.All()[1].Stopped(); reason != "" {
				return fmt.Errorf("%s stands still: %s", name, reason)
			}
			return nil
		})
	}
	for i := range 30 { // and one from behind
		if state, err := place(t.Context(), b.All()[1], "sale", fmt.Sprintf("behind-%d", i)); err != nil || state != ledger.Held {
			t.Fatalf("order %d behind the entry is %q: %v", i, state, err)
		}
	}
	w.timeGoesOn(t, a.All()[1])
	stopA()
	c, _ := w.replica(t, "order")
	if state, err := place(t.Context(), c.All()[1], "sale", "last"); err != nil || state != ledger.Held {
		t.Errorf("a replica that started later says %q: %v", state, err)
	}
	w.eventsAddUp(t, 61, 0)
}

// TestAnEntryThatCountedAndIsSkippedLater: the replica begins anew without it.
func TestAnEntryThatCountedAndIsSkippedLater(t *testing.T) {
	w := newWorld(t)
	a, _ := w.replica(t, "order")
	l := a.All()[1]
	w.opens(t, a, "sale", 3)
	for _, id := range []string{"o0", "o1"} {
		if _, err := place(t.Context(), l, "sale", id); err != nil {
			t.Fatal(err)
		}
	}
	at, _, err := a.Order(t.Context(), "o1")
	if err != nil {
		t.Fatal(err)
	}
	w.skips(t, "other", at.Offset)
	testkit.Eventually(t, patience, func() error {
		// Who asks in the middle of it is not told that there is no such order.
		if state, err := place(t.Context(), l, "sale", "o0"); err != nil || state != ledger.Held {
			t.Errorf("an order that was held is %q: %v", state, err)
		}
		if _, _, err := a.Order(t.Context(), "o1"); !errors.Is(err, lane.ErrUnknownOrder) {
			return fmt.Errorf("the order is still there: %w", err)
		}
		return nil
	})
	for _, id := range []string{"o2", "o3"} {
		if state, err := place(t.Context(), l, "sale", id); err != nil || state != ledger.Held {
			t.Errorf("%s is %q: %v", id, state, err)
		}
	}
}

// swapped gives a lane snapshots that say something else than its log.
type swapped struct {
	lane.Snapshots
	change func(*journalv1.Snapshot)
}

func (s *swapped) LatestSnapshot(ctx context.Context, partition int) (*journalv1.Snapshot, bool, error) {
	stored, found, err := s.Snapshots.LatestSnapshot(ctx, partition)
	if found {
		stored = proto.CloneOf(stored)
		s.change(stored)
	}
	return stored, found, err
}

// TestASnapshotThatDisagreesWithTheLogIsReplaced: the snapshot is whole and of
// another sale. Whoever checks it against the replica that serves finds out, reads
// the whole log, and writes down what that says.
func TestASnapshotThatDisagreesWithTheLogIsReplaced(t *testing.T) {
	w := newWorld(t)
	store := journal.NewMemoryStore()
	lying := true
	w.snapshots, w.snapshotEvery = &swapped{Snapshots: store, change: func(s *journalv1.Snapshot) {
		if !lying {
			return
		}
		empty, err := ledger.New().Encode()
		if err != nil {
			t.Error(err)
		}
		kept := &lanev1.Snapshot{}
		if err := proto.Unmarshal(s.GetState(), kept); err != nil {
			t.Error(err)
		}
		kept.State = empty
		if s.State, err = proto.Marshal(kept); err != nil {
			t.Error(err)
		}
	}}, 10
	a, stop := w.replica(t, "order")
	w.opens(t, a, "sale", 100)
	for i := range 60 {
		if _, err := place(t.Context(), a.All()[1], "sale", fmt.Sprintf("o%d", i)); err != nil {
			t.Fatal(err)
		}
	}
	testkit.Eventually(t, patience, func() error {
		s, found, err := store.LatestSnapshot(t.Context(), 1)
		if err != nil || !found || s.GetSeq() < 50 {
			return fmt.Errorf("no second snapshot yet, %w", err)
		}
		return nil
	})
	stop()
	lying = false
	b, _ := w.replica(t, "order")
	for i := range 60 {
		if o, _, err := b.Order(t.Context(), fmt.Sprintf("o%d", i)); err != nil || o.State != ledger.Held {
			t.Fatalf("o%d is %q: %v", i, o.State, err)
		}
	}
}

// TestASnapshotThatCannotBeRead: it only shortens a start, so the lane begins with
// its whole log.
func TestASnapshotThatCannotBeRead(t *testing.T) {
	w := newWorld(t)
	store := journal.NewMemoryStore()
	w.snapshots, w.snapshotEvery = store, 10
	a, stop := w.replica(t, "order")
	w.opens(t, a, "sale", 100)
	for i := range 30 {
		if _, err := place(t.Context(), a.All()[1], "sale", fmt.Sprintf("o%d", i)); err != nil {
			t.Fatal(err)
		}
	}
	testkit.Eventually(t, patience, func() error {
		if _, found, err := store.LatestSnapshot(t.Context(), 1); err != nil || !found {
			return fmt.Errorf("no snapshot yet, %w", err)
		}
		return nil
	})
	stop()
	w.snapshots = &swapped{Snapshots: store, change: func(s *journalv1.Snapshot) { s.State = s.GetState()[:len(s.GetState())/2] }}
	b, _ := w.replica(t, "order")
	for i := range 30 {
		if o, _, err := b.Order(t.Context(), fmt.Sprintf("o%d", i)); err != nil || o.State != ledger.Held {
			t.Fatalf("o%d is %q: %v", i, o.State, err)
		}
	}
}

func TestARefusalThatNeedsNoEntry(t *testing.T) {
	w := newWorld(t)
	a, _ := w.replica(t, "order")
	b, _ := w.replica(t, "")
	w.opens(t, a, "sale", 1)
	ask := func(order, buyer string) string {
		t.Helper()
		reason, at, err := b.Refusal(t.Context(), b.All()[1].Name(), lane.Ask{CampaignUID: "sale", OrderID: order, BuyerID: buyer})
		if err != nil {
			t.Fatal(err)
		}
		if end, err := w.conn.EndOffset(t.Context(), lane.SharedTopic, 1); err != nil || reason != "" && at > end {
			t.Errorf("%s counts at %d, and the log ends at %d: %v", reason, at, end, err)
		}
		return reason
	}
	if got := ask("o1", "ann"); got != "" {
		t.Errorf("an order that may be held is refused: %s", got)
	}
	if _, err := place(t.Context(), a.All()[1], "sale", "o1"); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, patience, func() error { // b hears of it from the log
		if got := ask("o2", "bob"); got != ledger.SoldOut {
			return fmt.Errorf("the refusal is %q, want %s", got, ledger.SoldOut)
		}
		return nil
	})
	if got := ask("o1", "ann"); got != "" {
		t.Errorf("an order that is held is refused when it is asked for again: %s", got)
	}
	if got, _, _ := b.Refusal(t.Context(), b.All()[1].Name(), lane.Ask{CampaignUID: "nobody's"}); got != ledger.NotOpen {
		t.Errorf("a campaign that the lane has not heard of is refused as %q, want %s", got, ledger.NotOpen)
	}
}
