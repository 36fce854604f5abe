//go:build !mutant_hasty_rules

package lane

// stamp is the number of rules under which an entry is written: those that count, for a replica that is
// older than this one knows no others. It stands apart so that a build with the tag mutant_hasty_rules can
// get it wrong.
func (l *Lane) stamp() uint16 { return l.rules() }
