package journal

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	journalv1 "github.com/qingcang/qingcang/proto/gen/journal/v1"
	"github.com/qingcang/qingcang/services/internal/testkit"
)

// onEachStore runs a test on every store, with the batches of shard 3 at the places given.
func onEachStore(t *testing.T, places []uint64, test func(t *testing.T, store Store)) {
	t.Run("in memory", func(t *testing.T) {
		store := NewMemoryStore()
		for _, seq := range places {
			if err := store.Insert(t.Context(), 3, seq, batchAt(seq)); err != nil {
				t.Fatal(err)
			}
		}
		test(t, store)
	})
	t.Run("in MongoDB", func(t *testing.T) {
		store := NewMongoStore(testkit.Mongo(t), "batches")
		fill(t, store, 3, places)
		test(t, store)
	})
}

// fill writes many batches at once, as no journal does.
func fill(t testing.TB, store *MongoStore, shard int, places []uint64) {
	t.Helper()
	for some := range slices.Chunk(places, 5_000) {
		documents := make([]batchDocument, len(some))
		for i, seq := range some {
			data, err := proto.Marshal(batchAt(seq))
			if err != nil {
				t.Fatal(err)
			}
			documents[i] = batchDocument{ID: slot(shard, seq), Batch: data}
		}
		if _, err := store.batches.InsertMany(t.Context(), documents); err != nil {
			t.Fatal(err)
		}
	}
}

// batchAt is a batch whose id tells its place; it holds one fact of a usual size.
func batchAt(seq uint64) *journalv1.Batch {
	return &journalv1.Batch{BatchId: fmt.Sprint(seq), Events: []*journalv1.Event{{
		Type: "journal.v1.Snapshot", Data: append([]byte{0x1a, 250, 1}, make([]byte, 250)...), // 250 bytes of state
	}}}
}

// run is the places from first to last but those left out.
func run(first, last uint64, without ...uint64) []uint64 {
	var places []uint64
	for seq := first; seq <= last; seq++ {
		if !slices.Contains(without, seq) {
			places = append(places, seq)
		}
	}
	return places
}

func TestRange(t *testing.T) {
	for name, tc := range map[string]struct {
		places []uint64
		from   uint64
		want   []uint64
		hole   bool
	}{
		"of an empty journal":                  {nil, 1, nil, false},
		"of one batch":                         {run(1, 1), 1, run(1, 1), false},
		"of several looks":                     {run(1, 3*aheadWidth), 1, run(1, 3*aheadWidth), false},
		"from the middle":                      {run(1, 50), 40, run(40, 50), false},
		"from behind the end":                  {run(1, 50), 51, nil, false},
		"behind a hole":                        {run(1, 50, 20), 21, run(21, 50), false},
		"stops at a hole before the last":      {run(1, 50, 49), 1, run(1, 48), true},
		"stops at a hole before the first":     {run(2, 50), 1, nil, true},
		"stops at a hole with one behind":      {append(run(1, 20), 20+aheadWidth+1), 1, run(1, 20), true},
		"stops at a long hole":                 {append(run(1, 20), run(620, 920)...), 1, run(1, 20), true},
		"that is scanned":                      {run(1, longTail+20), 1, run(1, longTail+20), false},
		"that is scanned from the middle":      {run(1, longTail+40), 21, run(21, longTail+40), false},
		"that is scanned stops at a hole":      {run(1, longTail+20, 700), 1, run(1, 699), true},
		"that is scanned stops at a long hole": {append(run(1, 50), run(longTail+1, longTail+2_100)...), 1, run(1, 50), true},
	} {
		t.Run(name, func(t *testing.T) {
			onEachStore(t, tc.places, func(t *testing.T, store Store) {
				var got []uint64
				err := store.Range(t.Context(), 3, tc.from, func(seq uint64, batch *journalv1.Batch) error {
					if batch.GetBatchId() != fmt.Sprint(seq) {
						t.Fatalf("batch %s came as %d", batch.GetBatchId(), seq)
					}
					got = append(got, seq)
					return nil
				})
				if !slices.Equal(got, tc.want) {
					t.Errorf("got %d batches up to %d, want %d up to %d", len(got), lastOf(got), len(tc.want), lastOf(tc.want))
				}
				if tc.hole != errors.Is(err, ErrHole) || !tc.hole && err != nil {
					t.Errorf("it ended with %v, want a hole: %t", err, tc.hole)
				}
			})
		})
	}
}

