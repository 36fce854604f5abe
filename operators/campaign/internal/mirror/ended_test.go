package mirror

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"testing"

	"google.golang.org/protobuf/proto"
	"k8s.io/apimachinery/pkg/types"

	"github.com/qingcang/qingcang/proto/eventkit"
	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
)

// closing is the end of a campaign.
func closing(d *campaignv1.Desired) *campaignv1.Desired {
	end := proto.CloneOf(d)
	end.Generation++
	end.Closed = true
	return end
}

// say gives the mirror what a lane says.
func say(t *testing.T, m *Mirror, s *campaignv1.Status) {
	t.Helper()
	if err := m.lanes.apply(t.Context(), eventkit.Record{Key: []byte(s.GetUid()), Value: mustMarshal(t, s)}); err != nil {
		t.Fatal(err)
	}
}

// hear gives the mirror a record of campaigns.v1.
func hear(t *testing.T, m *Mirror, offset int64, d *campaignv1.Desired) {
	t.Helper()
	if err := m.Campaigns.apply(at(offset, d)); err != nil {
		t.Fatal(err)
	}
}

func TestWhatIsSaidOfAClosedCampaignIsForgotten(t *testing.T) {
	open := &campaignv1.Status{Uid: "coats", Generation: 1, Phase: campaignv1.Status_PHASE_OPEN, Offset: 10}
	m, watcher := read(t, memory{DesiredTopic: {{"coats", coats(1)}}, StatusTopic: {{"coats", open}}})
	if m.Open() != 1 {
		t.Fatalf("%d campaigns sell, want 1", m.Open())
	}
	var told []Change
	m.OnChange(func(c Change) { told = append(told, c) })
	if err := m.Campaigns.Publish(t.Context(), closing(coats(1))); err != nil {
		t.Fatal(err)
	}
	say(t, m, open)
	impossible := proto.CloneOf(open)
	impossible.SoldUnits = -1
	say(t, m, impossible)
	if s, _ := m.Lane("coats"); s != nil || m.Open() != 0 || len(told) != 0 || len(*watcher) != 0 {
		t.Errorf("it holds %v of %d that sell, told %v and parked %v, want nothing of all that", s, m.Open(), told, *watcher)
	}
}

func TestAnEndThatAnOlderRecordReplacedIsToldOf(t *testing.T) {
	m, _ := read(t, memory{})
	var told []types.NamespacedName
	m.Campaigns.OnOlder(func(name types.NamespacedName) { told = append(told, name) })
	hear(t, m, 0, closing(coats(4)))
	hear(t, m, 1, coats(4)) // an operator woke up and wrote what it had in hand
	got, _ := m.Campaigns.Of("coats")
	newest, ended := m.Campaigns.Newest("coats")
	if !proto.Equal(got, coats(4)) || newest.GetGeneration() != 5 || !ended || len(told) != 1 || len(m.Campaigns.Outlines()) != 1 {
		t.Errorf("it holds %v, newest %v, and told %v, want what the topic ends with, the end, and that it is told of", got, newest, told)
	}
}

func TestAnEndThatItsReadersDroppedIsNotTheEnd(t *testing.T) {
	m, _ := read(t, memory{})
	end := closing(coats(1))
	hear(t, m, 0, coats(2))
	hear(t, m, 1, end) // of the same number, by an operator that stood still with it in hand
	got, _ := m.Campaigns.Of("coats")
	newest, ended := m.Campaigns.Newest("coats")
	if !got.GetClosed() || newest.GetClosed() || newest.GetGeneration() != 2 || !ended {
		t.Errorf("it holds %v, newest %v, ended %t, want the end, the open record that was there first, and that an end was seen", got, newest, ended)
	}
}

// hasty is a broker whose records are read before it has answered.
type hasty struct {
	memory
	heard func(*campaignv1.Desired)
}

func (b *hasty) Put(_ context.Context, _, _ string, m proto.Message) error {
	b.heard(m.(*campaignv1.Desired))
	return nil
}

func TestARecordMayComeBackBeforeTheBrokerHasAnswered(t *testing.T) {
	broker := &hasty{memory: memory{}}
	m := New(broker, "north", &parked{}, slog.New(slog.DiscardHandler))
	broker.heard = func(d *campaignv1.Desired) { hear(t, m, 0, d) }
	var told []types.NamespacedName
	m.Campaigns.OnOlder(func(name types.NamespacedName) { told = append(told, name) })
	if err := m.Campaigns.Publish(t.Context(), closing(coats(1))); err != nil {
		t.Fatal(err)
	}
	if _, unconfirmed := m.Campaigns.Attempted("coats"); unconfirmed || len(m.Campaigns.Outlines()) != 0 {
		t.Errorf("unconfirmed %t, outlines %v, want the end to be over", unconfirmed, m.Campaigns.Outlines())
	}
	hear(t, m, 1, coats(1))
	if got, _ := m.Campaigns.Of("coats"); got.GetClosed() || len(told) != 1 {
		t.Errorf("it holds %v and told %v, want the older record that replaced the end, and that it is told of", got, told)
	}
}

// A namespace that sells for years has ended a hundred thousand campaigns.
func TestACampaignThatHasEndedTakesAHundredBytes(t *testing.T) {
	const campaigns, wantBytes = 10_000, 128
	m, _ := read(t, memory{})
	before := live()
	for i := range int64(campaigns) {
		d := coats(1)
		d.Uid = fmt.Sprintf("%08d-9f1c-4b8e-a7d2-3c5e6f708192", i)
		d.Lane.Topic = "lane." + d.GetUid()
		hear(t, m, 2*i, d)
		say(t, m, &campaignv1.Status{Uid: d.GetUid(), Generation: 1, Phase: campaignv1.Status_PHASE_SETTLED, Units: 10, SoldUnits: 10})
		hear(t, m, 2*i+1, closing(d))
	}
	each := (live() - before) / campaigns
	t.Logf("%d bytes each", each)
	if each > wantBytes {
		t.Errorf("a campaign that has ended takes %d bytes, want at most %d", each, wantBytes)
	}
	if d, _ := m.Campaigns.Of("00009999-9f1c-4b8e-a7d2-3c5e6f708192"); !d.GetClosed() || d.GetGeneration() != 2 {
		t.Errorf("the last one is %v, want it closed in generation 2", d)
	}
}

// live is what the garbage collector leaves, in bytes.
func live() uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}
