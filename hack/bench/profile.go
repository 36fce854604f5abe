//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"github.com/qingcang/qingcang/hack/bench/internal/systems"
)

const (
	// profiled is how long a process is looked at, profileRate how often a second. The rate is prime, so
	// that it falls in with no timer.
	profiled    = 10 * time.Second
	profileRate = 499
)

// profile has Linux's perf look at the order service and its broker under a closed loop, and leaves for
// each where its CPU goes.
func (b *bench) profile(ctx context.Context) error {
	us, err := b.us(ctx)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(b.perf, 0o755); err != nil {
		return fmt.Errorf("make the folder of the profiles: %w", err)
	}
	pids, err := us.PIDs()
	if err != nil {
		return err
	}
	// One after the other: perf's own work is not to be in the other's profile.
	for i, name := range us.Processes() {
		if err := b.profileOne(ctx, us, name, pids[i]); err != nil {
			return err
		}
	}
	b.say("profiles are in %s", b.perf)
	return nil
}

func (b *bench) profileOne(ctx context.Context, us *systems.System, name string, pid int) error {
	data := filepath.Join(b.perf, name+".perf")
	record := exec.CommandContext(ctx, "perf", "record", "-q", "-g", "-F", strconv.Itoa(profileRate),
		"-o", data, "-p", strconv.Itoa(pid), "--", "sleep", strconv.FormatFloat(profiled.Seconds(), 'f', -1, 64))
	if err := record.Start(); err != nil {
		return fmt.Errorf("start perf: %w", err)
	}
	plan := b.closed()
	plan.For = profiled
	_, err := b.sell(ctx, us, plan)
	if err := errors.Join(err, record.Wait()); err != nil {
		return fmt.Errorf("profile %s: %w", name, err)
	}
	text, err := exec.CommandContext(ctx, "perf", "report", "-i", data, "--children", "-g", "none", "--percent-limit", "0.5", "--stdio").Output()
	if err != nil {
		return fmt.Errorf("read the profile of %s: %w", name, err)
	}
	return os.WriteFile(filepath.Join(b.perf, name+".txt"), text, 0o644)
}
