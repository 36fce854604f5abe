package stack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// lockInterval is how often a lock that another process holds is tried again.
const lockInterval = 200 * time.Millisecond

// withLock runs do while no other process holds the lock of that directory.
// The kernel releases the lock of a process that dies.
func withLock(ctx context.Context, dir string, progress io.Writer, do func() error) error {
	file, err := os.OpenFile(filepath.Join(dir, ".lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return fmt.Errorf("open the lock: %w", err)
	}
	defer file.Close() //nolint:errcheck // nothing was written to it; closing releases the lock
	err = step(progress, "waiting for another process that fills "+dir, func() error { return flock(ctx, file) })
	if err != nil {
		return err
	}
	return do()
}

// flock polls: a system call that waits could not be interrupted.
func flock(ctx context.Context, file *os.File) error {
	ticker := time.NewTicker(lockInterval)
	defer ticker.Stop()
	for {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return err
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
