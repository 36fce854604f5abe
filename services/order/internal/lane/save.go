package lane

import (
	"context"
	"errors"
	"time"

	"github.com/qingcang/qingcang/proto/eventkit"
	"github.com/qingcang/qingcang/proto/lane/record"
	"github.com/qingcang/qingcang/services/order/internal/ledger"
)

const (
	// saveLook is how often it is looked at whether a silent lane has fallen far behind. A snapshot that
	// failed is tried again after as long.
	saveLook = time.Minute
	// farBehind is how many events of other lanes a start may have to look through for the newest of a
	// silent one: about a second.
	farBehind = 1 << 17
)

// errTooEarly is a snapshot that would let the lane rest before the world has heard of its end.
var errTooEarly = errors.New("the lane is over, and not all of it is told yet")

// keepSnapshots saves the state every so many entries, and when a start would have to look far for the lane's
// newest event. It runs on the publisher: a state is saved only when all events up to it are published,
// because a replica that begins with it cannot make them again.
func (l *Lane) keepSnapshots(ctx context.Context, every int64) error {
	last, size := l.begunAt(), 0
	looked := time.Now()
	for ctx.Err() == nil {
		changed, next := l.watch()
		var mark mark
		due := next-1-last >= max(every, int64(size/snapshotShare))
		if due {
			mark, due = l.newestMark()
		}
		if !due && time.Since(looked) >= saveLook {
			looked = time.Now()
			mark, due = l.markSilent(ctx)
		}
		if !due {
			waitAtMost(ctx, changed, saveLook)
			continue
		}
		at, written, err := l.snapshot(ctx, mark, false)
		switch {
		case err == nil:
			last, size = at, written
		case errors.Is(err, errTooEarly):
			return nil // conclude makes the last one
		case ctx.Err() == nil:
			// It costs a longer start and nothing else.
			l.log.WarnContext(ctx, "lane snapshot not made", "err", err)
			pause(ctx, saveLook)
		}
	}
	return nil
}

// markSilent marks the state of a lane of whose events the newest snapshot knows too little by now. A tick
// gives it a place that no snapshot stands at yet.
func (l *Lane) markSilent(ctx context.Context) (now mark, far bool) {
	end, err := l.conn.EndOffset(ctx, EventTopic, l.eventShard)
	l.mu.RLock()
	far = l.next > 0 && end-l.savedSearch > farBehind
	at := l.appended.at
	l.mu.RUnlock()
	if err != nil || !far || l.Do(ctx, &record.Tick{At: at.UnixMilli()}) != nil {
		return mark{}, false // it is looked at again
	}
	return l.markNow()
}

// conclude does what runs alongside a publisher. Of a dedicated lane that ends when the campaign has left it and
// the world knows: then the lane's last snapshots are made, behind which it rests.
func (l *Lane) conclude(ctx context.Context, alongside func(context.Context, *Lane) error) error {
	if alongside != nil {
		if err := alongside(ctx, l); err != nil {
			return err
		}
	}
	saved := int64(-1)
	for ctx.Err() == nil && l.campaign != "" {
		changed, next := l.watch()
		if next-1 <= saved || !l.Over() {
			wait(ctx, changed)
			continue
		}
		mark, ok := l.markNow()
		if !ok {
			wait(ctx, changed)
			continue
		}
		at, _, err := l.snapshot(ctx, mark, true)
		if err != nil {
			if ctx.Err() == nil {
				l.log.WarnContext(ctx, "the lane's last snapshot not made", "err", err)
				pause(ctx, 4*retryPause)
			}
			continue
		}
		saved = at
	}
	return nil
}

// Over reports whether the lane's only campaign has left it. A shared lane is never over.
func (l *Lane) Over() bool {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.isOver(l.ledger)
}

func (l *Lane) isOver(state *ledger.Ledger) bool {
	return l.campaign != "" && state.Retired(l.campaign)
}

// mayRest reports whether what is saved says that the lane is over, up to the end of its log, which it returns:
// nothing is left to be published, told or saved.
func (l *Lane) mayRest(ctx context.Context, s saved) (rests bool, end int64, err error) {
	if !l.isOver(s.ledger) {
		return false, 0, nil
	}
	end, err = l.conn.EndOffset(ctx, l.topic, l.partition)
	if errors.Is(err, eventkit.ErrNoTopic) { // somebody has deleted it since
		end, err = s.next, nil
	}
	l.mu.RLock()
	defer l.mu.RUnlock()
	return err == nil && s.next >= end && l.waking.over(end, time.Now()), end, err
}

// awaitRest waits until the lane rests; false when ctx ends before.
func (l *Lane) awaitRest(ctx context.Context) bool {
	for ctx.Err() == nil {
		changed, _ := l.watch()
		if !l.Over() {
			wait(ctx, changed)
			continue
		}
		rests := false
		saved, err := l.latest(ctx)
		if err == nil {
			rests, _, err = l.mayRest(ctx, saved)
		}
		if rests {
			return true
		}
		if err != nil && ctx.Err() == nil {
			l.log.WarnContext(ctx, "cannot see whether the lane may rest", "err", err)
		}
		pause(ctx, restLook)
	}
	return false
}
