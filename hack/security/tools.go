package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// searchTimeout bounds one tool: the slowest reads the whole workspace with all that it imports.
const searchTimeout = 8 * time.Minute

// tool builds a pinned tool of hack/tools, if it is not there, and returns where it is.
func tool(ctx context.Context, root, module, name string) (string, error) {
	folder, err := output(exec.CommandContext(ctx, filepath.Join(root, "hack", "tools", "install"), module))
	if err != nil {
		return "", err
	}
	return filepath.Join(strings.TrimSpace(string(folder)), name), nil
}

// output runs a command and returns what it prints; its complaint is the error.
func output(command *exec.Cmd) ([]byte, error) {
	var complaint bytes.Buffer
	command.Stderr = &complaint
	out, err := command.Output()
	if err != nil {
		return out, fmt.Errorf("%s: %w\n%s", filepath.Base(command.Path), err, bytes.TrimSpace(complaint.Bytes()))
	}
	return out, nil
}

// inCopy has look called on a copy of the tree, to which files are added. What git ignores is not in it: a
// demo's keys are nobody's secret.
func inCopy(ctx context.Context, root string, files map[string]string, look func(root string) (result, error)) (r result, err error) {
	said, err := output(exec.CommandContext(ctx, filepath.Join(root, "hack", "copy-tree")))
	if err != nil {
		return result{}, err
	}
	folder := strings.TrimSpace(string(said))
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	for name, text := range files {
		path := filepath.Join(folder, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			return result{}, err
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			return result{}, err
		}
	}
	return look(folder)
}

// lines counts the lines of a list, each of which ends.
func lines(list []byte) int { return bytes.Count(list, []byte("\n")) }
