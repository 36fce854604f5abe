package stack

import "syscall"

// dieWithParent has the kernel kill the child when the thread that started it
// ends, so that a killed supervisor leaves nothing behind.
func dieWithParent(attributes *syscall.SysProcAttr) { attributes.Pdeathsig = syscall.SIGKILL }