func lastOf(places []uint64) uint64 {
	if len(places) == 0 {
		return 0
	}
	return places[len(places)-1]
}

func TestARangeStopsAtTheReadersError(t *testing.T) {
	enough := errors.New("enough")
	for name, places := range map[string][]uint64{"looked up": run(1, 50), "scanned": run(1, longTail+20)} {
		t.Run(name, func(t *testing.T) {
			onEachStore(t, places, func(t *testing.T, store Store) {
				read := 0
				err := store.Range(t.Context(), 3, 1, func(uint64, *journalv1.Batch) error {
					if read++; read == 5 {
						return enough
					}
					return nil
				})
				if !errors.Is(err, enough) || read != 5 {
					t.Errorf("read %d batches and ended with %v, want 5 and the reader's own error", read, err)
				}
			})
		})
	}
}

func TestARangeKnowsItsShard(t *testing.T) {
	onEachStore(t, run(1, longTail+20), func(t *testing.T, store Store) {
		for _, other := range []int{2, 4, 33} {
			if err := store.Range(t.Context(), other, 1, func(seq uint64, _ *journalv1.Batch) error {
				return fmt.Errorf("shard %d has a batch %d", other, seq)
			}); err != nil {
				t.Error(err)
			}
		}
	})
}

// Others fill the place that was found empty, and those behind it, before these are searched.
func TestWhatIsWrittenMeanwhileIsReadAndIsNoHole(t *testing.T) {
	store := NewMemoryStore()
	write := func(places []uint64) {
		for _, seq := range places {
			if err := store.Insert(t.Context(), 3, seq, batchAt(seq)); err != nil {
				t.Error(err)
			}
		}
	}
	write(run(1, 10))
	var meanwhile sync.Once
	get := func(ctx context.Context, seq uint64) (*journalv1.Batch, bool, error) {
		if seq > 10+2*aheadWidth { // behind what is read ahead
			meanwhile.Do(func() { write(run(11, 200)) })
		}
		return store.Get(ctx, 3, seq)
	}
	var got []uint64
	err := readTail(t.Context(), get, 1, func(seq uint64, _ *journalv1.Batch) error {
		got = append(got, seq)
		return nil
	})
	if err != nil || !slices.Equal(got, run(1, 200)) {
		t.Errorf("read %v and ended with %v, want all 200", got, err)
	}
}

// What is promised of long holes.
func TestAHoleIsNoticedWithHalfAsManyBehindIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const end = 30 // the first that is missing
		missing := rapid.Uint64Range(1, farthest/2).Draw(t, "missing")
		there := rapid.Uint64Range((missing+1)/2, farthest).Draw(t, "there")
		if missing <= aheadWidth {
			there = 1
		}
		get := func(_ context.Context, seq uint64) (*journalv1.Batch, bool, error) {
			if seq < end || seq >= end+missing && seq < end+missing+there {
				return batchAt(seq), true, nil
			}
			return nil, false, nil
		}
		err := readTail(context.Background(), get, 1, func(uint64, *journalv1.Batch) error { return nil })
		if !errors.Is(err, ErrHole) {
			t.Errorf("%d missing and %d behind: %v", missing, there, err)
		}
	})
}

func TestARangeThatCannotReadSaysSo(t *testing.T) {
	away := errors.New("away")
	for name, from := range map[string]uint64{"in what it reads": 7, "in what should be empty": 20 + farthest/2} {
		t.Run(name, func(t *testing.T) {
			get := func(_ context.Context, seq uint64) (*journalv1.Batch, bool, error) {
				if seq >= from {
					return nil, false, away
				}
				return batchAt(seq), seq <= 20, nil
			}
			err := readTail(t.Context(), get, 1, func(uint64, *journalv1.Batch) error { return nil })
			if !errors.Is(err, away) {
				t.Errorf("it ended with %v, want why it could not read", err)
			}
		})
	}
}
