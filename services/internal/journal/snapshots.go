package journal

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	journalv1 "github.com/qingcang/qingcang/proto/gen/journal/v1"
)

// snapshots keeps the snapshots of a store in documents that are only put, looked up by id, and
// removed by id: nothing else is fast on the embedded database.
//
// A snapshot is a head and chunks. The heads of a shard are numbered from 1; they are small, have no
// gaps and are never removed, so that the newest is found in a few dozen look-ups. A writer takes the
// next number by putting its head, then puts the chunks: two writers never touch each other's, and as
// each looks at the head before its own first, a higher number is never the older state. A snapshot
// counts if all its chunks are there and have the sum that the head tells. So whoever stops between
// any two steps leaves at most a head without all its chunks, which is passed over for the one before.
type snapshots struct{ docs documents }

// documents holds what snapshots consist of. The errors are of the technology.
type documents interface {
	// put fails with ErrTaken if the id is taken.
	put(ctx context.Context, d snapshotDocument) error
	get(ctx context.Context, id string) (d snapshotDocument, found bool, err error)
	// remove removes a document; that there is none is no error.
	remove(ctx context.Context, id string) error
}

// snapshotDocument is a head or a chunk.
type snapshotDocument struct {
	ID string `bson:"_id"` // "<shard>/<number>", and of a chunk "<shard>/<number>/<chunk>"
	// Seq is the batch behind which the state stands; Chunks and Sum (SHA-256) are of the whole.
	Seq    uint64 `bson:"seq,omitempty"`
	Chunks int    `bson:"of,omitempty"`
	Sum    []byte `bson:"sum,omitempty"`
	// Clear is a number below which no chunk is left.
	Clear uint64 `bson:"clear,omitempty"`
	Bytes []byte `bson:"b,omitempty"`
}

const (
	// chunkBytes keeps a document well under MongoDB's 16 MiB.
	chunkBytes = 1 << 20
	// keptWhole is how many whole snapshots stay: the newest may turn out to be damaged.
	keptWhole = 2
	// maxPassedOver bounds the look for a whole one, to about a second.
	maxPassedOver = 1_000
)

// head is the head of a shard's snapshot; number 0 stands for none.
type head struct {
	snapshotDocument
	number uint64
}

func (h head) chunk(i int) string { return fmt.Sprintf("%s/%d", h.ID, i) }

func headID(shard int, number uint64) string { return fmt.Sprintf("%d/%d", shard, number) }

// head looks a head up; what is not there has no chunks.
func (s snapshots) head(ctx context.Context, shard int, number uint64) (h head, found bool, err error) {
	h = head{number: number}
	if number > 0 {
		h.snapshotDocument, found, err = s.docs.get(ctx, headID(shard, number))
	}
	return h, found, err
}

// newest finds the head with the highest number: by doubling, then by halving.
func (s snapshots) newest(ctx context.Context, shard int) (head, error) {
	var last head
	beyond := uint64(1)
	for {
		h, found, err := s.head(ctx, shard, beyond)
		if err != nil {
			return head{}, err
		}
		if !found {
			break
		}
		last, beyond = h, beyond*2
	}
	for last.number+1 < beyond {
		middle := (last.number + beyond) / 2
		h, found, err := s.head(ctx, shard, middle)
		if err != nil {
			return head{}, err
		}
		if found {
			last = h
		} else {
			beyond = middle
		}
	}
	return last, nil
}

// latest reads the newest snapshot that is whole.
func (s snapshots) latest(ctx context.Context, shard int) (*journalv1.Snapshot, bool, error) {
	h, err := s.newest(ctx, shard)
	if err != nil {
		return nil, false, err
	}
	for passed := 0; h.number > 0 && passed < maxPassedOver; passed++ {
		snapshot, err := s.read(ctx, h)
		if err != nil || snapshot != nil {
			return snapshot, snapshot != nil, err
		}
		if h, _, err = s.head(ctx, shard, h.number-1); err != nil {
			return nil, false, err
		}
	}
	return nil, false, nil
}

