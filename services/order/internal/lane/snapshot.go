package lane

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/proto"

	journalv1 "github.com/qingcang/qingcang/proto/gen/journal/v1"
	lanev1 "github.com/qingcang/qingcang/proto/gen/lane/v1"
	"github.com/qingcang/qingcang/services/order/internal/ledger"
)

// Snapshots keeps the newest states of a topic's lanes by partition; a torn one
// is passed over. The journal's stores do just that.
type Snapshots interface {
	SaveSnapshot(ctx context.Context, partition int, snapshot *journalv1.Snapshot) error
	LatestSnapshot(ctx context.Context, partition int) (snapshot *journalv1.Snapshot, found bool, err error)
}

// latestSnapshot returns the ledger to begin with and the offset to read on from.
func (l *Lane) latestSnapshot(ctx context.Context) (*ledger.Ledger, int64, error) {
	stored, found, err := l.snapshots.LatestSnapshot(ctx, l.partition)
	if err != nil {
		return nil, 0, err
	}
	if !found {
		return ledger.New(), 0, nil
	}
	snapshot := &lanev1.Snapshot{}
	if err := proto.Unmarshal(stored.GetState(), snapshot); err != nil {
		return nil, 0, fmt.Errorf("decode the snapshot of %s: %w", l.source(), err)
	}
	state, err := ledger.Decode(snapshot.GetState())
	if err != nil {
		return nil, 0, fmt.Errorf("snapshot of %s at %d: %w", l.source(), snapshot.GetOffset(), err)
	}
	l.log.InfoContext(ctx, "lane begins with a snapshot", "offset", snapshot.GetOffset())
	return state, snapshot.GetOffset() + 1, nil
}

// keepSnapshots saves the state every so many entries. It runs on the publisher:
// a state is saved only when all events up to it are published, because a
// replica that begins with it cannot make them again.
func (l *Lane) keepSnapshots(ctx context.Context, every int64) error {
	last := l.begunAt()
	for ctx.Err() == nil {
		changed, next := l.watch()
		if next-1-last < every {
			wait(ctx, changed)
			continue
		}
		snapshot, newest, err := l.encode()
		if err != nil {
			return err
		}
		if !l.awaitPublished(ctx, newest) {
			return nil
		}
		last = snapshot.GetOffset()
		raw, err := proto.Marshal(snapshot)
		if err != nil {
			return fmt.Errorf("encode the snapshot of %s: %w", l.source(), err)
		}
		stored := &journalv1.Snapshot{Seq: uint64(last), State: raw}
		if err := l.snapshots.SaveSnapshot(ctx, l.partition, stored); err != nil {
			// It costs a longer start and nothing else.
			l.log.WarnContext(ctx, "lane snapshot not saved", "offset", last, "err", err)
		}
	}
	return nil
}

// encode writes the ledger down as it is now, with its newest event's position.
// That of a stopped lane may hold half an entry, which a mended binary would
// apply once more.
func (l *Lane) encode() (*lanev1.Snapshot, ledger.Position, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.stopped != nil {
		return nil, ledger.None, errStopped.Wrap(l.stopped)
	}
	state, err := l.ledger.Encode()
	if err != nil {
		return nil, ledger.None, err
	}
	return &lanev1.Snapshot{Rules: ledger.Rules, Offset: l.next - 1, State: state}, l.ledger.Last(), nil
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
