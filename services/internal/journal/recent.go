package journal

import (
	"google.golang.org/protobuf/proto"

	journalv1 "github.com/qingcang/qingcang/proto/gen/journal/v1"
)

// Bounds of what a shard keeps in memory for its relay; older batches are read from the store.
const (
	recentBatches = 256
	recentBytes   = 8 << 20
)

// recent holds the newest batches of a shard, [first, next).
type recent struct {
	batches     [recentBatches]*journalv1.Batch // batch n at n % recentBatches
	first, next uint64
	bytes       int
}

// add takes batch n, which follows the one added before it.
func (r *recent) add(n uint64, batch *journalv1.Batch) {
	if r.next != n {
		r.first, r.next = n, n // the first one after a start
	}
	for r.first < n && (n-r.first >= recentBatches || r.bytes+proto.Size(batch) > recentBytes) {
		r.bytes -= proto.Size(r.batches[r.first%recentBatches])
		r.batches[r.first%recentBatches] = nil
		r.first++
	}
	r.batches[n%recentBatches] = batch
	r.bytes += proto.Size(batch)
	r.next = n + 1
}

// get returns batch n, nil if it is not kept any more.
func (r *recent) get(n uint64) *journalv1.Batch {
	if n < r.first || n >= r.next {
		return nil
	}
	return r.batches[n%recentBatches]
}
