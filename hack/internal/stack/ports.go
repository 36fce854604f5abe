package stack

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"sync"
	"syscall"
)

// Ports are taken from below those that Linux and macOS give to outgoing
// connections: one of these could sit on the port of a process that was killed
// and keep it from coming back.
const (
	lowestPort  = 20_000
	highestPort = 32_767
)

// FreePorts returns n different loopback ports that nothing listens on. While
// this process runs nobody else gets them from FreePorts, in whatever process
// of this user: they may be left unbound for a while. A program that chooses
// its ports otherwise may still take one; who was to have it then fails to start.
func FreePorts(n int) ([]int, error) {
	reserved.Lock()
	defer reserved.Unlock()
	ports := make([]int, 0, n)
	// The order is random, so that two stacks that start at once look elsewhere.
	for _, offset := range rand.Perm(highestPort - lowestPort + 1) {
		if len(ports) == n {
			return ports, nil
		}
		port := lowestPort + offset
		if reserved.ports[port] {
			continue
		}
		ours, err := reserve(port)
		if err != nil {
			return nil, err
		}
		if !ours {
			continue
		}
		// Only now: a listener for a moment would keep a port from whom it belongs to.
		listener, err := net.Listen("tcp", address(port))
		if err != nil {
			continue // taken, by somebody who does not ask here; it stays reserved
		}
		_ = listener.Close() // nothing was written to it
		ports = append(ports, port)
	}
	return nil, fmt.Errorf("fewer than %d ports are free between %d and %d", n, lowestPort, highestPort)
}

// KeepPorts keeps FreePorts from giving ports away that were chosen by an
// earlier process. One that was given away since is left to whom it belongs.
func KeepPorts(ports ...int) error {
	reserved.Lock()
	defer reserved.Unlock()
	for _, port := range ports {
		if _, err := reserve(port); err != nil {
			return err
		}
	}
	return nil
}

// reserved are the ports of this process. Others know of them by locks on the
// bytes of one file, one for each port: the kernel gives them back when the
// process ends, whatever ends it, or when it closes the file, which it never does.
var reserved struct {
	sync.Mutex
	ports map[int]bool
	locks *os.File
}

// reserve is false for a port that another process has. The caller has the lock of reserved.
func reserve(port int) (bool, error) {
	if reserved.locks == nil {
		dir, err := cacheDir("ports")
		if err != nil {
			return false, err
		}
		if reserved.locks, err = os.OpenFile(filepath.Join(dir, "taken"), os.O_CREATE|os.O_RDWR, 0o644); err != nil {
			return false, fmt.Errorf("open the list of ports that are taken: %w", err)
		}
		reserved.ports = map[int]bool{}
	}
	err := syscall.FcntlFlock(reserved.locks.Fd(), syscall.F_SETLK, &syscall.Flock_t{Type: syscall.F_WRLCK, Start: int64(port), Len: 1})
	if errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.EACCES) { // fcntl(2): either, if it is locked
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("reserve port %d: %w", port, err)
	}
	reserved.ports[port] = true
	return true, nil
}

// address is a loopback address with the given port.
func address(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }
