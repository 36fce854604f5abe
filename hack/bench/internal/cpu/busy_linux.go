package cpu

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
)

// Busy returns the share of the machine, 0 to 1, that was not idle for a while.
func Busy(ctx context.Context, while time.Duration) (float64, error) {
	idleBefore, allBefore, err := machine()
	if err != nil {
		return 0, err
	}
	timer := time.NewTimer(while)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return 0, ctx.Err()
	case <-timer.C:
	}
	idle, all, err := machine()
	if err != nil {
		return 0, err
	}
	return 1 - float64(idle-idleBefore)/float64(max(all-allBefore, 1)), nil
}

// machine returns ticks since the boot: without work, and all; see proc(5) on /proc/stat.
func machine() (idle, all int64, err error) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, 0, err
	}
	line, _, _ := strings.Cut(string(text), "\n")
	fields := strings.Fields(line) // cpu user nice system idle iowait irq softirq steal …
	const idleAt, waitAt, last = 4, 5, 8
	if len(fields) <= last {
		return 0, 0, errors.New("the first line of /proc/stat is short")
	}
	for i, field := range fields[1 : last+1] {
		var ticks int64
		if _, err := fmt.Sscan(field, &ticks); err != nil {
			return 0, 0, fmt.Errorf("/proc/stat: %w", err)
		}
		all += ticks
		if i+1 == idleAt || i+1 == waitAt {
			idle += ticks
		}
	}
	return idle, all, nil
}
