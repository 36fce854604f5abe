// Package release knows the release before this one, from which an upgrade is tried.
package release

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Previous is the commit of the release before this one: the file hack/siege/previous names it. It is an error, with
// what to do, if the history of this checkout does not reach so far.
func Previous(ctx context.Context, root string) (commit string, err error) {
	text, err := os.ReadFile(filepath.Join(root, "hack", "siege", "previous"))
	if err != nil {
		return "", fmt.Errorf("read which release was before this one: %w", err)
	}
	commit = strings.TrimSpace(string(text))
	look := exec.CommandContext(ctx, "git", "cat-file", "-e", commit+"^{commit}")
	look.Dir = root
	if look.Run() != nil {
		return "", fmt.Errorf("this checkout has no commit %.12s, the release that hack/siege/previous names, so an upgrade "+
			"from it cannot be tried here; git fetch --unshallow gets it", commit)
	}
	return commit, nil
}

// Unpack puts the tree of a commit into an empty folder. The repository is only read.
func Unpack(ctx context.Context, root, commit, folder string) error {
	archive := exec.CommandContext(ctx, "git", "archive", "--format=tar", commit)
	unpack := exec.CommandContext(ctx, "tar", "-x", "-C", folder)
	archive.Dir = root
	var err error
	if unpack.Stdin, err = archive.StdoutPipe(); err != nil {
		return fmt.Errorf("unpack the previous release: %w", err)
	}
	if err := unpack.Start(); err != nil {
		return fmt.Errorf("unpack the previous release: %w", err)
	}
	if err := errors.Join(archive.Run(), unpack.Wait()); err != nil {
		return fmt.Errorf("unpack the previous release: %w", err)
	}
	return nil
}
