package lane_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/qingcang/qingcang/proto/lane/record"
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
