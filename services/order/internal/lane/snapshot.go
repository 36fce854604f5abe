package lane

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"google.golang.org/protobuf/proto"

	journalv1 "github.com/qingcang/qingcang/proto/gen/journal/v1"
	lanev1 "github.com/qingcang/qingcang/proto/gen/lane/v1"
	"github.com/qingcang/qingcang/proto/lane/record"
	"github.com/qingcang/qingcang/services/order/internal/ledger"
)

// Snapshots keeps the newest states of a topic's lanes by partition; one that is
// torn, or whose checksum is wrong, is passed over. The journal's stores do just that.
type Snapshots interface {
	SaveSnapshot(ctx context.Context, partition int, snapshot *journalv1.Snapshot) error
	LatestSnapshot(ctx context.Context, partition int) (snapshot *journalv1.Snapshot, found bool, err error)
}

// snapshotShare is how many bytes of snapshots are written for each entry at most,
// on average: a large state is written down less often than a small one.
const snapshotShare = 100

// saved is a ledger as it stood behind an offset.
type saved struct {
	ledger *ledger.Ledger
	next   int64          // the offset to read on from
	passed map[int64]bool // entries that were passed over
	found  found          // of its events
	bytes  int
}

func nothingSaved() saved {
	return saved{ledger: ledger.New(), passed: map[int64]bool{}, found: foundNothing()}
}

// latest returns the newest snapshot, or the empty ledger if there is none, if it
// cannot be read, or if an entry counts in it that is to be skipped: a snapshot only
// shortens a start. One under rules that this binary does not know is an error, as
// the log behind it would be.
func (l *Lane) latest(ctx context.Context) (saved, error) {
	stored, found, err := l.snapshots.LatestSnapshot(ctx, l.partition)
	if err != nil || !found {
		return nothingSaved(), err
	}
	s, err := decodeSaved(stored.GetState())
	if errors.Is(err, ledger.ErrUnknownRules) {
		return saved{}, fmt.Errorf("snapshot of %s at %d: %w", l.source, stored.GetSeq(), err)
	}
	if err != nil {
		l.log.ErrorContext(ctx, "a snapshot cannot be read; the lane begins with its whole log", "offset", stored.GetSeq(), "err", err)
		return nothingSaved(), nil
	}
	for _, offset := range l.skipsBefore(s.next) {
		if !s.passed[offset] {
			return nothingSaved(), nil
		}
	}
	return s, nil
}

// decodeSaved reads what save wrote.
func decodeSaved(raw []byte) (saved, error) {
	snapshot := &lanev1.Snapshot{}
	if err := proto.Unmarshal(raw, snapshot); err != nil {
		return saved{}, fmt.Errorf("decode a snapshot: %w", err)
	}
	state, err := ledger.Decode(snapshot.GetState())
	if err != nil {
		return saved{}, err
	}
	s := saved{ledger: state, next: snapshot.GetOffset() + 1, passed: map[int64]bool{}, found: decodeFound(snapshot.GetPublished()), bytes: len(raw)}
	for _, offset := range snapshot.GetPassedOver() {
		s.passed[offset] = true
	}
	return s, nil
}

// errDiverged says that reading the whole log again gives another state than this
// replica had. The replica begins anew, with what the log says.
var errDiverged = errors.New("the log, read again, decides otherwise than this replica did")

// snapshot reads the log on from the snapshot before, in a ledger of its own, and
// writes that down: nobody who is served waits for it, and each snapshot checks the
// one before. It counts only if the serving ledger decided the same. The last one of a dedicated lane lets
// it rest; no other may say that the lane is over.
func (l *Lane) snapshot(ctx context.Context, mark mark, last bool) (at int64, size int, err error) {
	shadow, err := l.latest(ctx)
	if err != nil {
		return 0, 0, err
	}
	if shadow.next >= mark.next { // a publisher before this one was faster
		return shadow.next - 1, shadow.bytes, nil
	}
	if err := l.readOn(ctx, &shadow, mark.next); err != nil {
		return 0, 0, err
	}
	if l.isOver(shadow.ledger) && !last {
		return 0, 0, errTooEarly
	}
	diverged := shadow.ledger.Digest() != mark.digest
	if diverged { // is it the snapshot, or this replica? The whole log knows
		l.log.ErrorContext(ctx, "the snapshot and this replica decided otherwise; the whole log is read again", "offset", mark.next)
		shadow = nothingSaved()
		if err := l.readOn(ctx, &shadow, mark.next); err != nil {
			return 0, 0, err
		}
		diverged = shadow.ledger.Digest() != mark.digest
	}
	at, size, err = l.save(ctx, shadow)
	if diverged && err == nil {
		err = errDiverged
		l.beginAnew()
	}
	return at, size, err
}

