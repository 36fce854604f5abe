package journal

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/qingcang/qingcang/proto/eventkit"
	journalv1 "github.com/qingcang/qingcang/proto/gen/journal/v1"
	"github.com/qingcang/qingcang/services/internal/fault"
	"github.com/qingcang/qingcang/services/internal/ids"
)

const (
	// recentBatches is how many batches stay in memory for the relay.
	recentBatches = 256
	// maxLostRaces bounds how often a round is decided again before its commands are told to retry.
	maxLostRaces = 512
	storeTries   = 5
)

// shard is one sequence. Only run and load change it; mu guards what readers see.
type shard[S any] struct {
	cfg     Config
	machine Machine[S]
	number  int
	name    string // "<journal>/<shard>": the source of its events

	queue chan *waiter[S]
	// failed holds, per source, the event that could not be taken in. Only run touches it.
	failed map[string]eventkit.Position

	mu      sync.RWMutex
	state   S
	seq     uint64
	heard   map[string]eventkit.Position
	recent  [recentBatches]*journalv1.Batch // batch n at n % recentBatches
	changed chan struct{}                   // closed at the next change

	snapshotSeq  uint64
	snapshotting atomic.Bool
}

func newShard[S any](j *Journal[S], n int) *shard[S] {
	return &shard[S]{
		cfg: j.cfg, machine: j.machine, number: n, name: fmt.Sprintf("%s/%d", j.cfg.Name, n),
		queue: make(chan *waiter[S], queueLength), failed: map[string]eventkit.Position{}, state: j.machine.New(),
		heard: map[string]eventkit.Position{}, changed: make(chan struct{}),
	}
}

// load folds the newest snapshot and all that follows it.
func (s *shard[S]) load(ctx context.Context) error {
	snapshot, ok, err := s.cfg.Store.LatestSnapshot(ctx, s.number)
	if err != nil {
		return err
	}
	if ok {
		if s.state, err = s.machine.Decode(snapshot.GetState()); err != nil {
			return fmt.Errorf("decode the snapshot of %s at %d: %w", s.name, snapshot.GetSeq(), err)
		}
		s.seq, s.snapshotSeq = snapshot.GetSeq(), snapshot.GetSeq()
		for _, p := range snapshot.GetHeard() {
			s.heard[p.GetSource()] = eventkit.Position{Source: p.GetSource(), Seq: p.GetSeq(), Index: p.GetIndex()}
		}
	}
	return s.cfg.Store.Range(ctx, s.number, s.seq+1, func(seq uint64, batch *journalv1.Batch) error {
		if seq != s.seq+1 {
			return fmt.Errorf("%s: batch %d follows %d: the journal has a hole", s.name, seq, s.seq)
		}
		return s.apply(batch)
	})
}

// run takes rounds of waiting commands until ctx ends.
func (s *shard[S]) run(ctx context.Context) {
	var waiting []*waiter[S]
	for {
		if len(waiting) == 0 {
			select {
			case <-ctx.Done():
				s.refuseAll()
				return
			case w := <-s.queue:
				waiting = append(waiting, w)
			}
		}
		waiting = s.drainQueue(waiting)
		round, later := choose(waiting)
		over, err := s.settle(ctx, round)
		if err != nil {
			for _, w := range round {
				w.answer(err)
			}
		}
		waiting = slices.Concat(over, later)
		s.maybeSnapshot(ctx)
	}
}

// answer replies once; a waiter of a failed round may have its answer already.
func (w *waiter[S]) answer(err error) {
	select {
	case w.done <- err:
	default:
	}
}

func (s *shard[S]) drainQueue(waiting []*waiter[S]) []*waiter[S] {
	for len(waiting) < queueLength {
		select {
		case w := <-s.queue:
			waiting = append(waiting, w)
		default:
			return waiting
		}
	}
	return waiting
}

func (s *shard[S]) refuseAll() {
	for _, w := range s.drainQueue(nil) {
		w.answer(unavailable(context.Canceled))
	}
}

