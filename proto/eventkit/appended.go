//go:build !mutant_own_clock

package eventkit

import "time"

// appendedAt is when a value was appended: what the broker says, and what this machine says only where
// the broker says nothing. It stands apart so that a build with the tag mutant_own_clock can get it
// wrong.
func appendedAt(broker, own time.Time) time.Time {
	if broker.IsZero() || broker.UnixMilli() <= 0 {
		return own
	}
	return broker
}
