package stack

import (
	"slices"
	"time"
)

const (
	firstPause     = 100 * time.Millisecond
	longestPause   = 5 * time.Second
	restartWindow  = time.Minute
	maxPerWindow   = 10
	steadyLifetime = 20 * time.Second // after this a death is a new trouble, not the old one
)

// pace decides how long to wait before a dead process is started again, and
// when to give it up.
type pace struct {
	pause  time.Duration
	deaths []time.Time // those within the window
}

// next takes the time of a death and how long the process had lived.
func (p *pace) next(now time.Time, lived time.Duration) (pause time.Duration, giveUp bool) {
	p.deaths = slices.DeleteFunc(p.deaths, func(death time.Time) bool { return now.Sub(death) >= restartWindow })
	p.deaths = append(p.deaths, now)
	if len(p.deaths) > maxPerWindow {
		return 0, true
	}
	if p.pause == 0 || lived >= steadyLifetime {
		p.pause = firstPause
	} else {
		p.pause = min(2*p.pause, longestPause)
	}
	return p.pause, false
}
