// Command teststack runs a command on an empty stack of its own: the embedded
// database and broker and a Kubernetes API server, whose addresses the command
// finds in its environment, as every test of the project does.
//
//	go run ./hack/teststack -- go test work
//	go run ./hack/teststack -env FILE -- sleep infinity   # another shell sources FILE
//
// It ends with the exit code of the command.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/qingcang/qingcang/hack/internal/stack"
)

// stopTimeout is what the command gets between SIGTERM and SIGKILL.
const stopTimeout = 30 * time.Second

func main() {
	env := flag.String("env", "", "write the addresses to this `file` too, as lines for a shell")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code, err := run(ctx, *env, flag.Args())
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "teststack:", err)
		code = 1
	}
	os.Exit(code)
}

// run starts the stack, runs the command on it, and leaves nothing behind.
func run(ctx context.Context, envFile string, command []string) (code int, err error) {
	if len(command) == 0 {
		return 0, errors.New("name the command to run after --")
	}
	dir, err := os.MkdirTemp("", "qingcang-teststack-")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	supervisor, err := stack.NewSupervisor(filepath.Join(dir, "logs"), log)
	if err != nil {
		return 0, err
	}
	defer supervisor.Stop()
	addresses, err := start(ctx, supervisor, dir, os.Stderr)
	if err != nil {
		return 0, err
	}
	if envFile != "" {
		if err := writeExports(envFile, addresses); err != nil {
			return 0, err
		}
	}
	return runCommand(ctx, command, addresses)
}

// start returns the addresses as KEY=value.
func start(ctx context.Context, supervisor *stack.Supervisor, dir string, progress io.Writer) ([]string, error) {
	root, err := stack.Root()
	if err != nil {
		return nil, err
	}
	binaries, err := stack.BuildEmbedded(ctx, root, progress)
	if err != nil {
		return nil, err
	}
	assets, err := stack.KubeAssets(ctx, root, progress)
	if err != nil {
		return nil, err
	}
	embedded, err := stack.StartEmbedded(ctx, supervisor, binaries, dir)
	if err != nil {
		return nil, err
	}
	plane, err := stack.StartControlPlane(ctx, supervisor, assets, filepath.Join(dir, "kube"))
	if err != nil {
		return nil, err
	}
	return []string{
		"MONGODB_URI=" + embedded.MongoURI,
		"KAFKA_BROKERS=" + embedded.Brokers,
		"KUBECONFIG=" + plane.Kubeconfig(stack.AdminUser),
		"KUBEBUILDER_ASSETS=" + filepath.Dir(assets.APIServer),
	}, nil
}

// writeExports quotes for a POSIX shell.
func writeExports(path string, variables []string) error {
	var text strings.Builder
	for _, variable := range variables {
		key, value, _ := strings.Cut(variable, "=")
		fmt.Fprintf(&text, "export %s='%s'\n", key, strings.ReplaceAll(value, "'", `'\''`))
	}
	return os.WriteFile(path, []byte(text.String()), 0o600)
}

// runCommand hands the terminal to the command and returns its exit code. When
// ctx ends, it asks the command to end and waits for it.
func runCommand(ctx context.Context, command []string, variables []string) (int, error) {
	child := exec.CommandContext(ctx, command[0], command[1:]...)
	child.Cancel = func() error { return child.Process.Signal(syscall.SIGTERM) }
	child.WaitDelay = stopTimeout
	child.Env = append(os.Environ(), variables...)
	child.Stdin, child.Stdout, child.Stderr = os.Stdin, os.Stdout, os.Stderr
	err := child.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.Exited() {
		return exit.ExitCode(), nil
	}
	return 0, err
}
