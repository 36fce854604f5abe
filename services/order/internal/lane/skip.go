package lane

import (
	"context"
	"math"
	"slices"
	"time"

	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
	"github.com/qingcang/qingcang/services/order/internal/ledger"
)

// complainEvery is how often a stopped lane says so.
const complainEvery = time.Minute

// An entry that stops a lane is passed over when a campaign of the lane says so in
// its desired state (skip_offsets). Every replica must pass over the same entries,
// so one that has let such an entry count already begins anew before it.

// followTable learns from the desired states which entries are to be skipped, and
// lets go of what the ledger has, until ctx ends.
func (l *Lane) followTable(ctx context.Context) {
	for ctx.Err() == nil {
		desired, changed := l.learnTable()
		for _, d := range desired {
			l.lookWhatArrived(d.GetUid())
		}
		wait(ctx, changed)
	}
}

// learnTable learns which entries are to be skipped by what the table says now.
func (l *Lane) learnTable() (desired []*campaignv1.Desired, changed <-chan struct{}) {
	desired, changed = l.campaigns.ofLane(l)
	var offsets []int64
	for _, d := range desired {
		offsets = append(offsets, d.GetLane().GetSkipOffsets()...)
	}
	l.learnSkips(offsets)
	return desired, changed
}

// lookWhatArrived tells the table which generation of a campaign the ledger has.
func (l *Lane) lookWhatArrived(uid string) {
	var generation int64
	l.Peek(func(state *ledger.Ledger) {
		if generation = state.Generation(uid); state.Retired(uid) {
			generation = math.MaxInt64
		}
	})
	l.campaigns.arrived(uid, generation)
}

// learnSkips has the lane begin anew if something that is to be skipped has counted, or
// if it may have been what stopped the lane.
func (l *Lane) learnSkips(offsets []int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	news := false
	for _, offset := range offsets {
		news = news || !l.skips[offset]
		l.skips[offset] = true
	}
	l.anew = l.anew || news && (l.stopped != nil || l.countsSkipped())
	if l.anew {
		l.wake()
	}
}

// countsSkipped reports whether an entry that is to be skipped counts in the ledger.
// The lock is held.
func (l *Lane) countsSkipped() bool {
	for offset := range l.skips {
		if offset < l.next && !l.passed[offset] {
			return true
		}
	}
	return false
}

// beginAnew has the lane built again, from the newest snapshot.
func (l *Lane) beginAnew() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.anew = true
	l.wake()
}

// mustBeginAnew reports, once, whether the lane has to be built again.
func (l *Lane) mustBeginAnew() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	anew := l.anew
	l.anew = false
	return anew
}

// awaitSkip waits until a stopped lane may go on, and repeats why it stands still;
// false when ctx ends.
func (l *Lane) awaitSkip(ctx context.Context) bool {
	complain := time.NewTicker(complainEvery)
	defer complain.Stop()
	for {
		l.mu.RLock()
		anew, changed, reason := l.anew, l.changed, l.stopped
		l.mu.RUnlock()
		if anew {
			return true
		}
		select {
		case <-changed:
		case <-complain.C:
			l.log.ErrorContext(ctx, "lane stands still", "err", reason)
		case <-ctx.Done():
			return false
		}
	}
}

// passOver goes on behind an entry that cannot be read at all and is to be
// skipped; false if it is not.
func (l *Lane) passOver() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.skips[l.next] {
		return false
	}
	l.passNext()
	l.wake()
	return true
}

// passNext goes on behind the next entry without it. The lock is held.
func (l *Lane) passNext() {
	l.passed[l.next] = true
	l.next++
	l.marks.note(l.next, l.ledger)
}

func (l *Lane) skipsOver(offset int64) bool {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.skips[offset]
}

// skipsBefore returns the entries before an offset that are to be skipped.
func (l *Lane) skipsBefore(offset int64) []int64 {
	l.mu.RLock()
	defer l.mu.RUnlock()
	var before []int64
	for skip := range l.skips {
		if skip < offset {
			before = append(before, skip)
		}
	}
	slices.Sort(before)
	return before
}
