// Package crashtest runs a command's own test binary as the command, so that a
// test can kill it and start it again on the same data.
package crashtest

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// serveKey is the environment variable that turns the test binary into the
// command.
const serveKey = "QINGCANG_CRASHTEST_SERVE"

// Main is the body of TestMain: it runs serve in the child and the tests in
// the parent.
func Main(m *testing.M, serve func()) {
	if os.Getenv(serveKey) != "" {
		serve()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// Server is one address and data directory; the process behind it changes.
type Server struct {
	Address string
	dir     string
	process *exec.Cmd
}

// Start runs the command on a free loopback port and an empty directory and
// stops it when the test ends.
func Start(t *testing.T) *Server {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &Server{Address: listener.Addr().String(), dir: t.TempDir()}
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	server.start(t)
	t.Cleanup(func() { server.Stop(t) })
	return server
}

// Crash kills the process with no chance to save anything and starts it again.
func (s *Server) Crash(t *testing.T) {
	t.Helper()
	if err := s.process.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = s.process.Wait() // always "signal: killed"
	s.start(t)
}

// Stop asks the process to end and fails the test if it ends with an error.
func (s *Server) Stop(t *testing.T) {
	t.Helper()
	if s.process.ProcessState != nil {
		return
	}
	if err := s.process.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := s.process.Wait(); err != nil {
		t.Errorf("the server did not stop cleanly: %v", err)
	}
}

func (s *Server) start(t *testing.T) {
	t.Helper()
	s.process = exec.Command(os.Args[0], "-listen", s.Address, "-dir", s.dir)
	s.process.Env = append(os.Environ(), serveKey+"=1")
	s.process.Stderr = t.Output()
	if err := s.process.Start(); err != nil {
		t.Fatal(err)
	}
	if err := awaitTCP(s.Address, 20*time.Second); err != nil {
		t.Fatal(err)
	}
}

func awaitTCP(address string, limit time.Duration) error {
	deadline := time.Now().Add(limit)
	for {
		conn, err := net.DialTimeout("tcp", address, time.Second)
		if err == nil {
			return conn.Close()
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("nothing listens on %s after %s: %w", address, limit, err)
		}
		time.Sleep(10 * time.Millisecond) // between two polls
	}
}