// save writes a ledger down, once its events are published.
func (l *Lane) save(ctx context.Context, s saved) (at int64, size int, err error) {
	if !l.awaitPublished(ctx, s.ledger.Last()) {
		return 0, 0, ctx.Err()
	}
	if _, err := l.lastPublished(ctx); err != nil {
		return 0, 0, err
	}
	state, err := s.ledger.Encode()
	if err != nil {
		return 0, 0, err
	}
	found := l.foundBefore()
	raw, err := proto.Marshal(&lanev1.Snapshot{
		Rules: uint32(s.ledger.ActiveRules()), Offset: s.next - 1, State: state,
		PassedOver: slices.Sorted(maps.Keys(s.passed)), Published: l.encodeFound(found),
	})
	if err != nil {
		return 0, 0, fmt.Errorf("encode the snapshot of %s: %w", l.source, err)
	}
	at = s.next - 1
	if err := l.snapshots.SaveSnapshot(ctx, l.partition, &journalv1.Snapshot{Seq: uint64(at), State: raw}); err != nil {
		return 0, 0, err
	}
	l.mu.Lock()
	l.savedSearch = found.searched
	l.mu.Unlock()
	return at, len(raw), nil
}

// replay is the ledger's, in the shape of Apply.
func (s *saved) replay(offset int64, e record.Entry) ([]ledger.Event, error) {
	return nil, s.ledger.Replay(offset, e)
}

// readOn reads a saved state on until the offset.
func (l *Lane) readOn(ctx context.Context, s *saved, until int64) error {
	for s.next < until {
		records, err := l.conn.Fetch(ctx, l.topic, l.partition, s.next)
		if err != nil && l.skipsOver(s.next) {
			s.passed[s.next] = true
			s.next++
			continue
		}
		if err != nil {
			return err
		}
		for _, r := range records {
			for r.Offset > s.next && l.skipsOver(s.next) {
				s.passed[s.next] = true
				s.next++
			}
			if r.Offset != s.next {
				return fmt.Errorf("%w: offset %d follows %d", errGap, r.Offset, s.next-1)
			}
			if s.next == until {
				return nil
			}
			if l.skipsOver(r.Offset) {
				s.passed[r.Offset] = true
			} else if _, _, err := fold(s.replay, r); err != nil && !errors.Is(err, errSkipped) {
				return err
			}
			s.next++
		}
	}
	return nil
}

// marks are the digests of the ledger at some offsets, by the offset that is applied
// next.
type marks struct {
	every   int64
	digests map[int64]uint64
}

const (
	// markEvery is how many entries are between two marks, unless snapshots come oftener.
	markEvery = 4_096
	mostMarks = 64
)

func newMarks(snapshotEvery int64) marks {
	return marks{every: min(markEvery, snapshotEvery), digests: map[int64]uint64{}}
}

// note marks an offset if it is its turn.
func (m marks) note(next int64, l *ledger.Ledger) (marked bool) {
	if next%m.every != 0 {
		return false
	}
	m.digests[next] = l.Digest()
	delete(m.digests, next-m.every*mostMarks)
	return true
}

type mark struct {
	next   int64
	digest uint64
}

// newestMark is the newest offset at which the digest was noted.
func (l *Lane) newestMark() (newest mark, ok bool) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	for next, digest := range l.marks.digests {
		if next > newest.next {
			newest, ok = mark{next, digest}, true
		}
	}
	return newest, ok && l.stopped == nil
}

// markNow marks the state as it is.
func (l *Lane) markNow() (now mark, ok bool) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return mark{l.next, l.ledger.Digest()}, l.stopped == nil && l.next > 0
}

// awaitPublished waits until the event at p is published; false when ctx ends.
func (l *Lane) awaitPublished(ctx context.Context, p ledger.Position) bool {
	for ctx.Err() == nil {
		l.mu.RLock()
		published, changed := l.published, l.changed
		l.mu.RUnlock()
		if !p.After(published) {
			return true
		}
		wait(ctx, changed)
	}
	return false
}

// begunAt is the offset of the snapshot that the lane began with, -1 for none.
func (l *Lane) begunAt() int64 {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.loadedAt
}

// watch returns a channel that is closed at the next change, and the offset to
// be applied next.
func (l *Lane) watch() (changed <-chan struct{}, next int64) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.changed, l.next
}

func wait(ctx context.Context, changed <-chan struct{}) {
	select {
	case <-ctx.Done():
	case <-changed:
	}
}
