package stack

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// withLock runs do while no other process holds the lock of that directory.
// The kernel releases the lock of a process that dies.
func withLock(dir string, do func() error) error {
	file, err := os.OpenFile(filepath.Join(dir, ".lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return fmt.Errorf("open the lock: %w", err)
	}
	defer file.Close() //nolint:errcheck // nothing was written to it; closing releases the lock
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
		return fmt.Errorf("lock %s: %w", dir, err)
	}
	return do()
}
