package stack

import (
	"testing"
	"time"
)

func TestPace(t *testing.T) {
	type death struct{ after, lived time.Duration }
	tests := map[string]struct {
		deaths     []death
		want       time.Duration
		wantGiveUp bool
	}{
		"the first death waits a little":               {deaths: []death{{}}, want: firstPause},
		"the second waits twice as long":               {deaths: []death{{}, {after: time.Second}}, want: 2 * firstPause},
		"the wait has a limit":                         {deaths: repeat(8, death{after: time.Second}), want: longestPause},
		"who lived long is new again":                  {deaths: []death{{}, {}, {after: time.Minute, lived: steadyLifetime}}, want: firstPause},
		"eleven deaths in a minute are too many":       {deaths: repeat(11, death{after: time.Second}), wantGiveUp: true},
		"eleven deaths in two minutes are not":         {deaths: repeat(11, death{after: 12 * time.Second}), want: longestPause},
		"a minute of peace forgets what was before it": {deaths: append(repeat(10, death{}), death{after: time.Minute}), want: longestPause},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var p pace
			var got time.Duration
			var gaveUp bool
			now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
			for _, d := range test.deaths {
				now = now.Add(d.after)
				got, gaveUp = p.next(now, d.lived)
			}
			if got != test.want || gaveUp != test.wantGiveUp {
				t.Errorf("pause %s, give up %t; want %s, %t", got, gaveUp, test.want, test.wantGiveUp)
			}
		})
	}
}

func repeat[T any](n int, value T) []T {
	values := make([]T, n)
	for i := range values {
		values[i] = value
	}
	return values
}
