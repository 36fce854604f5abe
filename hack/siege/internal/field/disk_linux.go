package field

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// mountSmall puts a file system of so many bytes at dir. It needs root.
func mountSmall(dir string, bytes int64) (unmount func() error, err error) {
	if err := makeDir(dir); err != nil {
		return nil, err
	}
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d,mode=0700", bytes)); err != nil {
		return nil, fmt.Errorf("mount a small disk: %w", err)
	}
	return func() error { return unix.Unmount(dir, unix.MNT_DETACH) }, nil
}

// Fill takes all that is left of the small disk of a process.
func (f *Field) Fill(process string) error {
	file, err := os.Create(filepath.Join(f.path(process), "ballast"))
	if err != nil {
		return fmt.Errorf("fill a disk: %w", err)
	}
	block := make([]byte, 64<<10)
	for err == nil {
		if _, err = file.Write(block); err != nil && len(block) > 1 {
			block, err = block[:len(block)/2], nil // the last bytes too
		}
	}
	if !errors.Is(err, unix.ENOSPC) {
		return errors.Join(fmt.Errorf("fill a disk: %w", err), file.Close())
	}
	return file.Close()
}

// Empty gives back what Fill took.
func (f *Field) Empty(process string) error {
	err := os.Remove(filepath.Join(f.path(process), "ballast"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
