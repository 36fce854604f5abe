package main

import (
	"fmt"
	"syscall"
)

// ownNamespaces gives a process, and all that it starts, processes, mounts and a
// network of their own. When it ends, the kernel kills every other process in
// there, and the mounts and the network go with the last of them.
func ownNamespaces(attributes *syscall.SysProcAttr) {
	attributes.Cloneflags = syscall.CLONE_NEWPID | syscall.CLONE_NEWNS | syscall.CLONE_NEWNET
}

// mountNode makes the file system of the node out of the machine's. What the
// machine mounts and unmounts is still seen; what is mounted here is not seen outside.
func (h home) mountNode() error {
	type mount struct {
		source, target, kind string
		flags                uintptr
	}
	mounts := []mount{
		{target: "/", flags: syscall.MS_REC | syscall.MS_SLAVE},
		{target: "/", flags: syscall.MS_REC | syscall.MS_SHARED}, // pods that ask for mount propagation get it
		{source: "proc", target: "/proc", kind: "proc", flags: syscall.MS_NOSUID | syscall.MS_NODEV | syscall.MS_NOEXEC},
	}
	for _, folder := range fixedFolders() {
		mounts = append(mounts, mount{source: "node", target: folder, kind: "tmpfs", flags: syscall.MS_NODEV})
	}
	masks, err := h.writeMasks()
	if err != nil {
		return err
	}
	for setting, file := range masks {
		mounts = append(mounts, mount{source: file, target: setting, flags: syscall.MS_BIND})
	}
	for _, m := range mounts {
		if err := syscall.Mount(m.source, m.target, m.kind, m.flags, ""); err != nil {
			return fmt.Errorf("mount %s: %w", m.target, err)
		}
	}
	return nil
}
