package lane

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/qingcang/qingcang/proto/eventkit"
	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
	"github.com/qingcang/qingcang/proto/lane/record"
	"github.com/qingcang/qingcang/services/internal/journal"
	"github.com/qingcang/qingcang/services/internal/testkit"
	"github.com/qingcang/qingcang/services/order/internal/ledger"
)

// drawers keep the snapshots of dedicated lanes in memory.
type drawers struct {
	mu sync.Mutex
	of map[string]*journal.MemoryStore
}

func (d *drawers) Of(uid string) Snapshots {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.of == nil {
		d.of = map[string]*journal.MemoryStore{}
	}
	if d.of[uid] == nil {
		d.of[uid] = journal.NewMemoryStore()
	}
	return d.of[uid]
}

func (d *drawers) Forget(context.Context, string) error { return nil }

// overAndSaved is what the last snapshot of a campaign's lane holds.
func overAndSaved(t *testing.T, uid string) saved {
	t.Helper()
	s := nothingSaved()
	for _, c := range []record.Command{
		&record.Want{Desired: &campaignv1.Desired{Uid: uid, Generation: 1, BrandId: "brand", Closed: true, HoldSeconds: 600}},
		&record.Settle{CampaignUID: uid},
	} {
		if _, err := s.ledger.Apply(s.next, record.Entry{Rules: ledger.FirstRules, Command: c}); err != nil {
			t.Fatal(err)
		}
		s.next++
	}
	if !s.ledger.Retired(uid) {
		t.Fatal("the campaign has not left the ledger")
	}
	return s
}

// lives is dedicated lanes that are begun, and counted, but not run.
func lives() (s *dedicated, begun func() int) {
	s = newDedicated(Config{Log: slog.New(slog.DiscardHandler), Dedicated: &drawers{}})
	n := 0
	s.start = func(*Lane) { n++ }
	return s, func() int { return n }
}

// TestALaneHasOneLifeAtATime: two would read the log twice into one ledger. What was loaded may say that the lane can rest;
// it rests when all that was begun for it has ended.
func TestALaneHasOneLifeAtATime(t *testing.T) {
	s, begun := lives()
	wake := func() *Lane {
		t.Helper()
		l, err := s.awake("hot")
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	l := wake()
	end := overAndSaved(t, "hot")
	l.takeUp(end, end.found, end.next)
	if wake(); begun() != 1 {
		t.Errorf("the lane was begun %d times in its first life", begun())
	}
	s.end(l, true)
	if wake(); begun() != 2 || l.stageNow() != loading {
		t.Errorf("behind its rest it was begun %d times", begun())
	}
	if wake(); begun() != 2 {
		t.Errorf("the lane was begun %d times in its second life", begun())
	}
}

func TestALaneThatIsWokenUpMakesNobodyUnready(t *testing.T) {
	s, _ := lives()
	l, err := s.awake("hot")
	if err != nil {
		t.Fatal(err)
	}
	s.surveyed, s.first = true, map[*Lane]bool{l: true}
	if err := errors.Join(s.caughtUp()...); err == nil {
		t.Error("a replica is ready that has not loaded the lanes of its start")
	}
	end := overAndSaved(t, "hot")
	l.takeUp(end, end.found, end.next)
	s.end(l, true)
	if _, err := s.awake("hot"); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.caughtUp()...); err != nil {
		t.Errorf("late money makes the replica unready: %v", err)
	}
}

// TestNobodyWaitsForALaneThatHasLeft: the events of a brand would stand still behind an allocation that nobody appends.
func TestNobodyWaitsForALaneThatHasLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := quietLane()
		for range queueLength {
			go func() { _ = l.tell(t.Context(), &record.Allocate{}) }()
		}
		synctest.Wait()
		told := make(chan error, 1)
		go func() { told <- l.tell(t.Context(), &record.Allocate{}) }() // waits for a place
		synctest.Wait()
		l.leave(true)
		if err := <-told; !errors.Is(err, errLog) {
			t.Errorf("who waited for a place gets %v", err)
		}
		if err := l.tell(t.Context(), &record.Allocate{}); !errors.Is(err, errLog) {
			t.Errorf("who came too late gets %v", err)
		}
		if !l.wakeUp() {
			t.Fatal("it does not rest")
		}
		go func() { told <- l.tell(t.Context(), &record.Allocate{}) }()
		batch := l.desk.next(t.Context())
		l.appendedAll(batch, nil)
		if err := <-told; err != nil || len(batch) != 1 {
			t.Errorf("when it is awake again, %d entries wait, and who told it gets %v", len(batch), err)
		}
	})
}

