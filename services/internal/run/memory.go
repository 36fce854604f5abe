package run

import (
	"os"
	"runtime/debug"
)

// gcPercent is how much a heap may grow before it is collected. A service keeps little and makes much: an
// order leaves some kilobytes behind, so that at Go's 100% a heap of 30 MB is marked several times a
// second. At 400% the order service used 8% less CPU for an order (40.5 against 43.8 µs). What a process may take is
// GOMEMLIMIT's to say, near which the collector works as hard as it has to; GOGC overrides this.
const gcPercent = 400

func setCollector() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
}