// settle decides a round and makes it durable, again after each lost race. It returns what did not
// fit into one batch; those commands have no answer yet.
func (s *shard[S]) settle(ctx context.Context, round []*waiter[S]) (over []*waiter[S], err error) {
	for lost := range maxLostRaces {
		now := s.cfg.Now().UTC()
		taken, over := s.decide(round, now)
		batch, err := s.encode(taken, ids.New("batch"), now)
		if err != nil {
			return nil, err
		}
		var won bool
		if batch == nil {
			// Nothing to write: the answer counts only if nobody else wrote meanwhile.
			fresh, err := s.catchUp(ctx)
			if err != nil {
				return nil, err
			}
			won = fresh == 0
		} else if won, err = s.commit(ctx, batch, taken); err != nil {
			return nil, err
		}
		if won {
			for _, d := range taken {
				d.answer(d.err)
			}
			return over, nil
		}
		if batch != nil {
			pause(ctx, rand.N(time.Duration(min(lost+1, 4))*time.Millisecond)) //nolint:gosec // jitter: the loser gives way, but not for long
		}
	}
	return nil, fault.New(fault.Unavailable, "contended", "Others kept changing the same records. Ask again with the same key.")
}

// commit tries to make the batch the next one of the shard and applies whoever won.
func (s *shard[S]) commit(ctx context.Context, batch *journalv1.Batch, taken []decided[S]) (won bool, err error) {
	ctx, span := startCommit(ctx, s.cfg.Name, taken)
	defer span.End()
	for range storeTries {
		err = s.cfg.Store.Insert(ctx, s.number, s.seq+1, batch)
		if err == nil {
			return true, s.apply(batch)
		}
		if errors.Is(err, ErrTaken) || ctx.Err() == nil {
			// The slot tells who has it: an insertion whose reply was lost may be ours.
			winner, found, getErr := s.cfg.Store.Get(ctx, s.number, s.seq+1)
			if getErr == nil && found {
				return winner.GetBatchId() == batch.GetBatchId(), s.apply(winner)
			}
		}
		if ctx.Err() != nil {
			break
		}
		s.cfg.Log.WarnContext(ctx, "journal insertion failed, trying again", "shard", s.name, "seq", s.seq+1, "error", err)
		pause(ctx, 100*time.Millisecond)
	}
	return false, unavailable(err)
}

// catchUp applies the batches that others have written and returns how many there were.
func (s *shard[S]) catchUp(ctx context.Context) (int, error) {
	for n := 0; ; n++ {
		batch, found, err := s.cfg.Store.Get(ctx, s.number, s.seq+1)
		if err != nil {
			return n, unavailable(err)
		}
		if !found {
			return n, nil
		}
		if err := s.apply(batch); err != nil {
			return n, err
		}
	}
}

// look makes sure that the state holds all that was written when the call began. All that wait
// share one look.
func (s *shard[S]) look(ctx context.Context) error {
	w := &waiter[S]{done: make(chan error, 1)}
	select {
	case s.queue <- w:
	case <-ctx.Done():
		return ctx.Err()
	}
	return w.wait(ctx)
}

// apply folds the next batch.
func (s *shard[S]) apply(batch *journalv1.Batch) error {
	facts := make([]Fact, 0, len(batch.GetEvents()))
	for _, e := range batch.GetEvents() {
		fact, err := decodeFact(e)
		if err != nil {
			return fmt.Errorf("%s/%d: %w", s.name, s.seq+1, err)
		}
		facts = append(facts, fact)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seq++
	at := batch.GetDecidedAt().AsTime()
	for i, fact := range facts {
		s.machine.Apply(s.state, fact, Meta{Shard: s.number, Seq: s.seq, Index: uint32(i), DecidedAt: at})
	}
	for _, p := range batch.GetHeard() {
		s.heard[p.GetSource()] = eventkit.Position{Source: p.GetSource(), Seq: p.GetSeq(), Index: p.GetIndex()}
	}
	s.recent[s.seq%recentBatches] = batch
	close(s.changed)
	s.changed = make(chan struct{})
	return nil
}

func unavailable(err error) error {
	return fault.New(fault.Unavailable, "journal_unavailable", "The records cannot be reached now. Ask again with the same key.").Wrap(err)
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
