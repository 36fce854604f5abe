package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"syscall"
)

// pause makes a component answer nobody, as one does whose machine hangs: its connections stay. resume lets it go on.
func pause(h home, name string) error  { return tell(h, name, syscall.SIGSTOP) }
func resume(h home, name string) error { return tell(h, name, syscall.SIGCONT) }

func tell(h home, name string, signal syscall.Signal) error {
	r, err := h.running()
	if err != nil {
		return err
	}
	path, ok := r.Programs[name]
	if !ok {
		return fmt.Errorf("there is no component %q; there are %s", name, strings.Join(slices.Sorted(maps.Keys(r.Programs)), ", "))
	}
	pid, err := pidOf(r, path)
	if err != nil {
		return err
	}
	if pid == 0 {
		return fmt.Errorf("%s does not run", name)
	}
	if err := syscall.Kill(pid, signal); err != nil {
		return fmt.Errorf("signal %s: %w", name, err)
	}
	return nil
}
