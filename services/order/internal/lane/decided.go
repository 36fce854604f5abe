//go:build !mutant_stale_answer

package lane

// durableIsEnough reports whether an entry that is in the log is answered before
// this replica has read it back. It stands apart so that a build with the tag
// mutant_stale_answer can get it wrong.
func durableIsEnough(c *call) bool { return c.untilDurable }
