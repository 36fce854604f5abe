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
	"math/rand/v2"
	"net"
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

// Ports are taken from below those that Linux and macOS give to outgoing
// connections: one of these could sit on the port of a process that was killed
// and keep it from coming back.
const (
	lowestPort  = 20_000
	highestPort = 32_767
)

// FreePorts returns n different loopback ports that nothing listens on. Another
// program may take one before it is used; the process that was to have it then
// fails to start.
func FreePorts(n int) ([]int, error) {
	// All stay open until the last is found, so that no port comes twice.
	listeners := make([]net.Listener, 0, n)
	defer func() {
		for _, listener := range listeners {
			_ = listener.Close() // nothing was written to it
		}
	}()
	ports := make([]int, 0, n)
	// The order is random, so that two stacks that start at once look elsewhere.
	for _, offset := range rand.Perm(highestPort - lowestPort + 1) {
		if len(ports) == n {
			return ports, nil
		}
		listener, err := net.Listen("tcp", address(lowestPort+offset))
		if err != nil {
			continue // taken
		}
		listeners = append(listeners, listener)
		ports = append(ports, lowestPort+offset)
	}
	return nil, fmt.Errorf("fewer than %d ports are free between %d and %d", n, lowestPort, highestPort)
}

// address is a loopback address with the given port.
func address(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }

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
