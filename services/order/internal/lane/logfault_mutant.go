//go:build mutant_log_is_internal

package lane

import "github.com/qingcang/qingcang/services/internal/fault"

// logFault is a fault of our own, on purpose: see logfault.go.
const logFault = fault.Internal
