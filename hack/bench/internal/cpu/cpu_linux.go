// Package cpu reads from /proc what processes have used.
package cpu

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// tick is the unit of /proc/<pid>/stat: USER_HZ is 100 on every Linux that Go runs on.
const tick = 10 * time.Millisecond

// Places of the fields behind the command's name in /proc/<pid>/stat, counted from 0; see proc(5).
const (
	parentField = 1
	firstTime   = 11 // utime, stime, cutime, cstime
	lastTime    = 14
)

type process struct {
	parent int
	used   time.Duration
}

// Of returns for each process what it and all that descends from it have used, the dead included.
func Of(roots ...int) ([]time.Duration, error) {
	all, err := table()
	if err != nil {
		return nil, err
	}
	place := make(map[int]int, len(roots))
	for i, root := range roots {
		if _, ok := all[root]; !ok {
			return nil, fmt.Errorf("process %d is gone", root)
		}
		place[root] = i
	}
	used := make([]time.Duration, len(roots))
	for pid, p := range all {
		if i, ok := ancestor(all, pid, place); ok {
			used[i] += p.used
		}
	}
	return used, nil
}

// Sum adds up.
func Sum(used []time.Duration) (sum time.Duration) {
	for _, u := range used {
		sum += u
	}
	return sum
}

// ancestor returns the place of the nearest of the roots above pid, or of pid itself.
func ancestor(all map[int]process, pid int, place map[int]int) (int, bool) {
	for pid > 1 {
		if i, ok := place[pid]; ok {
			return i, true
		}
		pid = all[pid].parent
	}
	return 0, false
}

func table() (map[int]process, error) {
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil, err
	}
	all := make(map[int]process, len(files))
	for _, file := range files {
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		if err != nil {
			return nil, err
		}
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it ended just now; its parent has its time
		}
		p, err := parse(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		all[pid] = p
	}
	return all, nil
}

func parse(stat []byte) (process, error) {
	// The command's name may hold anything; the last parenthesis ends it.
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) <= lastTime {
		return process{}, fmt.Errorf("%d fields", len(fields))
	}
	parent, err := strconv.Atoi(string(fields[parentField]))
	if err != nil {
		return process{}, err
	}
	p := process{parent: parent}
	for _, field := range fields[firstTime : lastTime+1] {
		ticks, err := strconv.ParseInt(string(field), 10, 64)
		if err != nil {
			return process{}, err
		}
		p.used += time.Duration(ticks) * tick
	}
	return p, nil
}

const (
	settleStep = 200 * time.Millisecond
	// settledTicks in a step are what idle processes use: timers, heartbeats, a probe.
	settledTicks = 2
	settleLimit  = 20 * time.Second
)

// Settled returns what Of returns once the processes have gone quiet: work that was put off until
// after the last answer counts too.
func Settled(ctx context.Context, roots ...int) ([]time.Duration, error) {
	before, err := Of(roots...)
	if err != nil {
		return nil, err
	}
	ticker := time.NewTicker(settleStep)
	defer ticker.Stop()
	for end := time.Now().Add(settleLimit); time.Now().Before(end); {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-ticker.C:
		}
		after, err := Of(roots...)
		if err != nil || Sum(after)-Sum(before) <= settledTicks*tick {
			return after, err
		}
		before = after
	}
	return before, nil // it never rests: all that it used until now counts
}
