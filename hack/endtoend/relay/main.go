// Command relay passes on what comes to one address to another. It stands in the pods of the test
// cluster beside the embedded database and broker, which have no passwords and so listen on loopback
// alone, and lets the pods of that cluster in. For tests only.
//
//	relay -listen :9092 -to 127.0.0.1:19092
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

const (
	// dialTimeout bounds one try to reach what stands in the same pod, dialPause lies between two.
	dialTimeout = 5 * time.Second
	dialPause   = 100 * time.Millisecond
)

func main() {
	listen := flag.String("listen", "", "`address` to listen on")
	to := flag.String("to", "", "`address` to pass on to")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, *listen, *to)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "relay:", err)
		os.Exit(1)
	}
}

// run relays until ctx ends.
func run(ctx context.Context, listen, to string) error {
	if listen == "" || to == "" {
		return errors.New("-listen and -to are needed")
	}
	if err := reachable(ctx, to); err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", listen)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	context.AfterFunc(ctx, func() { _ = listener.Close() }) // ends Accept
	for {
		caller, err := listener.Accept()
		if err != nil && ctx.Err() == nil {
			return fmt.Errorf("accept: %w", err)
		}
		if err != nil {
			return nil //nolint:nilerr // the listener was closed because ctx ended
		}
		go relay(ctx, caller, to)
	}
}

// reachable waits for what stands in the same pod, so that a probe of the relay is one of that.
func reachable(ctx context.Context, to string) error {
	for {
		conn, err := (&net.Dialer{Timeout: dialTimeout}).DialContext(ctx, "tcp", to)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %w", to, err)
		case <-time.After(dialPause):
		}
	}
}

// relay joins a caller with what he wants to reach, until both have ended or one has broken off.
func relay(ctx context.Context, caller net.Conn, to string) {
	defer func() { _ = caller.Close() }()
	dialing, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	called, err := (&net.Dialer{}).DialContext(dialing, "tcp", to)
	if err != nil {
		return // the caller sees his connection closed, as he would without a relay
	}
	defer func() { _ = called.Close() }()
	stop := context.AfterFunc(ctx, func() { _, _ = caller.Close(), called.Close() })
	defer stop()
	var both sync.WaitGroup
	for _, way := range [2][2]net.Conn{{caller, called}, {called, caller}} {
		both.Go(func() {
			if !passOn(way[0], way[1]) {
				_, _ = caller.Close(), called.Close()
			}
		})
	}
	both.Wait()
}

// passOn copies one way, and its end. It reports false when the connection broke.
func passOn(from, to net.Conn) bool {
	if _, err := io.Copy(to, from); err != nil {
		return false
	}
	half, ok := to.(interface{ CloseWrite() error })
	return ok && half.CloseWrite() == nil
}
