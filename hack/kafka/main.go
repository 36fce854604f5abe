// Command kafka runs a cluster of three Apache Kafka brokers on this machine and, on it, a command
// that finds it in KAFKA_BROKERS.
//
//	go run ./hack/kafka -- go test ./services/internal/journal/...
//	go run ./hack/kafka -env FILE -- sleep infinity   # another shell sources FILE
//	go run ./hack/kafka                               # stays up; type "kill 2" and the like
//
// It ends with the exit code of the command.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/qingcang/qingcang/hack/internal/stack"
)

func main() {
	env := flag.String("env", "", "write KAFKA_BROKERS to this `file` too, as a line for a shell")
	dir := flag.String("dir", "", "`folder` for data and logs, kept for the next start; a temporary one when empty")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code, err := run(ctx, *env, *dir, flag.Args())
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "kafka:", err)
		code = 1
	}
	os.Exit(code)
}

// run starts the cluster, runs the command on it or stays up, and leaves nothing behind but what
// dir was named for.
func run(ctx context.Context, envFile, dir string, command []string) (code int, err error) {
	if dir == "" {
		if dir, err = os.MkdirTemp("", "qingcang-kafka-"); err != nil {
			return 0, err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	supervisor, err := stack.NewSupervisor(filepath.Join(dir, "logs"), log)
	if err != nil {
		return 0, err
	}
	defer supervisor.Stop()
	cluster, err := start(ctx, supervisor, dir)
	if err != nil {
		return 0, err
	}
	variables := []string{"KAFKA_BROKERS=" + cluster.Addresses()}
	if envFile != "" {
		if err := stack.WriteExports(envFile, variables); err != nil {
			return 0, err
		}
	}
	if len(command) > 0 {
		return stack.RunCommand(ctx, command, variables)
	}
	fmt.Println(variables[0])
	fmt.Fprintln(os.Stderr, "Ctrl-C stops it. Data and logs are in", dir)
	desk := desk{cluster: cluster, out: os.Stderr}
	go desk.serve(ctx, os.Stdin)
	select {
	case <-ctx.Done():
		return 0, nil
	case err := <-supervisor.Failed():
		return 0, err
	}
}

func start(ctx context.Context, supervisor *stack.Supervisor, dir string) (*stack.Kafka, error) {
	root, err := stack.Root()
	if err != nil {
		return nil, err
	}
	jars, err := stack.FetchKafka(ctx, root, os.Stderr)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	cluster, err := stack.StartKafka(ctx, supervisor, jars, dir)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(os.Stderr, "three brokers of Apache Kafka are up after %.1f s\n", time.Since(began).Seconds())
	return cluster, nil
}
