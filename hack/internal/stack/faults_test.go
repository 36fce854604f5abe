package stack_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/qingcang/qingcang/hack/internal/stack"
)

func TestAHaltedProcessStaysDownUntilItIsReleased(t *testing.T) {
	supervisor, address := newSupervisor(t), freeAddress(t)
	start(t, supervisor, server("catalog", address, ""))

	if err := supervisor.Halt("catalog"); err != nil {
		t.Fatal(err)
	}
	if err := supervisor.Halt("catalog"); err == nil {
		t.Error("it can be halted twice")
	}
	if got, err := supervisor.Restarts("catalog"); got != 0 || err != nil {
		t.Errorf("restarts = %d, %v while it is halted; want 0", got, err)
	}
	if err := stack.TCPReady(address)(t.Context()); err == nil {
		t.Error("it still serves")
	}
	if err := supervisor.Release("catalog"); err != nil {
		t.Fatal(err)
	}
	waitReady(t, supervisor, "catalog")
}

// A release may come before the supervisor has noticed the death. It is no death to be counted: a
// process that dies more than ten times in a minute is given up.
func TestAReleaseThatComesAtOnceCounts(t *testing.T) {
	supervisor := newSupervisor(t)
	start(t, supervisor, server("catalog", freeAddress(t), ""))
	for range 12 {
		if err := supervisor.Halt("catalog"); err != nil {
			t.Fatal(err)
		}
		if err := supervisor.Release("catalog"); err != nil {
			t.Fatal(err)
		}
		waitReady(t, supervisor, "catalog")
	}
}

func TestAHaltedProcessDoesNotKeepTheOthersFromStopping(t *testing.T) {
	supervisor := newSupervisor(t)
	start(t, supervisor, server("catalog", freeAddress(t), ""))
	if err := supervisor.Halt("catalog"); err != nil {
		t.Fatal(err)
	}
	supervisor.Stop()
}

func TestARestartedProcessEndsInItsOwnWay(t *testing.T) {
	supervisor := newSupervisor(t)
	diary := filepath.Join(t.TempDir(), "diary")
	start(t, supervisor, server("order", freeAddress(t), diary))
	if err := supervisor.Pause("order"); err != nil {
		t.Fatal(err)
	}

	if err := supervisor.Restart("order"); err != nil {
		t.Fatal(err)
	}
	waitReady(t, supervisor, "order")

	if got, err := os.ReadFile(diary); err != nil || string(got) != "order " {
		t.Errorf("it wrote %q, %v; want its name once", got, err)
	}
}

func TestAPausedProcessAnswersNobodyAndGoesOn(t *testing.T) {
	supervisor, address := newSupervisor(t), freeAddress(t)
	start(t, supervisor, server("order", address, ""))

	if err := supervisor.Pause("order"); err != nil {
		t.Fatal(err)
	}
	var connection net.Conn
	eventually(t, func() bool { // the process stops a moment after the signal was sent
		var err error
		if connection, err = net.Dial("tcp", address); err != nil { // the kernel accepts for it
			t.Fatal(err)
		}
		t.Cleanup(func() { connection.Close() })
		if err := connection.SetReadDeadline(time.Now().Add(100 * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		_, err = connection.Read(make([]byte, 1))
		return errors.Is(err, os.ErrDeadlineExceeded)
	})

	if err := supervisor.Resume("order"); err != nil {
		t.Fatal(err)
	}
	if err := connection.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := connection.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("reading ends with %v, want the end that the server makes", err)
	}
}

func waitReady(t *testing.T, supervisor *stack.Supervisor, name string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := supervisor.WaitReady(ctx, name); err != nil {
		t.Fatal(err)
	}
}
