//go:build !mutant_switch_forgets

package ledger

// switchTo makes what follows count under other rules, of which the earlier ones never come back. It
// stands apart so that a build with the tag mutant_switch_forgets can get it wrong.
func (l *Ledger) switchTo(rules uint16) { l.rules = max(l.rules, rules) }
