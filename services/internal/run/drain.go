//go:build !mutant_hasty_stop

package run

import "time"

// drainTimeout is what requests in flight get when a server is told to stop. It stands apart so that a
// build with the tag mutant_hasty_stop can get it wrong.
const drainTimeout = 15 * time.Second
