package lane

import (
	"context"
	"time"

	"github.com/qingcang/qingcang/proto/lane/record"
)

const (
	// tickSpacing is the least time between two ticks.
	tickSpacing = 50 * time.Millisecond
	// freshFor is how long an append time is good enough for a tick.
	freshFor = 20 * time.Millisecond
	// A hold begins at ledger time, so a lane that sells must not fall behind by
	// more than a hundredth of its shortest hold, and at most maxLag.
	lagShare = 100
	maxLag   = 5 * time.Second
	// lookEvery bounds the wait for a time that is far away: clocks are set.
	lookEvery = time.Second
)

// clock is what decides when the next tick is due.
type clock struct {
	lastTick time.Time     // when the last tick was appended here
	due      time.Time     // zero: nothing is due ever
	busy     bool          // commands came behind the last tick
	lag      time.Duration // how far ledger time may fall behind; 0: nothing is open
}

// untilTick returns how long to wait before the next tick; 0 is now.
func (c clock) untilTick(now time.Time) time.Duration {
	at := now.Add(lookEvery)
	sooner := func(t time.Time) {
		if t.Before(at) {
			at = t
		}
	}
	if !c.due.IsZero() {
		sooner(c.due)
	}
	if c.busy {
		sooner(now)
	}
	if c.lag > 0 {
		sooner(c.lastTick.Add(c.lag))
	}
	if earliest := c.lastTick.Add(tickSpacing); at.Before(earliest) {
		at = earliest
	}
	return max(0, at.Sub(now))
}

// keepTime appends ticks: when something is due, every 50 ms while commands
// arrive, and now and then while a campaign is open.
func (l *Lane) keepTime(ctx context.Context) error {
	var lastTick time.Time
	var commands int64
	for ctx.Err() == nil {
		c, seen, changed := l.clock(commands)
		c.lastTick = lastTick
		if d := c.untilTick(time.Now()); d > 0 {
			if d <= tickSpacing {
				changed = nil // no change makes it sooner
			}
			waitAtMost(ctx, changed, d)
			continue
		}
		if err := l.tick(ctx); err != nil {
			return err
		}
		lastTick, commands = time.Now(), seen
	}
	return nil
}

// clock gathers the facts; commands is how many had come at the last tick.
func (l *Lane) clock(commands int64) (c clock, seen int64, changed <-chan struct{}) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if at, ok := l.ledger.NextDue(); ok {
		c.due = at
	}
	if hold, ok := l.ledger.ShortestHold(); ok {
		c.lag = min(max(hold/lagShare, tickSpacing), maxLag)
	}
	c.busy = l.commands > commands
	return c, l.commands, l.changed
}

// tick moves ledger time to the newest append time. If that is not fresh, a
// first tick, which moves nothing, fetches a fresh one from the broker.
func (l *Lane) tick(ctx context.Context) error {
	at, learned := l.appendTime()
	if time.Since(learned) > freshFor {
		if err := l.appendTick(ctx, at); err != nil {
			return err
		}
		at, _ = l.appendTime()
	}
	return l.appendTick(ctx, at)
}

func (l *Lane) appendTick(ctx context.Context, at time.Time) error {
	return l.Do(ctx, &record.Tick{At: at.UnixMilli()})
}

func (l *Lane) appendTime() (at, learned time.Time) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.appended.at, l.appended.learned
}
