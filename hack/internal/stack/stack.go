// Package stack builds and runs the whole suite on one machine: the product's
// binaries, an embedded database and broker, and a Kubernetes control plane,
// as processes under one supervisor.
//
// What it builds or downloads stays in the user's cache directory, outside the
// repository; what a stack remembers stays in the directory that its caller
// names. It knows addresses and processes, and nothing of what the services do.
package stack

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// Root returns the directory of go.work at or above the current directory.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find the repository: %w", err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.work")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("find the repository: no go.work here or above; run this inside the repository")
		}
		dir = parent
	}
}

// cacheDir returns a directory for what is built once and kept.
func cacheDir(name string) (string, error) {
	user, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find the user's cache directory: %w", err)
	}
	dir := filepath.Join(user, "qingcang", name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("make the cache directory: %w", err)
	}
	return dir, nil
}

// fingerprint is short enough for a directory's name.
func fingerprint(parts ...string) string {
	hash := sha256.New()
	for _, part := range parts {
		fmt.Fprintf(hash, "%d:%s", len(part), part)
	}
	return hex.EncodeToString(hash.Sum(nil)[:6])
}

const (
	// quietTime is how long a step may take before it is worth a line.
	quietTime = 3 * time.Second
	// progressInterval is how often a step that takes long says that it goes on.
	progressInterval = 10 * time.Second
)

// step runs do, and tells progress what is being done, every ten seconds that
// it is still being done, and how long it took.
func step(progress io.Writer, what string, do func() error) error {
	started := time.Now()
	finished := make(chan error, 1)
	go func() { finished <- do() }()
	announced := false
	wait := time.NewTimer(quietTime)
	defer wait.Stop()
	for {
		select {
		case <-wait.C:
			announced = true
			fmt.Fprintf(progress, "%s, %.0f s so far\n", what, time.Since(started).Seconds())
			wait.Reset(progressInterval)
		case err := <-finished:
			if err != nil {
				return fmt.Errorf("%s: %w", what, err)
			}
			if announced {
				fmt.Fprintf(progress, "%s: done in %.0f s\n", what, time.Since(started).Seconds())
			}
			return nil
		}
	}
}
