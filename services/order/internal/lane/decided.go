//go:build !mutant_stale_answer

package lane

// decidedBehind is where a replica has to be to know what became of the entry at
// an offset: behind it. It stands apart so that a build with the tag
// mutant_stale_answer can get it wrong.
func decidedBehind(offset int64) int64 { return offset + 1 }
