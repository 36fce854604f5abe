package main

import (
	"context"
	"io"
	"net"
	"testing"
	"time"

	"github.com/qingcang/qingcang/hack/internal/stack"
)

// patience bounds each wait of these tests.
const patience = 30 * time.Second

func TestTheRelayListensWhenThereIsSomethingBehindItAndPassesOnBothWays(t *testing.T) {
	ports, err := stack.FreePorts(2)
	if err != nil {
		t.Fatal(err)
	}
	inner := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: ports[0]}
	outer := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: ports[1]}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, outer.String(), inner.String()) }()
	if conn, err := net.DialTCP("tcp", nil, outer); err == nil {
		_ = conn.Close()
		t.Error("it listens before there is anything to relay to")
	}
	behind, err := net.ListenTCP("tcp", inner)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = behind.Close() }()
	go echo(behind)
	conn := dial(t, outer)
	defer func() { _ = conn.Close() }()
	if _, err := conn.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	if err := conn.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(conn); err != nil || string(got) != "hello" {
		t.Errorf("%q came back (%v), want what was sent", got, err)
	}
	cancel()
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("it ended with %v", err)
		}
	case <-time.After(patience):
		t.Error("it goes on after it was told to end")
	}
}

// echo sends back what a caller sends in one go.
func echo(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer func() { _ = conn.Close() }()
			buffer := make([]byte, 64)
			if n, err := conn.Read(buffer); err == nil {
				_, _ = conn.Write(buffer[:n])
			}
		}()
	}
}

func dial(t *testing.T, address *net.TCPAddr) *net.TCPConn {
	t.Helper()
	deadline := time.After(patience)
	for {
		conn, err := net.DialTCP("tcp", nil, address)
		if err == nil {
			return conn
		}
		select {
		case <-deadline:
			t.Fatal(err)
		case <-time.After(20 * time.Millisecond): // and look again
		}
	}
}
