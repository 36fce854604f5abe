//go:build linux

package main

import "time"

// sizes are what a run can afford.
type sizes struct {
	// memory is how many orders are weighed.
	memory int
	// longLog and shortLog are orders in the log of a lane that recovers. The target speaks of 100M and
	// 1M: what depends on the length of the log shows at a tenth of that too.
	longLog, shortLog int
	// day is how long a day takes.
	day time.Duration
	// campaigns are how many the operator gets.
	campaigns int
}

func (o *options) sizes() sizes {
	switch {
	case o.long:
		return sizes{memory: 10_000_000, longLog: 10_000_000, shortLog: 1_000_000, day: 20 * time.Minute, campaigns: 1_000}
	case o.quick:
		return sizes{memory: 100_000, longLog: 100_000, shortLog: 10_000, day: 12 * time.Second, campaigns: 100}
	default:
		return sizes{memory: 1_000_000, longLog: 1_000_000, shortLog: 100_000, day: 2 * time.Minute, campaigns: 1_000}
	}
}
