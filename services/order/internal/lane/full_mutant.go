//go:build mutant_no_limit

package lane

// full lets everybody wait, on purpose: see full.go.
func full(int) bool { return false }
