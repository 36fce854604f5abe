//go:build rules_next

package ledger

// Rules is one more than without the tag rules_next, and the meaning is the same:
// with it an upgrade in the middle of a sale is tried.
const Rules = 2
