package lane

import (
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/qingcang/qingcang/proto/eventkit"
	"github.com/qingcang/qingcang/proto/lane/record"
	"github.com/qingcang/qingcang/services/internal/journal"
	"github.com/qingcang/qingcang/services/internal/testkit"
	"github.com/qingcang/qingcang/services/order/internal/ledger"
)

const patience = 30 * time.Second

// harbour is a broker with the topics of lanes.
func harbour(t *testing.T) *eventkit.Conn {
	t.Helper()
	conn, err := eventkit.Dial(eventkit.Config{Brokers: testkit.Brokers(t), TopicPrefix: testkit.Prefix(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	for _, name := range []string{SharedTopic, CampaignTopic, EventTopic} {
		topic, _ := eventkit.TopicNamed(name)
		if err := conn.Ensure(t.Context(), topic); err != nil {
			t.Fatal(err)
		}
	}
	return conn
}

// fleet is all lanes over conn; run has them run until the test ends.
func fleet(t *testing.T, conn *eventkit.Conn, dedicated DedicatedSnapshots) (lanes *Lanes, run func()) {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	campaigns := NewCampaigns(conn, log)
	lanes, err := New(Config{Conn: conn, Campaigns: campaigns, Snapshots: journal.NewMemoryStore(), Dedicated: dedicated, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	return lanes, func() {
		var parts sync.WaitGroup
		parts.Go(func() { _ = campaigns.Run(t.Context()) })
		parts.Go(func() { _ = lanes.Run(t.Context()) })
		t.Cleanup(parts.Wait)
	}
}

// others says so many events of another lane in partition 1.
func others(t *testing.T, conn *eventkit.Conn, n int) {
	t.Helper()
	events := make([]eventkit.Event, n)
	for i := range events {
		events[i] = eventkit.Event{ID: fmt.Sprintf("lane.other/0/%d/0", i), Type: "order.v1.OrderHeld", Time: time.Unix(1, 0)}
	}
	if err := conn.Publish(t.Context(), EventTopic, 1, events); err != nil {
		t.Fatal(err)
	}
}

func TestWhatASnapshotRemembersOfEvents(t *testing.T) {
	conn := harbour(t)
	l := newLane(SharedTopic, 1, Config{Conn: conn, Log: slog.New(slog.DiscardHandler), SnapshotEvery: 50})
	at := func(offset int64) ledger.Position { return ledger.Position{Offset: offset} }
	say := func(offsets ...int64) {
		for _, offset := range offsets {
			e := eventkit.Event{ID: l.eventID(at(offset)), Type: "order.v1.OrderHeld", Time: time.Unix(1, 0)}
			if err := conn.Publish(t.Context(), EventTopic, 1, []eventkit.Event{e}); err != nil {
				t.Fatal(err)
			}
		}
	}
	say(3, 5)           // at 0 and 1
	others(t, conn, 10) // up to 12
	say(7, 3)           // at 12, and a stale publisher at 13
	const end = 14
	for name, c := range map[string]struct{ remembered, want found }{
		"nothing":                            {foundNothing(), found{at(7), 12, end}},
		"the newest":                         {found{at(7), 12, 13}, found{at(7), 12, end}},
		"an earlier one, and up to where":    {found{at(5), 1, 12}, found{at(7), 12, end}},
		"that there was none up to there":    {found{ledger.None, 0, 12}, found{at(7), 12, end}},
		"one that the topic has lost":        {found{at(9), 40, 41}, found{at(7), 12, end}},
		"one in whose place another stands":  {found{at(9), 5, 6}, found{at(7), 12, end}},
		"what a stale publisher said behind": {found{at(7), 12, 13}, found{at(7), 12, end}},
	} {
		t.Run(name, func(t *testing.T) {
			known, err := l.stillThere(t.Context(), decodeFound(l.encodeFound(c.remembered)), end)
			if err != nil {
				t.Fatal(err)
			}
			got, err := l.look(t.Context(), known)
			if err != nil || got != c.want {
				t.Errorf("found %+v, want %+v: %v", got, c.want, err)
			}
		})
	}
}

func TestALogThatWasEmptiedIsNoNewLane(t *testing.T) {
	conn := harbour(t)
	l := newLane(SharedTopic, 1, Config{Conn: conn, Log: slog.New(slog.DiscardHandler), SnapshotEvery: 50})
	e := eventkit.Event{ID: l.eventID(ledger.Position{Offset: 3}), Type: "order.v1.OrderHeld", Time: time.Unix(1, 0)}
	if err := conn.Publish(t.Context(), EventTopic, 1, []eventkit.Event{e}); err != nil {
		t.Fatal(err)
	}
	begin := nothingSaved()
	if got, end, err := l.foundAtStart(t.Context(), begin); err != nil || end != 0 || got != (found{at: ledger.None, searched: 1}) {
		t.Errorf("of a new lane %+v is found, its log ends at %d: %v", got, end, err)
	}
	begin.next = 4
	if got, end, err := l.foundAtStart(t.Context(), begin); err != nil || end != 0 || got.at.Offset != 3 {
		t.Errorf("of one with a snapshot %+v is found, its log ends at %d: %v", got, end, err)
	}
}

// TestASilentLaneSaysUpToWhereItsEventsAre: others sell so much that a start would look far.
func TestASilentLaneSaysUpToWhereItsEventsAre(t *testing.T) {
	conn := harbour(t)
	lanes, run := fleet(t, conn, nil)
	run()
	testkit.Eventually(t, patience, func() error { return lanes.Ready(nil) })
	l := lanes.All()[1]
	if err := l.Do(t.Context(), &record.Tick{}); err != nil {
		t.Fatal(err)
	}
	if _, far := l.markSilent(t.Context()); far {
		t.Error("beside a silent topic it is far behind")
	}
	others(t, conn, farBehind+1)
	mark, far := l.markSilent(t.Context())
	if !far || mark.next != 2 {
		t.Fatalf("far: %t, at %d", far, mark.next)
	}
	if _, _, err := l.snapshot(t.Context(), mark, false); err != nil {
		t.Fatal(err)
	}
	saved, err := l.latest(t.Context())
	if err != nil || saved.found != (found{ledger.None, 0, farBehind + 1}) {
		t.Errorf("the snapshot remembers %+v: %v", saved.found, err)
	}
	if _, far := l.markSilent(t.Context()); far {
		t.Error("it is far behind still")
	}
	began := time.Now()
	if _, err := l.look(t.Context(), foundNothing()); err != nil {
		t.Fatal(err)
	}
	whole := time.Since(began)
	began = time.Now()
	if _, _, err := l.foundAtStart(t.Context(), saved); err != nil {
		t.Fatal(err)
	}
	t.Logf("without the snapshot a start looks for %v, with it for %v", whole, time.Since(began))
}