// read returns nil for a snapshot that is not whole. It begins at the last chunk, which is put last
// and removed first. Chunks are read one by one: the embedded database needs a core for each, 30 to
// 60 ms.
func (s snapshots) read(ctx context.Context, h head) (*journalv1.Snapshot, error) {
	chunks := make([][]byte, h.Chunks)
	for i := range slices.Backward(chunks) {
		chunk, found, err := s.docs.get(ctx, h.chunk(i))
		if err != nil || !found {
			return nil, err
		}
		chunks[i] = chunk.Bytes
	}
	data := slices.Concat(chunks...)
	sum := sha256.Sum256(data)
	snapshot := &journalv1.Snapshot{}
	if !bytes.Equal(sum[:], h.Sum) || proto.Unmarshal(data, snapshot) != nil {
		return nil, nil // a damaged one counts as none
	}
	return snapshot, nil
}

// whole reports whether all chunks were put and none has been removed.
func (s snapshots) whole(ctx context.Context, h head) (bool, error) {
	_, found, err := s.docs.get(ctx, h.chunk(h.Chunks-1))
	return found, err
}

// save puts a snapshot down, unless one as new is there already or on its way.
func (s snapshots) save(ctx context.Context, shard int, snapshot *journalv1.Snapshot) error {
	data, err := proto.Marshal(snapshot)
	if err != nil {
		return fmt.Errorf("encode: %w", err)
	}
	sum := sha256.Sum256(data)
	ours := head{snapshotDocument: snapshotDocument{
		Seq: snapshot.GetSeq(), Chunks: max(1, (len(data)+chunkBytes-1)/chunkBytes), Sum: sum[:],
	}}
	if taken, err := s.take(ctx, shard, &ours); err != nil || !taken {
		return err
	}
	for i := range ours.Chunks {
		piece := data[i*chunkBytes : min((i+1)*chunkBytes, len(data))]
		if err := s.docs.put(ctx, snapshotDocument{ID: ours.chunk(i), Bytes: piece}); err != nil {
			return err
		}
	}
	_, err = s.sweep(ctx, shard, ours)
	return err
}

// take puts the head under the next number; false if the snapshot is not needed.
func (s snapshots) take(ctx context.Context, shard int, ours *head) (bool, error) {
	newest, err := s.newest(ctx, shard)
	if err != nil {
		return false, err
	}
	for {
		if newest.Seq > ours.Seq {
			return false, nil
		}
		if newest.number > 0 && newest.Seq == ours.Seq {
			if whole, err := s.whole(ctx, newest); err != nil || whole {
				return false, err
			}
		}
		// What the writer before had no time to remove goes first, so that Clear is true.
		if ours.Clear, err = s.sweep(ctx, shard, newest); err != nil {
			return false, err
		}
		ours.number = newest.number + 1
		ours.ID = headID(shard, ours.number)
		err := s.docs.put(ctx, ours.snapshotDocument)
		if !errors.Is(err, ErrTaken) {
			return err == nil, err
		}
		next, found, getErr := s.head(ctx, shard, ours.number)
		if getErr != nil || !found {
			return false, errors.Join(err, getErr)
		}
		newest = next
	}
}

// sweep removes the chunks of what is older than the newest whole ones up to newest, and returns the
// number below which no chunk is left. Who is overtaken by two others while it puts its chunks may
// leave some behind for ever; nobody reads them.
func (s snapshots) sweep(ctx context.Context, shard int, newest head) (uint64, error) {
	first := max(newest.Clear, 1)
	kept := 0
	for h := newest; h.number >= first; {
		whole, err := s.whole(ctx, h)
		if err != nil {
			return first, err
		}
		if whole {
			kept++
		}
		if kept == keptWhole {
			return h.number, s.clear(ctx, shard, first, h.number)
		}
		if h, _, err = s.head(ctx, shard, h.number-1); err != nil {
			return first, err
		}
	}
	return first, nil
}

// clear removes the chunks of the snapshots from one number to below another.
func (s snapshots) clear(ctx context.Context, shard int, from, below uint64) error {
	for number := from; number < below; number++ {
		h, _, err := s.head(ctx, shard, number)
		if err != nil {
			return err
		}
		for i := h.Chunks - 1; i >= 0; i-- {
			if err := s.docs.remove(ctx, h.chunk(i)); err != nil {
				return err
			}
		}
	}
	return nil
}
