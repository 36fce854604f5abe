//go:build rules_next || mutant_hasty_rules

package ledger

// Rules is one more than without the tag rules_next, and the meaning is the same:
// with it an upgrade in the middle of a sale is tried. The planted bug hasty_rules needs
// them, too: see stamp.go of package lane.
const Rules = 2
