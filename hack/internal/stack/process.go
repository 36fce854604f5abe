package stack

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// Process says how one program is run and when it is ready.
type Process struct {
	Name string // unique in its supervisor; its log is <Name>.log
	Path string
	Args []string
	Env  []string // KEY=value; besides these it gets PATH, HOME and TMPDIR alone
	Dir  string   // working directory; the supervisor's when empty

	// Ready tells whether it serves. Without one it is ready when it runs.
	Ready Check
	// ReadyTimeout bounds the wait for the first readiness; 3 min when zero, for a Java machine or an API server on two busy cores.
	ReadyTimeout time.Duration
	// StopTimeout is what it gets between SIGTERM and SIGKILL; 15 s when zero.
	StopTimeout time.Duration
	// Group names processes that stop at the same time, because they need each other to stop well.
	// They are started side by side; without a name a process stops alone.
	Group string
	// Uncounted leaves its memory out of PeakRSS.
	Uncounted bool
}

const (
	defaultReadyTimeout = 3 * time.Minute
	defaultStopTimeout  = 15 * time.Second
)

func (p Process) readyTimeout() time.Duration {
	if p.ReadyTimeout > 0 {
		return p.ReadyTimeout
	}
	return defaultReadyTimeout
}

func (p Process) stopTimeout() time.Duration {
	if p.StopTimeout > 0 {
		return p.StopTimeout
	}
	return defaultStopTimeout
}

// command is one run of the process, writing both its streams to log.
func (p Process) command(log *os.File) *exec.Cmd {
	command := exec.Command(p.Path, p.Args...)
	command.Dir = p.Dir
	command.Env = append(inherited("PATH", "HOME", "TMPDIR"), p.Env...)
	command.Stdout, command.Stderr = log, log
	// A group of its own: Ctrl-C on the terminal reaches the supervisor only,
	// which stops its processes in order.
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	dieWithParent(command.SysProcAttr)
	return command
}

// inherited keeps a few variables, so that an address left in the user's shell
// cannot reach a stack.
func inherited(keys ...string) []string {
	var env []string
	for _, key := range keys {
		if value, ok := os.LookupEnv(key); ok {
			env = append(env, fmt.Sprintf("%s=%s", key, value))
		}
	}
	return env
}
