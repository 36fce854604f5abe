package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/qingcang/qingcang/hack/internal/poll"
)

// down ends the cluster, or what is left of one.
func down(ctx context.Context, h home, progress io.Writer) error {
	unlock, err := h.lock()
	if err != nil {
		return err
	}
	defer unlock()
	began := time.Now()
	if _, err := os.Stat(h.path("cluster.json")); errors.Is(err, fs.ErrNotExist) {
		fmt.Fprintln(progress, "no cluster runs here")
		return nil
	}
	if err := h.clear(ctx, progress); err != nil {
		return err
	}
	fmt.Fprintf(progress, "down in %.0f s; the logs are in %s\n", time.Since(began).Seconds(), h.logs())
	return nil
}

// clear ends and removes everything of a cluster but its logs, in whatever state
// it is.
func (h home) clear(ctx context.Context, progress io.Writer) error {
	r, err := h.read()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		fmt.Fprintln(progress, "going on without a record:", err)
	}
	if err := kill(ctx, r); err != nil {
		return fmt.Errorf("end the cluster: %w", err)
	}
	if err := h.giveBack(ctx); err != nil {
		return fmt.Errorf("give back what was the machine's: %w", err)
	}
	return h.empty(ctx)
}

// kill ends the node's first process, and the kernel with it all others: the
// node's programs and the pods get no time, a test cluster has nothing to save.
func kill(ctx context.Context, r record) error {
	if err := r.signal(syscall.SIGKILL); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, gone)
	defer cancel()
	return poll.Until(ctx, func(context.Context) error {
		if r.alive() {
			return fmt.Errorf("process %d lives on", r.PID)
		}
		return nil
	})
}

// empty removes the folder's content. The record goes last: while it stands
// there is something to do.
func (h home) empty(ctx context.Context) error {
	entries, err := os.ReadDir(h.dir)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, gone)
	defer cancel()
	for _, entry := range entries {
		switch entry.Name() {
		case "logs", "lock", "cluster.json":
			continue
		}
		// Right after a kill the last mounts of the node may still hold a folder.
		err := poll.Until(ctx, func(context.Context) error { return os.RemoveAll(filepath.Join(h.dir, entry.Name())) })
		if err != nil {
			return fmt.Errorf("remove what the cluster wrote: %w", err)
		}
	}
	err = os.Remove(h.path("cluster.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// lock keeps two commands from changing one cluster at the same time. The kernel
// releases the lock of a process that dies.
func (h home) lock() (unlock func(), err error) {
	if err := h.ours(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(h.dir, 0o755); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(h.path("lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("another up or down is at work on %s: %w", h.dir, err), file.Close())
	}
	return func() { _ = file.Close() }, nil // nothing was written to it
}

// ours refuses a folder with content of somebody else's, which empty would remove. The lock is the mark of a
// cluster's folder: it is made first and never goes.
func (h home) ours() error {
	entries, err := os.ReadDir(h.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if len(entries) == 0 || slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() == "lock" }) {
		return nil
	}
	return fmt.Errorf("%s is not empty, and what is in it is not a cluster's, which removes what it finds: name a folder of its own", h.dir)
}
