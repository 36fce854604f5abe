//go:build !mutant_no_limit

package lane

// full reports whether no more calls may wait. It stands apart so that a build with
// the tag mutant_no_limit can get it wrong.
func full(waiting int) bool { return waiting >= queueLength }
