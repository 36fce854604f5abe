package journal

import (
	"context"
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
	// maxLostRaces bounds how often a round is decided again before its commands are told to retry.
	maxLostRaces = 512
	// storeTries and storePause bound how long a round waits for a store that is away.
	storeTries = 5
	storePause = 100 * time.Millisecond
)

// shard is one sequence. Only run and load change it; mu guards what readers see.
type shard[S any] struct {
	cfg      Config
	machine  Machine[S]
	measures *measures
	number   int
	name     string // "<journal>/<shard>": the source of its events

	queue   chan *waiter[S]
	stopped chan struct{} // closed when run has ended: nobody answers any more

	mu      sync.RWMutex
	state   S
	seq     uint64
	heard   map[string]eventkit.Position
	recent  recent
	changed chan struct{} // closed at the next change

	snapshotSeq  uint64
	snapshotting atomic.Bool
	saving       sync.WaitGroup
}

func newShard[S any](j *Journal[S], n int) *shard[S] {
	return &shard[S]{
		cfg: j.cfg, machine: j.machine, measures: j.measures, number: n, name: fmt.Sprintf("%s/%d", j.cfg.Name, n),
		queue: make(chan *waiter[S], queueLength), stopped: make(chan struct{}), state: j.machine.New(),
		heard: map[string]eventkit.Position{}, changed: make(chan struct{}),
	}
}

// load folds the newest snapshot and all that follows it.
func (s *shard[S]) load(ctx context.Context) error {
	if err := s.loadSnapshot(ctx); err != nil {
		return err
	}
	err := s.cfg.Store.Range(ctx, s.number, s.seq+1, func(_ uint64, batch *journalv1.Batch) error { return s.apply(batch) })
	if err != nil {
		return fmt.Errorf("%s: read the batches behind %d: %w", s.name, s.seq, err)
	}
	return nil
}

// run takes rounds of waiting commands until ctx ends, and answers all that it has taken.
func (s *shard[S]) run(ctx context.Context) {
	var waiting []*waiter[S]
	for {
		if len(waiting) == 0 {
			select {
			case <-ctx.Done():
			case w := <-s.queue:
				waiting = append(waiting, w)
			}
		}
		if ctx.Err() != nil {
			s.stop(waiting)
			return
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

// stop refuses what waits. What is put into the queue from now on sees stopped.
func (s *shard[S]) stop(waiting []*waiter[S]) {
	for _, w := range slices.Concat(waiting, s.drainQueue(nil)) {
		w.answer(unavailable(errStopped))
	}
	close(s.stopped)
	s.saving.Wait()
}

// put waits for a place in the queue.
func (s *shard[S]) put(ctx context.Context, w *waiter[S]) error {
	select {
	case s.queue <- w:
		return nil
	case <-s.stopped:
		return unavailable(errStopped)
	case <-ctx.Done():
		return ctx.Err()
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

// settle decides a round and makes it durable, again after each lost race. It returns what did not
// fit into one batch; those commands have no answer yet. After an error none of the round has one.
func (s *shard[S]) settle(ctx context.Context, round []*waiter[S]) (over []*waiter[S], err error) {
	for lost := range maxLostRaces {
		now := s.cfg.Now().UTC()
		taken, rest := s.decide(round, now)
		batch, err := s.encode(taken, ids.New("batch"), now)
		if err != nil {
			return nil, err
		}
		won, err := s.write(ctx, batch, taken)
		if err != nil {
			return nil, err
		}
		if won {
			for _, d := range taken {
				d.answer(d.err)
			}
			s.measures.settled(ctx, commandsIn(taken), batch)
			return rest, nil
		}
		if batch != nil {
			s.measures.lostRace(ctx)
			pause(ctx, rand.N(time.Duration(min(lost+1, 4))*time.Millisecond)) //nolint:gosec // jitter: the loser gives way, but not for long
		}
	}
	return nil, fault.New(fault.Unavailable, "contended", "Others kept changing the same records. Ask again with the same key.").RetryAfter(1)
}

// write makes the batch the shard's next one. Where there is nothing to write, the decisions count
// only if nobody else wrote meanwhile.
func (s *shard[S]) write(ctx context.Context, batch *journalv1.Batch, taken []decided[S]) (won bool, err error) {
	if batch == nil {
		others, err := s.catchUp(ctx)
		return others == 0, err
	}
	ctx, span := startCommit(ctx, s.cfg.Name, taken)
	began := time.Now()
	won, err = s.commit(ctx, batch)
	s.measures.committed(ctx, time.Since(began))
	endCommit(span, won, err)
	return won, err
}

// commit tries to take the next slot of the shard and applies the batch of whoever got it. After
// an error the outcome is unknown: the next round finds the slot filled, or fills it.
func (s *shard[S]) commit(ctx context.Context, batch *journalv1.Batch) (won bool, err error) {
	for range storeTries {
		err = s.cfg.Store.Insert(ctx, s.number, s.seq+1, batch)
		if err == nil {
			return true, s.apply(batch)
		}
		// The slot tells who has it: an insertion whose reply was lost may be ours.
		winner, found, getErr := s.cfg.Store.Get(ctx, s.number, s.seq+1)
		if getErr == nil && found {
			return winner.GetBatchId() == batch.GetBatchId(), s.apply(winner)
		}
		if ctx.Err() != nil {
			break
		}
		s.cfg.Log.WarnContext(ctx, "journal insertion failed, trying again", "shard", s.name, "seq", s.seq+1, "error", err)
		pause(ctx, storePause)
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
	w := newWaiter(Command[S]{}, nil)
	if err := s.put(ctx, w); err != nil {
		return err
	}
	return w.wait(ctx, s.stopped)
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
	s.recent.add(s.seq, batch)
	close(s.changed)
	s.changed = make(chan struct{})
	return nil
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
