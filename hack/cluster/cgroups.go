package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/qingcang/qingcang/hack/internal/poll"
)

const cgroups = "/sys/fs/cgroup"

// cgroupMounts are the hierarchies: one each controller in version 1, one for
// all in version 2.
func cgroupMounts() ([]string, error) {
	if _, err := os.Stat(filepath.Join(cgroups, "cgroup.controllers")); err == nil {
		return []string{cgroups}, nil
	}
	entries, err := os.ReadDir(cgroups)
	if err != nil {
		return nil, err
	}
	var mounts []string
	for _, entry := range entries {
		if path := filepath.Join(cgroups, entry.Name()); entry.IsDir() && isHierarchy(path) {
			mounts = append(mounts, path)
		}
	}
	return mounts, nil
}

// isHierarchy reports whether the folder is a hierarchy of cgroups.
func isHierarchy(path string) bool {
	_, err := os.Stat(filepath.Join(path, "cgroup.procs"))
	return err == nil
}

func (h home) makeCgroups() error {
	mounts, err := cgroupMounts()
	if err != nil {
		return err
	}
	for _, mount := range mounts {
		if mount == cgroups {
			if err := passOn(mount); err != nil {
				return err
			}
		}
		path := filepath.Join(mount, h.cgroup())
		if err := os.MkdirAll(path, 0o755); err != nil {
			return err
		}
		// A new group of version 1 has no processors and no memory until it is told which.
		for _, file := range []string{"cpuset.cpus", "cpuset.mems"} {
			value, err := os.ReadFile(filepath.Join(mount, file))
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(path, file), value, 0o644); err != nil {
				return err
			}
		}
	}
	return nil
}

// passOn lets the groups below have every controller of version 2: the kubelet
// wants all of them in the group that it is given.
func passOn(mount string) error {
	controllers, err := os.ReadFile(filepath.Join(mount, "cgroup.controllers"))
	if err != nil {
		return err
	}
	for _, controller := range strings.Fields(string(controllers)) {
		if err := os.WriteFile(filepath.Join(mount, "cgroup.subtree_control"), []byte("+"+controller), 0o644); err != nil {
			return fmt.Errorf("pass the controller %s on: %w", controller, err)
		}
	}
	return nil
}

// removeCgroups waits for the last process in them: the kernel buries it some
// time after it was killed.
func (h home) removeCgroups(ctx context.Context) error {
	mounts, err := cgroupMounts()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, gone)
	defer cancel()
	for _, mount := range mounts {
		path := filepath.Join(mount, h.cgroup())
		err := poll.Until(ctx, func(context.Context) error { return removeTree(path) })
		if err != nil {
			return fmt.Errorf("remove the cgroups under %s: %w", path, err)
		}
	}
	return nil
}

// removeTree removes a tree of cgroups, whose files are no files, from its leaves.
func removeTree(path string) error {
	entries, err := os.ReadDir(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if !entry.IsDir() {
			continue
		}
		if err := removeTree(filepath.Join(path, entry.Name())); err != nil {
			return err
		}
	}
	return os.Remove(path)
}
