package stack

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// commandStopTimeout is what a command gets between SIGTERM and SIGKILL.
const commandStopTimeout = 30 * time.Second

// WriteExports writes variables, each KEY=value, as lines that a POSIX shell can source.
func WriteExports(path string, variables []string) error {
	var text strings.Builder
	for _, variable := range variables {
		key, value, _ := strings.Cut(variable, "=")
		fmt.Fprintf(&text, "export %s='%s'\n", key, strings.ReplaceAll(value, "'", `'\''`))
	}
	return os.WriteFile(path, []byte(text.String()), 0o600)
}

// RunCommand hands the terminal to the command, with the variables in its environment, and returns
// its exit code. When ctx ends, it asks the command to end and waits for it.
func RunCommand(ctx context.Context, command, variables []string) (int, error) {
	child := exec.CommandContext(ctx, command[0], command[1:]...)
	child.Cancel = func() error { return child.Process.Signal(syscall.SIGTERM) }
	child.WaitDelay = commandStopTimeout
	child.Env = append(os.Environ(), variables...)
	child.Stdin, child.Stdout, child.Stderr = os.Stdin, os.Stdout, os.Stderr
	err := child.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.Exited() {
		return exit.ExitCode(), nil
	}
	return 0, err
}
