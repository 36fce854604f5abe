package stack

import "time"

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
	recent := p.deaths[:0]
	for _, death := range p.deaths {
		if now.Sub(death) < restartWindow {
			recent = append(recent, death)
		}
	}
	p.deaths = append(recent, now)
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
