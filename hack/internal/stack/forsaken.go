package stack

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// checkoutNote is the file in a directory of binaries that names the checkout they were built from.
const checkoutNote = ".checkout"

// claim notes that the binaries in dir are those of the checkout at root, and removes the binaries of
// checkouts that are gone: each has some 400 MB beside it, and a clone for a test soon goes.
func claim(dir, root string) error {
	if err := writeNote(filepath.Join(dir, checkoutNote), root); err != nil {
		return fmt.Errorf("note whose binaries these are: %w", err)
	}
	notes, err := filepath.Glob(filepath.Join(filepath.Dir(dir), binariesPrefix+"*", checkoutNote))
	if err != nil {
		return fmt.Errorf("look for binaries of other checkouts: %w", err)
	}
	for _, note := range notes {
		if err := removeForsaken(note); err != nil {
			return fmt.Errorf("remove binaries of a checkout that is gone: %w", err)
		}
	}
	return nil
}

// writeNote puts a whole note in its place: who reads it meanwhile must not find half of one.
func writeNote(path, root string) error {
	fresh, err := os.CreateTemp(filepath.Dir(path), checkoutNote+".*")
	if err != nil {
		return err
	}
	_, err = fresh.WriteString(root)
	if err := errors.Join(err, fresh.Close()); err != nil {
		return errors.Join(err, os.Remove(fresh.Name()))
	}
	return os.Rename(fresh.Name(), path)
}

// removeForsaken removes the directory of a note whose checkout is gone. Two may do so at once.
func removeForsaken(note string) error {
	root, err := os.ReadFile(note)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if _, err := os.Stat(string(root)); !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return os.RemoveAll(filepath.Dir(note))
}
