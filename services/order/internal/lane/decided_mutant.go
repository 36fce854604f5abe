//go:build mutant_stale_answer

package lane

// decidedBehind answers before the entry is applied, on purpose: see decided.go.
func decidedBehind(offset int64) int64 { return offset }