// TestALaneThatWaitsForRoomHoldsNoStockUp: all brands' events stand in a few partitions.
func TestALaneThatWaitsForRoomHoldsNoStockUp(t *testing.T) {
	conn := harbour(t)
	const uid = "one-too-many"
	at := &campaignv1.Lane{Topic: DedicatedTopic(uid)}
	topic, _ := eventkit.TopicNamed(at.GetTopic())
	if err := conn.Ensure(t.Context(), topic); err != nil {
		t.Fatal(err)
	}
	if err := conn.Put(t.Context(), CampaignTopic, uid, &campaignv1.Desired{Uid: uid, Generation: 1, Lane: at}); err != nil {
		t.Fatal(err)
	}
	lanes, run := fleet(t, conn, &drawers{})
	for range mostDedicated {
		lanes.own.rooms <- struct{}{}
	}
	run()
	testkit.Eventually(t, patience, func() error {
		if l, ok := lanes.Dedicated(uid); !ok || l.stageNow() != queued {
			return errors.New("the lane does not wait")
		}
		return nil
	})
	if err := lanes.Allocate(t.Context(), at, &record.Allocate{CampaignUID: uid, Generation: 1}); err != nil {
		t.Errorf("stock gets %v", err)
	}
	if end, err := conn.EndOffset(t.Context(), at.GetTopic(), 0); err != nil || end != 1 {
		t.Errorf("the log ends at %d: %v", end, err)
	}
	if err := lanes.Pay(t.Context(), at, &record.Pay{CampaignUID: uid, OrderID: "o"}); !errors.Is(err, errStarting) {
		t.Errorf("money, which waits for its answer, gets %v", err)
	}
	<-lanes.own.rooms
	l, _ := lanes.Dedicated(uid)
	testkit.Eventually(t, patience, func() error {
		if next := l.applied(); next < 1 {
			return fmt.Errorf("%d entries are applied", next)
		}
		return nil
	})
}

// TestALaneThatNobodyKnowsIsLetGo: late money for a campaign whose record and topic are gone begins its lane again, each
// time that it comes.
func TestALaneThatNobodyKnowsIsLetGo(t *testing.T) {
	conn := harbour(t)
	lanes, run := fleet(t, conn, &drawers{})
	run()
	testkit.Eventually(t, patience, func() error { return lanes.Ready(nil) })
	if err := lanes.Pay(t.Context(), &campaignv1.Lane{Topic: DedicatedTopic("long-gone")}, &record.Pay{CampaignUID: "long-gone"}); !errors.Is(err, errStarting) {
		t.Errorf("money gets %v", err)
	}
	l, ok := lanes.Dedicated("long-gone")
	if !ok {
		t.Fatal("the lane is not looked for")
	}
	testkit.Eventually(t, patience, func() error {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.stage != absent {
			return errors.New("the lane does not wait for its topic")
		}
		l.absentSince = time.Now().Add(-forsakenAfter)
		return nil
	})
	testkit.Eventually(t, patience, func() error {
		if _, ok := lanes.Dedicated("long-gone"); ok {
			return errors.New("its topic is looked for still")
		}
		return nil
	})
	if stages, _ := lanes.own.counts(); stages[absent] != 0 || len(lanes.own.alive) != 0 {
		t.Errorf("the lanes are %v", stages)
	}
}

func TestAReplicaOfOneLaneSaysIfThereIsNone(t *testing.T) {
	for name, c := range map[string]struct {
		lane *campaignv1.Lane
		want string
	}{
		"its own":                    {&campaignv1.Lane{Topic: DedicatedTopic("hot")}, ""},
		"none, nor a campaign":       {nil, "level=INFO"},
		"a shared one":               {&campaignv1.Lane{Topic: SharedTopic, Partition: 3}, "level=ERROR"},
		"another campaign's":         {&campaignv1.Lane{Topic: DedicatedTopic("cold")}, "level=ERROR"},
		"its own, another partition": {&campaignv1.Lane{Topic: DedicatedTopic("hot"), Partition: 1}, "level=ERROR"},
	} {
		t.Run(name, func(t *testing.T) {
			var said bytes.Buffer
			log := slog.New(slog.NewTextHandler(&said, nil))
			s := newDedicated(Config{Log: log, Campaigns: NewCampaigns(nil, log), Only: "hot"})
			if c.lane != nil {
				value, err := proto.Marshal(&campaignv1.Desired{Uid: "hot", Generation: 1, Lane: c.lane})
				if err != nil {
					t.Fatal(err)
				}
				s.cfg.Campaigns.take(t.Context(), "hot", value)
			}
			s.sayWhatThereIs(t.Context())
			if got := said.String(); !strings.Contains(got, c.want) || (got == "") != (c.want == "") {
				t.Errorf("it says %q", got)
			}
		})
	}
}

func TestWhatALaneKeepsOfItsNewestOrders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := quietLane()
		l.recent.put(7, anOrder())
		pause(t.Context(), recentFor)
		l.recent.clearIdle()
		if _, ok := l.recent.get(7); !ok {
			t.Error("an order is forgotten while more may come")
		}
		pause(t.Context(), time.Second)
		l.recent.clearIdle()
		if _, ok := l.recent.get(7); ok || l.recent.slots != nil {
			t.Error("orders are kept though none came for long")
		}
		l.recent.put(8, anOrder())
		if l.leave(true); l.recent.slots != nil {
			t.Error("orders are kept while the lane rests")
		}
	})
}
