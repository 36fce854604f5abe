package journal

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/qingcang/qingcang/proto/eventkit"
	journalv1 "github.com/qingcang/qingcang/proto/gen/journal/v1"
)

// loadSnapshot begins at the newest snapshot that this version can read, else at nothing.
func (s *shard[S]) loadSnapshot(ctx context.Context) error {
	snapshot, found, err := s.cfg.Store.LatestSnapshot(ctx, s.number)
	if err != nil || !found {
		return err
	}
	// A snapshot that is ahead of its journal would make the next batch leave a hole.
	if _, there, err := s.cfg.Store.Get(ctx, s.number, snapshot.GetSeq()); err != nil {
		return err
	} else if !there {
		return fmt.Errorf("%s: there is a snapshot at %d, but no such batch: the journal has lost its end", s.name, snapshot.GetSeq())
	}
	state, err := s.machine.Decode(snapshot.GetState())
	if err != nil {
		s.cfg.Log.WarnContext(ctx, "snapshot of another version, reading the whole journal", "shard", s.name, "seq", snapshot.GetSeq(), "error", err)
		return nil
	}
	s.state, s.seq, s.snapshotSeq = state, snapshot.GetSeq(), snapshot.GetSeq()
	for _, p := range snapshot.GetHeard() {
		s.heard[p.GetSource()] = eventkit.Position{Source: p.GetSource(), Seq: p.GetSeq(), Index: p.GetIndex()}
	}
	return nil
}

// maybeSnapshot saves the state now and then. It is encoded between two rounds, when nothing
// changes it, and stored beside the next ones; a failed one costs a longer start and nothing else.
func (s *shard[S]) maybeSnapshot(ctx context.Context) {
	if s.seq-s.snapshotSeq < uint64(s.cfg.SnapshotEvery) || !s.snapshotting.CompareAndSwap(false, true) {
		return
	}
	state, err := s.machine.Encode(s.state)
	if err != nil {
		s.snapshotting.Store(false)
		s.cfg.Log.ErrorContext(ctx, "snapshot not encoded", "shard", s.name, "seq", s.seq, "error", err)
		return
	}
	snapshot := &journalv1.Snapshot{Seq: s.seq, State: state}
	for _, p := range s.heard {
		snapshot.Heard = append(snapshot.Heard, &journalv1.Position{Source: p.Source, Seq: p.Seq, Index: p.Index})
	}
	slices.SortFunc(snapshot.Heard, func(a, b *journalv1.Position) int { return strings.Compare(a.GetSource(), b.GetSource()) })
	s.snapshotSeq = s.seq
	s.saving.Go(func() {
		defer s.snapshotting.Store(false)
		if err := s.cfg.Store.SaveSnapshot(ctx, s.number, snapshot); err != nil {
			s.cfg.Log.WarnContext(ctx, "snapshot not saved", "shard", s.name, "seq", snapshot.GetSeq(), "error", err)
		}
	})
}
