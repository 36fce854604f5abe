//go:build !mutant_log_is_internal

package lane

import "github.com/qingcang/qingcang/services/internal/fault"

// logFault is what a log that does not answer is to a caller: 503, and he comes again. It stands apart
// so that a build with the tag mutant_log_is_internal can get it wrong.
const logFault = fault.Unavailable
