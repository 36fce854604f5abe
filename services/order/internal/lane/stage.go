package lane

import (
	"context"
	"time"
)

// stage is how far a lane has come in this process.
type stage int

const (
	loading stage = iota
	// absent waits for its topic.
	absent
	// queued waits until fewer lanes run.
	queued
	running
	// resting is run no more: its campaign has left it, and all of that is told and saved.
	resting
)

var stageNames = map[stage]string{loading: "loading", absent: "waiting", queued: "queued", running: "running", resting: "resting"}

func (l *Lane) stageNow() stage {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.stage
}

func (l *Lane) reaches(s stage) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stage = s
	l.wake()
}

// Rests reports whether the lane is run no more, because its campaign has left it and everybody knows.
func (l *Lane) Rests() bool { return l.stageNow() == resting }

// waitsForTopic notes that the lane's topic is not there, and says so once.
func (l *Lane) waitsForTopic(ctx context.Context) {
	l.mu.Lock()
	said := l.stage == absent
	l.stage = absent
	if !said {
		l.absentSince = time.Now()
	}
	l.wake()
	l.mu.Unlock()
	if !said {
		l.log.InfoContext(ctx, "lane waits for its topic, which the operator makes")
	}
}

// awaitRunning waits a moment for a lane that is being loaded, and reports whether it runs.
func (l *Lane) awaitRunning(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, loadWithin)
	defer cancel()
	for {
		l.mu.RLock()
		now, changed := l.stage, l.changed
		l.mu.RUnlock()
		if now != loading || ctx.Err() != nil {
			return now == running
		}
		wait(ctx, changed)
	}
}

// gaveUp reports whether the lane's topic is not there and will hardly come.
func (l *Lane) gaveUp() bool {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.stage == absent && time.Since(l.absentSince) > giveUpAfter
}

// forsaken reports whether nobody has a use for the lane: neither its topic nor its campaign is there.
func (l *Lane) forsaken() bool {
	l.mu.RLock()
	missing := l.stage == absent && time.Since(l.absentSince) > forsakenAfter
	l.mu.RUnlock()
	if !missing {
		return false
	}
	_, named := l.campaigns.Desired(l.campaign)
	return !named
}

// leave ends a life of the lane in this process. If it rests, it may be woken up; if not, the process stops, and
// has no more to say about it.
func (l *Lane) leave(rests bool) {
	l.desk.close() // first: who wakes the lane up opens it
	l.recent.clear()
	if rests {
		l.reaches(resting)
	} else {
		l.reaches(loading)
	}
}

// wakeUp reports whether a lane rested, which it does no more.
func (l *Lane) wakeUp() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stage != resting {
		return false
	}
	l.stage, l.goal, l.waking = loading, -1, waking{wanted: true}
	l.desk.open()
	return true
}

// waking is why a lane is run that could rest: somebody has something to tell it.
type waking struct {
	wanted bool // and not loaded yet
	// until is how long it waits for that, if its log does not grow beyond end before.
	until time.Time
	end   int64
}

func (w *waking) loaded(end int64) {
	if w.wanted {
		*w = waking{until: time.Now().Add(awakeFor), end: end}
	}
}

// over reports whether what the lane was woken up for has come, or is not waited for any more.
func (w waking) over(end int64, now time.Time) bool {
	return !w.wanted && (end > w.end || now.After(w.until))
}
