//go:build mutant_switch_forgets

package ledger

// switchTo forgets what buyers have had, on purpose: see switched.go.
func (l *Ledger) switchTo(rules uint16) {
	l.rules = max(l.rules, rules)
	for _, c := range l.campaigns {
		clear(c.accounts)
	}
}
