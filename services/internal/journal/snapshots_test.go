package journal

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"google.golang.org/protobuf/proto"

	journalv1 "github.com/qingcang/qingcang/proto/gen/journal/v1"
	"github.com/qingcang/qingcang/services/internal/testkit"
)

// snapshotAt is a snapshot of three chunks whose state tells its seq.
func snapshotAt(seq uint64) *journalv1.Snapshot {
	return &journalv1.Snapshot{Seq: seq, State: []byte(fmt.Sprint(seq) + strings.Repeat("x", 2*chunkBytes))}
}

// onEach runs a test on every kind of documents.
func onEach(t *testing.T, test func(t *testing.T, docs documents)) {
	t.Run("in memory", func(t *testing.T) { test(t, newMemory()) })
	t.Run("in MongoDB", func(t *testing.T) { test(t, collection{testkit.Mongo(t).Collection("snapshots")}) })
}

func save(t *testing.T, docs documents, seqs ...uint64) {
	t.Helper()
	for _, seq := range seqs {
		if err := (snapshots{docs}).save(t.Context(), 3, snapshotAt(seq)); err != nil {
			t.Fatal(err)
		}
	}
}

// wantLatest checks which snapshot is the newest; 0 is none.
func wantLatest(t *testing.T, docs documents, want uint64) {
	t.Helper()
	got, found, err := (snapshots{docs}).latest(t.Context(), 3)
	if err != nil || found != (want != 0) || got.GetSeq() != want {
		t.Fatalf("the newest is at %d, found %t, %v; want %d", got.GetSeq(), found, err, want)
	}
	if found && !proto.Equal(got, snapshotAt(want)) {
		t.Fatalf("the one at %d came back changed", want)
	}
}

func TestTheNewestSnapshotComesBack(t *testing.T) {
	tests := map[string]struct {
		seqs []uint64
		want uint64
	}{
		"of none":                   {nil, 0},
		"of one":                    {[]uint64{7}, 7},
		"of many":                   {[]uint64{1, 2, 3, 4, 5, 6, 7, 8, 9}, 9},
		"saved a second time":       {[]uint64{1, 2, 2}, 2},
		"an older one saved behind": {[]uint64{1, 5, 3}, 5},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			onEach(t, func(t *testing.T, docs documents) {
				save(t, docs, test.seqs...)
				wantLatest(t, docs, test.want)
				if _, found, err := (snapshots{docs}).latest(t.Context(), 33); found || err != nil {
					t.Errorf("another shard has it too: found %t, %v", found, err)
				}
			})
		})
	}
}

