package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"syscall"
	"testing"
)

// A node that is killed takes its end of the link with it, and the kernel the
// other end: before the deletion, in the middle of it, or after.
func TestALinkIsGoneWhoeverRemovesIt(t *testing.T) {
	if _, err := exec.LookPath("ip"); err != nil || os.Getuid() != 0 {
		t.Skip("it makes links: that takes root and iproute2")
	}
	near, far := fmt.Sprintf("qc%dn", os.Getpid()), fmt.Sprintf("qc%df", os.Getpid())
	for round := range 20 {
		node := exec.CommandContext(t.Context(), "sleep", "3600")
		node.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
		if err := node.Start(); errors.Is(err, fs.ErrPermission) {
			t.Skip("it may not make networks") // root of a container
		} else if err != nil {
			t.Fatal(err)
		}
		err := each(t.Context(),
			"ip link add "+near+" type veth peer name "+far,
			fmt.Sprint("ip link set ", far, " netns ", node.Process.Pid))
		if err != nil {
			t.Fatal(err)
		}
		if err := node.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = node.Wait() // it was killed
		for range 2 {   // the second time it is gone for certain
			if err := removeLink(t.Context(), near); err != nil {
				t.Fatalf("round %d: %v", round, err)
			}
		}
	}
	if err := removeLink(t.Context(), "lo"); err == nil {
		t.Error("a link that stays is said to be gone")
	}
}
