package lane_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/qingcang/qingcang/proto/lane/record"
	"github.com/qingcang/qingcang/services/internal/testkit"
	"github.com/qingcang/qingcang/services/order/internal/lane"
	"github.com/qingcang/qingcang/services/order/internal/ledger"
)

// BenchmarkPlace is an order through a lane that is published, with 256 callers.
// CPU is this process's, without the broker's.
func BenchmarkPlace(b *testing.B) {
	w := newWorld(b)
	w.snapshotEvery = 1 << 40
	lanes, _ := w.replica(b, "order")
	w.opens(b, lanes, "sale", 1<<40)
	l := lanes.All()[1]
	var next atomic.Int64
	var callers sync.WaitGroup
	b.ReportAllocs()
	before := cpu(b)
	b.ResetTimer()
	for range 256 {
		callers.Go(func() {
			for n := next.Add(1); n <= int64(b.N); n = next.Add(1) {
				p := &record.Place{
					OrderID: fmt.Sprintf("ord_%026d", n), CampaignUID: "sale", BuyerID: fmt.Sprintf("mem_%026d", n%2_000),
					AddressID: "addr_01jz6j8f4tfk2b6a1n8x9q7r5m", Lines: []record.Units{{SKU: "a", Units: 1}},
				}
				if o, err := l.Place(b.Context(), p); err != nil || o.State != ledger.Held {
					b.Errorf("order %d is %s: %v", n, o.State, err)
				}
			}
		})
	}
	callers.Wait()
	b.StopTimer()
	b.ReportMetric(float64((cpu(b)-before).Nanoseconds())/float64(b.N), "cpu-ns/order")
}

func cpu(b *testing.B) time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// BenchmarkStart is a replica that has to read a whole log of orders, and one that
// only fetches it.
func BenchmarkStart(b *testing.B) {
	const orders = 300_000
	w := newWorld(b)
	w.snapshotEvery = 1 << 40
	first, stop := w.replica(b, "order")
	w.opens(b, first, "sale", 1<<40)
	w.fill(b, orders)
	testkit.Eventually(b, patience, func() error { return first.All()[1].View(b.Context(), func(*ledger.Ledger) {}) })
	testkit.Eventually(b, patience, func() error { return w.published(b, first.All()[1]) })
	stop()
	b.Run("apply", func(b *testing.B) {
		for b.Loop() {
			_, stop := w.replica(b, "")
			b.StopTimer()
			stop()
			b.StartTimer()
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/orders, "ns/order")
	})
	b.Run("fetch", func(b *testing.B) {
		for b.Loop() {
			for next := int64(0); next < orders; {
				records, err := w.conn.Fetch(b.Context(), lane.SharedTopic, 1, next)
				if err != nil || len(records) == 0 {
					b.Fatal(len(records), err)
				}
				next = records[len(records)-1].Offset + 1
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/orders, "ns/order")
	})
}

// fill appends orders past the replicas.
func (w *world) fill(b *testing.B, orders int) {
	b.Helper()
	var values [][]byte
	for n := range orders {
		e := record.Entry{Rules: ledger.FirstRules, Command: &record.Place{
			OrderID: fmt.Sprintf("ord_%026d", n), CampaignUID: "sale", BuyerID: fmt.Sprintf("mem_%026d", n%2_000),
			AddressID: "addr_01jz6j8f4tfk2b6a1n8x9q7r5m", Lines: []record.Units{{SKU: "a", Units: 1}},
		}}
		value, err := e.Append(nil)
		if err != nil {
			b.Fatal(err)
		}
		if values = append(values, value); len(values) == 1_000 || n == orders-1 {
			if _, err := w.conn.Append(b.Context(), lane.SharedTopic, 1, values); err != nil {
				b.Fatal(err)
			}
			values = nil
		}
	}
}

// published returns nil when the topic has the lane's last event.
func (w *world) published(b *testing.B, l *lane.Lane) error {
	b.Helper()
	var last ledger.Position
	l.Peek(func(state *ledger.Ledger) { last = state.Last() })
	event, found, err := w.conn.LastEvent(b.Context(), lane.EventTopic, 1, lane.SharedTopic+"/1")
	if err != nil || !found {
		return fmt.Errorf("no event: %w", err)
	}
	if at, err := event.Position(); err != nil || int64(at.Seq) < last.Offset {
		return fmt.Errorf("published up to %d of %d: %w", at.Seq, last.Offset, err)
	}
	return nil
}