func TestADamagedSnapshotGivesWayToTheOneBefore(t *testing.T) {
	lose := func(t *testing.T, docs documents, id string) {
		if err := docs.remove(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	flip := func(t *testing.T, docs documents, id string) {
		d, found, err := docs.get(t.Context(), id)
		if err != nil || !found {
			t.Fatalf("found %t, %v", found, err)
		}
		d.Bytes = append([]byte{d.Bytes[0] ^ 1}, d.Bytes[1:]...)
		lose(t, docs, id)
		if err := docs.put(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
	tests := map[string]struct {
		damage func(t *testing.T, docs documents)
		want   uint64
	}{
		"the first chunk is lost": {func(t *testing.T, docs documents) { lose(t, docs, "3/4/0") }, 30},
		"the last chunk is lost":  {func(t *testing.T, docs documents) { lose(t, docs, "3/4/2") }, 30},
		"a bit is flipped":        {func(t *testing.T, docs documents) { flip(t, docs, "3/4/1") }, 30},
		"all chunks are lost": {func(t *testing.T, docs documents) {
			for i := range 3 {
				lose(t, docs, fmt.Sprintf("3/4/%d", i))
			}
		}, 30},
		"both are damaged": {func(t *testing.T, docs documents) {
			flip(t, docs, "3/4/0")
			lose(t, docs, "3/3/2")
		}, 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			onEach(t, func(t *testing.T, docs documents) {
				save(t, docs, 10, 20, 30, 40)
				test.damage(t, docs)
				wantLatest(t, docs, test.want)
				save(t, docs, 50)
				wantLatest(t, docs, 50)
			})
		})
	}
}

// stepping calls before each step of whoever uses the documents.
type stepping struct {
	documents
	steps  int
	before func(step int) error
}

func (s *stepping) step() error {
	s.steps++
	return s.before(s.steps)
}

func (s *stepping) put(ctx context.Context, d snapshotDocument) error {
	if err := s.step(); err != nil {
		return err
	}
	return s.documents.put(ctx, d)
}

func (s *stepping) get(ctx context.Context, id string) (snapshotDocument, bool, error) {
	if err := s.step(); err != nil {
		return snapshotDocument{}, false, err
	}
	return s.documents.get(ctx, id)
}

func (s *stepping) remove(ctx context.Context, id string) error {
	if err := s.step(); err != nil {
		return err
	}
	return s.documents.remove(ctx, id)
}

// atEachStep runs test for each step that saving a fifth snapshot takes.
func atEachStep(t *testing.T, test func(t *testing.T, docs *memory, step int)) {
	docs := newMemory()
	save(t, docs, 10, 20, 30, 40)
	counted := &stepping{documents: docs, before: func(int) error { return nil }}
	save(t, counted, 50)
	if counted.steps < 10 {
		t.Fatalf("it takes %d steps, which tests little", counted.steps)
	}
	for step := range counted.steps {
		t.Run(fmt.Sprintf("step %d", step+1), func(t *testing.T) {
			docs := newMemory()
			save(t, docs, 10, 20, 30, 40)
			test(t, docs, step+1)
		})
	}
}

// wantNothingForgotten checks that only the chunks of two snapshots are left, after enough others.
func wantNothingForgotten(t *testing.T, docs *memory) {
	t.Helper()
	save(t, docs, 70, 80, 90)
	wantLatest(t, docs, 90)
	chunks := 0
	for id := range docs.docs {
		if strings.Count(id, "/") == 2 {
			chunks++
		}
	}
	if want := keptWhole * 3; chunks != want {
		t.Errorf("%d chunks are left, want %d", chunks, want)
	}
}

func TestAWriterThatDiesAtAnyStepLosesOnlyItsOwnSnapshot(t *testing.T) {
	dead := errors.New("the process has ended")
	atEachStep(t, func(t *testing.T, docs *memory, step int) {
		dies := &stepping{documents: docs, before: func(now int) error {
			if now >= step {
				return dead
			}
			return nil
		}}
		if err := (snapshots{dies}).save(t.Context(), 3, snapshotAt(50)); !errors.Is(err, dead) {
			t.Fatal(err)
		}
		want := uint64(40)
		if _, last := docs.docs["3/5/2"]; last {
			want = 50
		}
		wantLatest(t, docs, want)
		save(t, docs, 60)
		wantLatest(t, docs, 60)
		wantNothingForgotten(t, docs)
	})
}

func TestASecondWriterAtAnyStepOfTheFirst(t *testing.T) {
	for name, other := range map[string]uint64{"which is behind": 45, "at the same place": 50, "which is ahead": 55} {
		t.Run(name, func(t *testing.T) {
			atEachStep(t, func(t *testing.T, docs *memory, step int) {
				two := &stepping{documents: docs, before: func(now int) error {
					if now == step {
						return snapshots{docs}.save(t.Context(), 3, snapshotAt(other))
					}
					return nil
				}}
				save(t, two, 50)
				wantLatest(t, docs, max(50, other))
				save(t, docs, 60)
				wantLatest(t, docs, 60)
				wantNothingForgotten(t, docs)
			})
		})
	}
}

func TestManyWritersAtOnceLeaveTheNewest(t *testing.T) {
	onEach(t, func(t *testing.T, docs documents) {
		const writers, each = 4, 5
		var all sync.WaitGroup
		errs := make([]error, writers)
		for w := range writers {
			all.Go(func() {
				for n := range each {
					seq := uint64(1 + n*writers + w)
					errs[w] = errors.Join(errs[w], snapshots{docs}.save(t.Context(), 3, snapshotAt(seq)))
					got, _, err := snapshots{docs}.latest(t.Context(), 3)
					if err != nil || got != nil && !proto.Equal(got, snapshotAt(got.GetSeq())) {
						errs[w] = errors.Join(errs[w], fmt.Errorf("read one at %d that nobody wrote, %w", got.GetSeq(), err))
					}
				}
			})
		}
		all.Wait()
		if err := errors.Join(errs...); err != nil {
			t.Fatal(err)
		}
		wantLatest(t, docs, writers*each)
	})
}
