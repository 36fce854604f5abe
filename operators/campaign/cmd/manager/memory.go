package main

import (
	"os"
	"runtime/debug"
)

// gcPercent is how much the heap may grow before it is collected. Of the operator's memory a third is what
// lives (25 MB with 1,000 campaigns of 100 items), a third the program itself, and at Go's 100% the rest was
// what nobody collected. GOGC overrides this; GOMEMLIMIT, which the chart derives from the container's limit,
// stands above both.
const gcPercent = 50

func setCollector() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
}
