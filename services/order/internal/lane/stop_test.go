package lane

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"

	"github.com/qingcang/qingcang/proto/eventkit"
	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
	"github.com/qingcang/qingcang/proto/lane/record"
	"github.com/qingcang/qingcang/services/order/internal/ledger"
)

func quietLane() *Lane {
	return newLane(SharedTopic, 1, Config{Log: slog.New(slog.DiscardHandler)})
}

func anOrder() *record.Place {
	return &record.Place{
		OrderID: "o", CampaignUID: "sale", BuyerID: "ann", Lines: []record.Units{{SKU: "a", Units: 1}},
	}
}

// A ledger without maps panics at the first thing that it has to remember.
func TestALaneThatPanickedStandsStillAndIsNotSaved(t *testing.T) {
	l := quietLane()
	l.ledger = &ledger.Ledger{}
	allocate := &record.Allocate{CampaignUID: "sale", Generation: 1}
	entry := record.Entry{Rules: ledger.Rules, Command: allocate}
	value, err := entry.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.take(t.Context(), []eventkit.Record{{Value: value}}); err == nil {
		t.Fatal("take says nothing of the panic")
	}
	if l.Stopped() == "" || l.applied() != 0 {
		t.Errorf("the lane is at %d, stopped: %q; want it to stand before the entry", l.applied(), l.Stopped())
	}
	l.marks.digests[1] = 0
	if at, ok := l.newestMark(); ok {
		t.Errorf("a snapshot at %d would be made of half an entry", at.next)
	}
	if _, err := l.Place(t.Context(), anOrder()); !errors.Is(err, errStopped) {
		t.Errorf("an order gives %v", err)
	}
}

func TestWhatIsSkippedAndWhenALaneBeginsAnew(t *testing.T) {
	for name, c := range map[string]struct {
		skip    int64
		stopped error
		want    bool
	}{
		"an entry that counted":                          {skip: 3, want: true},
		"an entry that was passed over":                  {skip: 4},
		"an entry that has not come":                     {skip: 9},
		"an entry that has not come, in one that stands": {skip: 9, stopped: errGap, want: true},
	} {
		t.Run(name, func(t *testing.T) {
			l := quietLane()
			l.next, l.stopped, l.passed[4], l.skips[4] = 9, c.stopped, true, c.skip != 4
			l.learnSkips([]int64{c.skip})
			if got := l.mustBeginAnew(); got != c.want {
				t.Errorf("the lane begins anew: %v, want %v", got, c.want)
			}
			l.learnSkips([]int64{c.skip})
			if c.stopped != nil && l.mustBeginAnew() {
				t.Error("a lane that stands begins anew for what it knew")
			}
		})
	}
}

func TestAFullQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := quietLane()
		for range queueLength {
			if err := l.desk.put(t.Context(), &call{}, true); err != nil {
				t.Fatal(err)
			}
		}
		if err := l.tell(t.Context(), anOrder()); !errors.Is(err, errBusy) {
			t.Errorf("an order gets %v, want %v", err, errBusy)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ticked := make(chan error, 1)
		go func() {
			ticked <- l.tell(ctx, &record.Tick{})
		}()
		synctest.Wait()
		sent := len(l.desk.take())
		synctest.Wait()
		if len(l.desk.waiting) != queueLength-sent+1 {
			t.Error("a place became free, and the tick that waited did not get it")
		}
		cancel()
		if err := <-ticked; !errors.Is(err, errTimeout) {
			t.Errorf("a tick that nobody appends gets %v", err)
		}
	})
}

// TestWhoGaveUpBeforeHisBatchWasSent: his order is not appended when the log is back.
func TestWhoGaveUpBeforeHisBatchWasSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := quietLane()
		ctx, cancel := context.WithCancel(t.Context())
		given, waits := make(chan error, 1), make(chan error, 1)
		go func() { given <- l.tell(ctx, anOrder()) }()
		synctest.Wait()
		go func() { waits <- l.tell(t.Context(), anOrder()) }()
		synctest.Wait()
		cancel()
		if err := <-given; !errors.Is(err, errTimeout) {
			t.Errorf("who gave up gets %v", err)
		}
		batch := l.desk.next(t.Context())
		if len(batch) != 1 || batch[0].seq != 2 {
			t.Fatalf("the batch has %d entries, want that of the one who waits", len(batch))
		}
		l.appendedAll(batch, nil)
		if err := <-waits; err != nil {
			t.Error(err)
		}
	})
}

func TestAnAllocationForALaneThatIsNotRunHereHoldsNobodyUp(t *testing.T) {
	lanes, err := New(Config{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := &campaignv1.Lane{Topic: DedicatedTopic("another")}
	if err := lanes.Allocate(t.Context(), elsewhere, &record.Allocate{CampaignUID: "sale", Generation: 1}); err != nil {
		t.Errorf("Allocate says %v: the partition of its events would stand still", err)
	}
	if err := lanes.Pay(t.Context(), elsewhere, &record.Pay{CampaignUID: "sale"}); !errors.Is(err, errNoLane) {
		t.Errorf("Pay says %v, want %v: money is not to be lost from sight", err, errNoLane)
	}
}

// TestATaskOfThePublisherGoesOnWhenTheLaneIsMended: without it, nothing would open,
// expire or close any more in a lane that stood still once.
func TestATaskOfThePublisherGoesOnWhenTheLaneIsMended(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := quietLane()
		l.goal = 0
		l.stop(t.Context(), errGap)
		begun := make(chan int, 2)
		ended := make(chan error, 1)
		go func() {
			n := 0
			ended <- l.acrossStops(t.Context(), func(context.Context) error {
				n++
				begun <- n
				if l.Stopped() != "" {
					return errStopped
				}
				return nil
			})
		}()
		if n := <-begun; n != 1 {
			t.Fatalf("the task was begun %d times", n)
		}
		synctest.Wait()
		select {
		case n := <-begun:
			t.Fatalf("the task was begun %d times while the lane stood still", n)
		default:
		}
		l.mu.Lock()
		l.stopped = nil
		l.wake()
		l.mu.Unlock()
		if n := <-begun; n != 2 {
			t.Errorf("the task was begun %d times", n)
		}
		if err := <-ended; err != nil {
			t.Errorf("the task ended with %v", err)
		}
	})
}

// TestALaneWaitsForTheTable: it says which entries are not to count, and a replica
// that has begun without it would decide otherwise than the others for a while.
func TestALaneWaitsForTheTable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := quietLane()
		l.campaigns = NewCampaigns(nil, l.log)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- l.run(ctx) }()
		synctest.Wait() // without a table, and before it reads a snapshot or the log, of which there are none here
		if err := l.caughtUp(); err == nil {
			t.Error("a lane is ready that does not know which entries count")
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}
