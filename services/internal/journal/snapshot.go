package journal

import (
	"context"
	"slices"
	"strings"

	journalv1 "github.com/qingcang/qingcang/proto/gen/journal/v1"
)

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
	go func() {
		defer s.snapshotting.Store(false)
		if err := s.cfg.Store.SaveSnapshot(ctx, s.number, snapshot); err != nil {
			s.cfg.Log.WarnContext(ctx, "snapshot not saved", "shard", s.name, "seq", snapshot.GetSeq(), "error", err)
		}
	}()
}
