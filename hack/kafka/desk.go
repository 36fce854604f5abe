package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"time"
)

// inSyncTimeout bounds the wait of "sync": a broker that was away for long copies what it missed.
const inSyncTimeout = 2 * time.Minute

// desk takes commands for brokers, a line each: a verb and a broker, 1 to 3.
type desk struct {
	cluster cluster
	out     io.Writer
}

// cluster is what a stack.Kafka can be told.
type cluster interface {
	Kill(broker int) error
	Halt(broker int) error
	Release(broker int) error
	Pause(broker int) error
	Resume(broker int) error
	Restart(broker int) error
	WaitInSync(ctx context.Context) error
}

const usage = "kill N, halt N, release N, pause N, resume N, restart N (N is 1 to 3), or sync: wait until all replicas are there"

// serve obeys until the lines end.
func (d desk) serve(ctx context.Context, lines io.Reader) {
	scanner := bufio.NewScanner(lines)
	for scanner.Scan() {
		if scanner.Text() == "" {
			continue
		}
		began := time.Now()
		if err := d.obey(ctx, scanner.Text()); err != nil {
			fmt.Fprintln(d.out, "kafka:", err)
			continue
		}
		fmt.Fprintf(d.out, "%s: done in %.1f s\n", scanner.Text(), time.Since(began).Seconds())
	}
}

func (d desk) obey(ctx context.Context, line string) error {
	if line == "sync" {
		ctx, cancel := context.WithTimeout(ctx, inSyncTimeout)
		defer cancel()
		return d.cluster.WaitInSync(ctx)
	}
	var verb string
	var broker int
	if _, err := fmt.Sscanf(line, "%s %d", &verb, &broker); err != nil {
		return fmt.Errorf("%q is none of these: %s", line, usage)
	}
	do, ok := map[string]func(int) error{
		"kill": d.cluster.Kill, "halt": d.cluster.Halt, "release": d.cluster.Release,
		"pause": d.cluster.Pause, "resume": d.cluster.Resume, "restart": d.cluster.Restart,
	}[verb]
	if !ok {
		return fmt.Errorf("%q is none of these: %s", line, usage)
	}
	return do(broker)
}
