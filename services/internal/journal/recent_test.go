package journal

import (
	"testing"

	"pgregory.net/rapid"

	journalv1 "github.com/qingcang/qingcang/proto/gen/journal/v1"
)

func TestRecentBatchesAreTheNewestAndBounded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		start := rapid.Uint64Range(1, 1000).Draw(t, "start")
		sizes := rapid.SliceOfN(rapid.SampledFrom([]int{0, 10, 1 << 20, 5 << 20, 9 << 20}), 1, 600).Draw(t, "sizes")
		var r recent
		data := make([]byte, 9<<20)
		added := map[uint64]*journalv1.Batch{}
		for i, size := range sizes {
			n := start + uint64(i)
			added[n] = &journalv1.Batch{Events: []*journalv1.Event{{Data: data[:size]}}}
			r.add(n, added[n])
			if r.get(n) != added[n] {
				t.Fatalf("batch %d was added and is not there", n)
			}
		}
		last, kept := start+uint64(len(sizes))-1, 0
		for n := last; r.get(n) != nil; n-- {
			if r.get(n) != added[n] {
				t.Fatalf("%d gives another batch", n)
			}
			kept++
		}
		if kept > recentBatches || kept > 1 && r.bytes > recentBytes {
			t.Fatalf("%d batches of %d bytes are kept", kept, r.bytes)
		}
		if r.get(last+1) != nil || r.get(start-1) != nil {
			t.Fatal("a batch is there that was never added")
		}
	})
}
