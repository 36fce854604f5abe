//go:build !mutant_oversell

package ledger

// fits reports whether units can be held out of what is free. It stands apart so
// that a build with the tag mutant_oversell can get it wrong: the tests, and the
// recount of a replay, must notice.
func fits(units, free int64) bool { return units <= free }
