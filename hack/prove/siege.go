package main

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"
)

const (
	// besieged is how many sieges run beside the tests: they wait for restarts and timeouts more than
	// they work.
	besieged = 3
	// siegeEnds is what a siege gets to stop its processes.
	siegeEnds = 30 * time.Second
)

// proveAll proves the checks and returns their results in the order of the card: tests one after the
// other, sieges beside them, and at last, alone, what measures time.
func (p *prover) proveAll(ctx context.Context, checks []check) ([]result, error) {
	results := make([]result, len(checks))
	var telling sync.Mutex
	prove := func(i int) {
		r := p.prove(ctx, checks[i])
		telling.Lock()
		defer telling.Unlock()
		fmt.Fprintf(p.progress, "row %-3s %s\n", checks[i].Row, r.sentence())
		results[i] = r
	}
	sieges := make(chan int, len(checks))
	var beside sync.WaitGroup
	for range besieged {
		beside.Go(func() {
			for i := range sieges {
				prove(i)
			}
		})
	}
	for i, c := range slices.Backward(checks) { // the longest, row 15, is not to be the last
		if c.siege != "" && !c.alone {
			sieges <- i
		}
	}
	close(sieges)
	for i, c := range checks {
		if c.siege == "" && !c.alone && ctx.Err() == nil {
			prove(i)
		}
	}
	beside.Wait()
	for i, c := range checks {
		if c.alone && ctx.Err() == nil {
			prove(i)
		}
	}
	return results, ctx.Err()
}

// siege is the command of a check on real processes.
func (p *prover) siege(ctx context.Context, c check, mutant string) (*exec.Cmd, error) {
	binary, err := p.besieger(ctx)
	if err != nil {
		return nil, err
	}
	trials := c.CI
	args := []string{"-row", c.siege, "-seed", strconv.FormatUint(p.seed, 10)}
	switch {
	case mutant != "":
		args = append(args, "-mutant", mutant)
	case p.full:
		args, trials = append(args, "-full"), c.Full
	}
	if p.kafka {
		args = append(args, "-kafka")
	}
	siege := exec.CommandContext(ctx, binary, append(args, "-trials", strconv.Itoa(trials))...)
	siege.Dir, siege.WaitDelay = p.root, siegeEnds
	siege.Cancel = func() error { return siege.Process.Signal(syscall.SIGTERM) }
	return siege, nil
}

// besieger builds hack/siege once.
func (p *prover) besieger(ctx context.Context) (string, error) {
	p.building.Lock()
	defer p.building.Unlock()
	path := filepath.Join(p.dir, "siege")
	if p.built {
		return path, nil
	}
	command := exec.CommandContext(ctx, "go", "build", "-ldflags=-s -w", "-o", path, "./hack/siege")
	command.Dir = p.root
	if output, err := command.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build: %w\n%s", err, tail(string(output)))
	}
	p.built = true
	return path, nil
}
