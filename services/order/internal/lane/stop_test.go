package lane

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"

	"google.golang.org/protobuf/proto"

	"github.com/qingcang/qingcang/proto/eventkit"
	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
	lanev1 "github.com/qingcang/qingcang/proto/gen/lane/v1"
	"github.com/qingcang/qingcang/services/order/internal/ledger"
)

func quietLane() *Lane {
	return newLane(SharedTopic, 1, Config{Log: slog.New(slog.DiscardHandler)})
}

func placeEntry() *lanev1.Entry {
	return &lanev1.Entry{Rules: ledger.Rules, Command: &lanev1.Entry_Place{Place: &lanev1.Place{
		OrderId: "o", CampaignUid: "sale", BuyerId: "ann", Lines: []*lanev1.Units{{Sku: "a", Units: 1}},
	}}}
}

// A ledger without maps panics at the first thing that it has to remember.
func TestALaneThatPanickedStandsStillAndIsNotSaved(t *testing.T) {
	l := quietLane()
	l.ledger = &ledger.Ledger{}
	allocate := &lanev1.Allocate{CampaignUid: "sale", Generation: 1}
	value, err := proto.Marshal(&lanev1.Entry{Rules: ledger.Rules, Command: &lanev1.Entry_Allocate{Allocate: allocate}})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.take(t.Context(), []eventkit.Record{{Value: value}}); err == nil {
		t.Fatal("take says nothing of the panic")
	}
	if l.Stopped() == "" || l.applied() != 0 {
		t.Errorf("the lane is at %d, stopped: %q; want it to stand before the entry", l.applied(), l.Stopped())
	}
	if _, _, err := l.encode(); !errors.Is(err, errStopped) {
		t.Errorf("a snapshot of half an entry gives %v", err)
	}
	if err := l.Do(t.Context(), placeEntry(), ignore); !errors.Is(err, errStopped) {
		t.Errorf("an order gives %v", err)
	}
}

func TestAFullQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := quietLane()
		for range queueLength {
			l.queue <- &request{}
		}
		if _, err := l.tell(t.Context(), placeEntry()); !errors.Is(err, errBusy) {
			t.Errorf("an order gets %v, want %v", err, errBusy)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ticked := make(chan error, 1)
		go func() {
			_, err := l.tell(ctx, &lanev1.Entry{Command: &lanev1.Entry_Tick{Tick: &lanev1.Tick{}}})
			ticked <- err
		}()
		synctest.Wait()
		<-l.queue
		synctest.Wait()
		if len(l.queue) != queueLength {
			t.Error("a place became free, and the tick that waited did not get it")
		}
		cancel()
		if err := <-ticked; !errors.Is(err, errTimeout) {
			t.Errorf("a tick that nobody appends gets %v", err)
		}
	})
}

func TestAnAllocationForALaneThatIsNotRunHereHoldsNobodyUp(t *testing.T) {
	lanes, err := New(Config{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := &campaignv1.Lane{Topic: "lane.8c0c2f1e", Partition: 0}
	if err := lanes.Allocate(t.Context(), elsewhere, &lanev1.Allocate{CampaignUid: "sale", Generation: 1}); err != nil {
		t.Errorf("Allocate says %v: the partition of its events would stand still", err)
	}
	if err := lanes.Pay(t.Context(), elsewhere, &lanev1.Pay{}); !errors.Is(err, errNoLane) {
		t.Errorf("Pay says %v, want %v: money is not to be lost from sight", err, errNoLane)
	}
}
