package app

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
	fulfilmentv1 "github.com/qingcang/qingcang/proto/gen/fulfilment/v1"
	"github.com/qingcang/qingcang/services/internal/testkit"
	"github.com/qingcang/qingcang/services/order/internal/lane"
)

// board is a lane with one campaign, and the topic that its status goes to.
type board struct {
	mu      sync.Mutex
	status  *campaignv1.Status
	told    []*campaignv1.Status
	changes int64
	settled int
	down    bool
	over    bool // is so as soon as the campaign is settled
}

func (b *board) Versions() map[string]lane.Version {
	b.mu.Lock()
	defer b.mu.Unlock()
	return map[string]lane.Version{b.status.GetUid(): b.version()}
}

func (b *board) version() lane.Version { return lane.Version{Offset: b.changes} }

func (b *board) Status(string) (*campaignv1.Status, lane.Version, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return proto.CloneOf(b.status), b.version(), true
}

func (b *board) Settle(context.Context, string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.settled++
	b.changes++
	b.status.Phase = campaignv1.Status_PHASE_SETTLED
	return nil
}

func (b *board) Over() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.over && b.status.GetPhase() == campaignv1.Status_PHASE_SETTLED
}

func (b *board) Put(_ context.Context, topic, key string, m proto.Message) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	s, ok := m.(*campaignv1.Status)
	if b.down || topic != StatusTopic || !ok || key != s.GetUid() {
		return errDown
	}
	b.told = append(b.told, s)
	return nil
}

// change changes what the lane says.
func (b *board) change(change func(s *campaignv1.Status)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	before := proto.CloneOf(b.status)
	if change(b.status); !proto.Equal(before, b.status) {
		b.changes++
	}
	b.status.Offset++
}

func (b *board) seen(t *testing.T, what string, as func(newest *campaignv1.Status) bool) {
	t.Helper()
	testkit.Eventually(t, testWait, func() error {
		b.mu.Lock()
		defer b.mu.Unlock()
		if len(b.told) == 0 || !as(b.told[len(b.told)-1]) {
			return errors.New("not seen: " + what)
		}
		return nil
	})
}

func TestACampaignsStatusFollowsItsLaneAndItsMoneyUntilItIsSettled(t *testing.T) {
	s := openShop(t)
	b := &board{down: true, status: &campaignv1.Status{Uid: "c-1", Phase: campaignv1.Status_PHASE_OPEN, Units: 1, LeftUnits: 1}}
	publisher := NewCampaignStatus(s.journal, b, slog.New(slog.DiscardHandler))
	s.background(func(ctx context.Context) error { return publisher.Run(ctx, b) })

	b.mu.Lock()
	b.down = false
	b.mu.Unlock()
	b.seen(t, "open, once the topic is back", func(n *campaignv1.Status) bool { return n.GetPhase() == campaignv1.Status_PHASE_OPEN })

	s.open()
	if err := s.TakeNotice(t.Context(), s.provider.pay(testOrder, "tx1", testFen)); err != nil {
		t.Fatal(err)
	}
	b.seen(t, "an open payment", func(n *campaignv1.Status) bool { return n.GetOpenPayments() == 1 })

	s.confirm()
	b.change(func(s *campaignv1.Status) { s.SoldUnits, s.LeftUnits, s.Phase = 1, 0, campaignv1.Status_PHASE_DRAINED })
	b.seen(t, "a paid order", func(n *campaignv1.Status) bool { return n.GetPaidOrders() == 1 && n.GetOpenPayments() == 0 })

	b.change(func(*campaignv1.Status) {}) // the offset alone is no news
	s.hear(&fulfilmentv1.ReturnWindowClosed{OrderId: testOrder})
	b.seen(t, "settled", func(n *campaignv1.Status) bool {
		return n.GetPhase() == campaignv1.Status_PHASE_SETTLED && n.GetFinalOrders() == 1
	})
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.settled != 1 {
		t.Fatalf("settled %d times", b.settled)
	}
	var phases []campaignv1.Status_Phase
	for _, told := range b.told {
		phases = append(phases, told.GetPhase())
	}
	if !slices.IsSorted(phases) {
		t.Fatalf("phases went back: %v", phases)
	}
}

func TestWhatWasToldIsToldAgainForAPublisherThatWasCutOffMayHaveWrittenOverIt(t *testing.T) {
	s := openShop(t)
	b := &board{status: &campaignv1.Status{Uid: "c-1", Phase: campaignv1.Status_PHASE_OPEN}}
	publisher := NewCampaignStatus(s.journal, b, slog.New(slog.DiscardHandler))
	publisher.now = s.clock.Now
	tellings := map[string]telling{}
	told := func(times int, when string) {
		t.Helper()
		if _, err := publisher.publish(t.Context(), b, tellings); err != nil {
			t.Fatal(err)
		}
		if len(b.told) != times {
			t.Fatalf("%s: told %d times, want %d", when, len(b.told), times)
		}
	}
	told(1, "at first")
	s.clock.pass(retellAfter - time.Second)
	told(1, "without news")
	s.clock.pass(time.Second)
	told(2, "after a minute")
	b.change(func(s *campaignv1.Status) { s.Phase = campaignv1.Status_PHASE_SETTLED })
	told(3, "settled")
	s.clock.pass(retellAfter)
	told(4, "settled a minute ago")
	s.clock.pass(time.Hour)
	told(4, "settled long ago")
}

func TestALaneThatIsOverIsToldTwiceAndThenNoMore(t *testing.T) {
	s := openShop(t)
	b := &board{over: true, status: &campaignv1.Status{Uid: "c-1", Phase: campaignv1.Status_PHASE_DRAINED}}
	publisher := NewCampaignStatus(s.journal, b, slog.New(slog.DiscardHandler))
	publisher.now = s.clock.Now
	done := make(chan error, 1)
	go func() { done <- publisher.Run(t.Context(), b) }()
	b.seen(t, "settled", func(n *campaignv1.Status) bool { return n.GetPhase() == campaignv1.Status_PHASE_SETTLED })
	select {
	case err := <-done:
		t.Fatalf("it ended when it had told it once: %v", err)
	default:
	}
	s.clock.pass(retellAfter)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.told) < 2 || b.settled != 1 {
		t.Errorf("told %d times, settled %d times", len(b.told), b.settled)
	}
}
