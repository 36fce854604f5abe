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
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/qingcang/qingcang/hack/internal/stack"
)

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
		if err := stack.WriteExports(envFile, addresses); err != nil {
			return 0, err
		}
	}
	return stack.RunCommand(ctx, command, addresses)
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
