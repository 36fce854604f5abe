//go:build !rules_next && !mutant_hasty_rules

package ledger

// Rules is the newest number of rules that this binary knows; it knows all before
// it. What an entry means under a number never changes: a change of meaning takes
// the next number, and both are kept as long as a lane uses the earlier.
const Rules = 1
