package lane

import (
	"testing"
	"time"
)

func TestUntilTick(t *testing.T) {
	now := time.Date(2026, 11, 11, 12, 0, 0, 0, time.UTC)
	long := now.Add(-time.Hour)
	for name, c := range map[string]struct {
		clock clock
		want  time.Duration
	}{
		"an idle lane without campaigns looks again in a second": {clock{lastTick: long}, lookEvery},
		"a deadline in 300 ms is awaited":                        {clock{lastTick: long, due: now.Add(300 * time.Millisecond)}, 300 * time.Millisecond},
		"a deadline that has come ticks now":                     {clock{lastTick: long, due: now.Add(-time.Minute)}, 0},
		"commands tick now":                                      {clock{lastTick: long, busy: true}, 0},
		"commands tick at most every 50 ms":                      {clock{lastTick: now.Add(-20 * time.Millisecond), busy: true}, 30 * time.Millisecond},
		"an open campaign ticks before ledger time is too old":   {clock{lastTick: now.Add(-time.Second), lag: 1500 * time.Millisecond}, 500 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			if got := c.clock.untilTick(now); got != c.want {
				t.Errorf("untilTick = %v, want %v", got, c.want)
			}
		})
	}
}
