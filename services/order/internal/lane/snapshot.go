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
	bytes  int
}

func nothingSaved() saved { return saved{ledger: ledger.New(), passed: map[int64]bool{}} }

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
	s := saved{ledger: state, next: snapshot.GetOffset() + 1, passed: map[int64]bool{}, bytes: len(raw)}
	for _, offset := range snapshot.GetPassedOver() {
		s.passed[offset] = true
	}
	return s, nil
}

// keepSnapshots saves the state every so many entries. It runs on the publisher:
// a state is saved only when all events up to it are published, because a
// replica that begins with it cannot make them again.
func (l *Lane) keepSnapshots(ctx context.Context, every int64) error {
	last, size := l.begunAt(), 0
	for ctx.Err() == nil {
		changed, next := l.watch()
		if next-1-last < max(every, int64(size/snapshotShare)) {
			wait(ctx, changed)
			continue
		}
		at, written, err := l.snapshot(ctx)
		switch {
		case err == nil:
			last, size = at, written
		case ctx.Err() == nil:
			// It costs a longer start and nothing else.
			l.log.WarnContext(ctx, "lane snapshot not made", "err", err)
			last += every
		}
	}
	return nil
}

// errDiverged says that reading the whole log again gives another state than this
// replica had. The replica begins anew, with what the log says.
var errDiverged = errors.New("the log, read again, decides otherwise than this replica did")

// snapshot reads the log on from the snapshot before, in a ledger of its own, and
// writes that down: nobody who is served waits for it, and each snapshot checks the
// one before. It counts only if the serving ledger decided the same.
func (l *Lane) snapshot(ctx context.Context) (at int64, size int, err error) {
	mark, ok := l.newestMark()
	if !ok {
		return 0, 0, errors.New("nothing to compare with yet")
	}
	shadow, err := l.latest(ctx)
	if err != nil {
		return 0, 0, err
	}
	if shadow.next >= mark.next { // a publisher before this one was faster
		return shadow.next - 1, shadow.bytes, nil
	}
	if err := l.follow(ctx, &shadow, mark.next); err != nil {
		return 0, 0, err
	}
	diverged := shadow.ledger.Digest() != mark.digest
	if diverged { // is it the snapshot, or this replica? The whole log knows
		l.log.ErrorContext(ctx, "the snapshot and this replica decided otherwise; the whole log is read again", "offset", mark.next)
		shadow = nothingSaved()
		if err := l.follow(ctx, &shadow, mark.next); err != nil {
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
	state, err := s.ledger.Encode()
	if err != nil {
		return 0, 0, err
	}
	raw, err := proto.Marshal(&lanev1.Snapshot{
		Rules: uint32(s.ledger.ActiveRules()), Offset: s.next - 1, State: state, PassedOver: slices.Sorted(maps.Keys(s.passed)),
	})
	if err != nil {
		return 0, 0, fmt.Errorf("encode the snapshot of %s: %w", l.source, err)
	}
	if !l.awaitPublished(ctx, s.ledger.Last()) {
		return 0, 0, ctx.Err()
	}
	at = s.next - 1
	return at, len(raw), l.snapshots.SaveSnapshot(ctx, l.partition, &journalv1.Snapshot{Seq: uint64(at), State: raw})
}

// replay is the ledger's, in the shape of Apply.
func (s *saved) replay(offset int64, e record.Entry) ([]ledger.Event, error) {
	return nil, s.ledger.Replay(offset, e)
}

// follow reads a saved state on until the offset.
func (l *Lane) follow(ctx context.Context, s *saved, until int64) error {
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
