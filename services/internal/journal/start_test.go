package journal

import (
	"context"
	"fmt"
	"testing"

	journalv1 "github.com/qingcang/qingcang/proto/gen/journal/v1"
	"github.com/qingcang/qingcang/services/internal/testkit"
)

// counter counts facts.
type counter struct{}

func (counter) New() *int                    { return new(int) }
func (counter) Apply(n *int, _ Fact, _ Meta) { *n++ }
func (counter) Encode(*int) ([]byte, error)  { return nil, nil }
func (counter) Decode([]byte) (*int, error)  { return new(int), nil }

// scanning reads by a scan of the _ids however little there is to read.
type scanning struct{ *MongoStore }

func (s scanning) Range(ctx context.Context, shard int, from uint64, each func(uint64, *journalv1.Batch) error) error {
	return s.scan(ctx, shard, from, each)
}

// BenchmarkOpen is a start: by how many batches there are in all, how many of each shard stand behind
// its snapshot, and how these are read. With -benchtime 1x it takes 3 to 5 minutes, nearly all of them
// for the scans.
func BenchmarkOpen(b *testing.B) {
	for _, batches := range []uint64{20_000, 100_000} {
		store := NewMongoStore(testkit.Mongo(b), "batches")
		last := batches / Shards
		for shard := range Shards {
			fill(b, store, shard, run(1, last))
		}
		for _, tail := range []uint64{1_900, 100, 0} {
			for shard := range Shards {
				if err := store.SaveSnapshot(b.Context(), shard, &journalv1.Snapshot{Seq: last - tail}); err != nil {
					b.Fatal(err)
				}
			}
			b.Run(fmt.Sprintf("batches=%d/behind=%d/look-ups", batches, tail), func(b *testing.B) { benchmarkOpen(b, store, tail) })
			b.Run(fmt.Sprintf("batches=%d/behind=%d/scan", batches, tail), func(b *testing.B) { benchmarkOpen(b, scanning{store}, tail) })
		}
	}
}

func benchmarkOpen(b *testing.B, store Store, tail uint64) {
	for b.Loop() {
		j, err := Open(b.Context(), Config{Name: "counter", Store: store}, counter{})
		if err != nil {
			b.Fatal(err)
		}
		j.Each(func(shard int, n *int) {
			if *n != int(tail) {
				b.Fatalf("shard %d has read %d batches, want %d", shard, *n, tail)
			}
		})
	}
}
