package ledger

import (
	"maps"
	"math"
	"runtime"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestTheTableIsAMapInOrder compares it with a map. Keys are drawn close to each
// other and far apart, and at both ends, so that clusters come and overflow.
func TestTheTableIsAMapInOrder(t *testing.T) {
	type entry struct {
		c code
		w where
	}
	keys := rapid.OneOf(
		rapid.Uint64(), rapid.Uint64Range(0, 300), rapid.Uint64Range(math.MaxUint64-300, math.MaxUint64),
		rapid.Uint64Range(1<<58-100, 1<<58+100),
	)
	rapid.Check(t, func(t *rapid.T) {
		var table table
		want := map[fingerprint]entry{}
		for range rapid.IntRange(1, 400).Draw(t, "entries") {
			key := fingerprint(keys.Draw(t, "key"))
			one := entry{code(rapid.IntRange(1, 15).Draw(t, "code")), where(rapid.Uint64Range(0, whereMask).Draw(t, "where"))}
			table.set(key, one.c, one.w)
			want[key] = one
		}
		for key, one := range want {
			if c, w, ok := table.get(key); !ok || c != one.c || w != one.w {
				t.Fatalf("%x is %d %d %v, want %v", key, c, w, ok, one)
			}
		}
		if _, _, ok := table.get(fingerprint(keys.Draw(t, "other"))); ok && table.len != len(want) {
			t.Fatalf("%d entries, want %d", table.len, len(want))
		}
		var order []fingerprint
		table.each(func(key fingerprint, c code, w where) {
			if want[key] != (entry{c, w}) {
				t.Fatalf("%x is %d %d on the way through, want %v", key, c, w, want[key])
			}
			order = append(order, key)
		})
		if !slices.Equal(order, slices.Sorted(maps.Keys(want))) {
			t.Fatalf("the way through is %x", order)
		}
	})
}

// TestHoldsEndInOrder compares the queues with a list that is searched.
func TestHoldsEndInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var h holds
		places, now := map[int64]where{}, int64(0)
		want := map[int64]hold{}
		for offset := range int64(rapid.IntRange(1, 900).Draw(t, "steps")) {
			now += int64(rapid.IntRange(0, 3).Draw(t, "later"))
			if len(want) > 0 && rapid.IntRange(0, 2).Draw(t, "end") == 0 {
				gone := rapid.SampledFrom(slices.Sorted(maps.Keys(want))).Draw(t, "gone")
				h.remove(places[gone])
				delete(want, gone)
			}
			one := hold{order: key{1: byte(offset)}, account: fingerprint(offset), offset: offset, item: uint32(offset), units: 1 + uint32(offset)}
			places[offset], one.deadline = h.add(now, int64(rapid.IntRange(1, 5).Draw(t, "time")), one)
			want[offset] = one
			for _, at := range []int64{offset, slices.Min(slices.Collect(maps.Keys(want)))} {
				if got := h.get(places[at]); got != want[at] {
					t.Fatalf("the hold is %v, want %v", got, want[at])
				}
			}
			first := slices.MinFunc(slices.Collect(maps.Values(want)), func(a, b hold) int {
				if a.deadline != b.deadline {
					return int(a.deadline - b.deadline)
				}
				return int(a.offset - b.offset)
			})
			if got, ok := h.soonest(); !ok || got != first || h.open != len(want) {
				t.Fatalf("of %d the soonest is %v, want %v of %d", h.open, got, first, len(want))
			}
		}
	})
}

func TestWhenAllQueuesAreInUseAHoldIsRatherShort(t *testing.T) {
	var h holds
	for n := range mostQueue {
		h.add(0, int64(10+10*n), hold{units: 1})
	}
	for wish, want := range map[int64]int64{25: 20, 5: 10, 1 << 20: 2560} {
		if _, deadline := h.add(0, wish, hold{units: 1}); deadline != want {
			t.Errorf("a hold of %d ends after %d, want %d", wish, deadline, want)
		}
	}
}

// TestHoldsThatAreReadBackChooseTheSameQueues: numbers of queues and of places are
// others then, and no deadline may depend on them.
func TestHoldsThatAreReadBackChooseTheSameQueues(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var live, back holds
		wish := func() int64 { return int64(rapid.IntRange(1, mostQueue+8).Draw(t, "hold time")) }
		var places []where
		for n := range mostQueue { // one that ends early leaves a queue to be used again
			w, _ := live.add(0, int64(1+n), hold{offset: int64(n), units: 1})
			places = append(places, w)
		}
		for _, w := range rapid.SliceOfNDistinct(rapid.SampledFrom(places), 0, 4, rapid.ID[where]).Draw(t, "gone") {
			live.remove(w)
		}
		for _, q := range live.sorted() {
			q.each(func(h hold) { back.add(h.deadline-q.millis, q.millis, h) })
		}
		for n := range int64(12) {
			millis, one := wish(), hold{offset: mostQueue + n, units: 1}
			_, want := live.add(n, millis, one)
			if _, got := back.add(n, millis, one); got != want {
				t.Fatalf("a hold of %d ends at %d in a ledger that was read back, and at %d in the other", millis, got, want)
			}
			a, _ := live.soonest()
			if b, _ := back.soonest(); a != b {
				t.Fatalf("first ends %v in a ledger that was read back, and %v in the other", b, a)
			}
		}
	})
}

func TestAKeyTellsItsID(t *testing.T) {
	for id, want := range map[string]bool{
		"ord_5nywrgzcxxdjvgszx7yac8ydxd":  true,
		"ord_00000000000000000000000001":  true,
		"ord_7zzzzzzzzzzzzzzzzzzzzzzzzz":  false, // its tail is the mark of ids that are not told
		"ord_5NYWRGZCXXDJVGSZX7YAC8YDXD":  false,
		"ord_zzzzzzzzzzzzzzzzzzzzzzzzzz":  false, // more than 128 bits
		"o1":                              false,
		"pay_5nywrgzcxxdjvgszx7yac8ydxd":  false,
		"ord_5nywrgzcxxdjvgszx7yac8ydxd1": false,
	} {
		k, whole := keyOf(id)
		if whole != want || whole && k.id() != id {
			t.Errorf("%s is %s, whole %v", id, k.id(), whole)
		}
	}
}

// BenchmarkTable gives the bytes and the time of an order in a table of ten million.
func BenchmarkTable(b *testing.B) {
	const orders = 10_000_000
	for b.Loop() {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		var t table
		for n := range uint64(orders) {
			t.set(fingerprint(n*0x9e3779b97f4a7c15), isExpired, where(n))
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/orders, "B/order")
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N+1)/orders, "ns/order")
		runtime.KeepAlive(t)
	}
}

// BenchmarkHolds gives the bytes of an open hold beside its place in the table.
func BenchmarkHolds(b *testing.B) {
	const orders = 1_000_000
	for b.Loop() {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		var h holds
		for n := range int64(orders) {
			h.add(n/500, 900_000, hold{offset: n, units: 1})
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/orders, "B/hold")
		runtime.KeepAlive(h)
	}
}
