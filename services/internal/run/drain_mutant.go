//go:build mutant_hasty_stop

package run

// drainTimeout drops requests in flight, on purpose: see drain.go.
const drainTimeout = 0
