package cpu

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Stirring is how much a process moves: what it used, to the nanosecond, and how often one of its threads
// went to sleep, which is as often as something woke it.
type Stirring struct {
	CPU      time.Duration
	Wakeups  int64
	measured time.Time
}

// Stirred sums up the threads of a process. Threads that ended are not in it.
func Stirred(pid int) (Stirring, error) {
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", pid))
	if err != nil || len(threads) == 0 {
		return Stirring{}, fmt.Errorf("process %d is gone", pid)
	}
	s := Stirring{measured: time.Now()}
	for _, thread := range threads {
		schedule, err := os.ReadFile(filepath.Join(thread, "schedstat"))
		if err != nil {
			continue // it ended just now
		}
		var ran int64 // ns on a CPU; see Documentation/scheduler/sched-stats.rst of Linux
		if _, err := fmt.Sscan(string(schedule), &ran); err != nil {
			return Stirring{}, fmt.Errorf("%s/schedstat: %w", thread, err)
		}
		status, err := os.ReadFile(filepath.Join(thread, "status"))
		if err != nil {
			continue
		}
		s.CPU += time.Duration(ran)
		s.Wakeups += voluntary(status)
	}
	return s, nil
}

// voluntary finds voluntary_ctxt_switches of proc(5).
func voluntary(status []byte) (switches int64) {
	for lines := bufio.NewScanner(bytes.NewReader(status)); lines.Scan(); {
		if rest, ok := strings.CutPrefix(lines.Text(), "voluntary_ctxt_switches:"); ok {
			_, _ = fmt.Sscan(rest, &switches)
		}
	}
	return switches
}

// PerSecond is what a process used of a CPU, as a share of one, and its wake-ups a second, between two looks.
func PerSecond(before, after Stirring) (share, wakeups float64) {
	took := after.measured.Sub(before.measured)
	return float64(after.CPU-before.CPU) / float64(took), float64(after.Wakeups-before.Wakeups) / took.Seconds()
}
