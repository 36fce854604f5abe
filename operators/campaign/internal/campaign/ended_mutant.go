//go:build mutant_strand

package campaign

// ended lets every deleted campaign go at once, on purpose: its sale runs on without it.
func ended(Snapshot) bool { return true }
