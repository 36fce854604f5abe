//go:build mutant_stale_answer

package lane

// durableIsEnough answers from what is known here before the entry is, on purpose:
// see decided.go.
func durableIsEnough(*call) bool { return true }
