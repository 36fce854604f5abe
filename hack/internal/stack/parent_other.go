//go:build !linux

package stack

import "syscall"

// dieWithParent is known to Linux only: elsewhere the processes of a killed
// supervisor stay.
func dieWithParent(*syscall.SysProcAttr) {}
