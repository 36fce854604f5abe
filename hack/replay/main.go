// Command replay sends the demand of a real shop through an empty suite of its own: by the public
// HTTP interfaces, the Kubernetes API and the payment simulator. Then it recounts, from the lanes'
// logs and all journals alone, what was sold and where the money went.
//
//	go run ./hack/replay -orders FILE.csv.gz          print the result
//	go run ./hack/replay -orders FILE.csv.gz -json    write it to standard output as one object
//	go run ./hack/replay -orders FILE.csv.gz -kill    kill -9 each process once on the way
//	go run ./hack/replay -orders FILE.csv.gz -kafka HOST:PORT,...   on another Kafka that has no topics yet (hack/kafka)
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/qingcang/qingcang/hack/internal/retail"
	"github.com/qingcang/qingcang/hack/internal/stack"
	"github.com/qingcang/qingcang/hack/internal/suite"
)

// options are the flags.
type options struct {
	orders, dir, refused, kafka string
	json, kill, keep            bool
	limit                       int
}

func main() {
	var o options
	flag.StringVar(&o.orders, "orders", "", "the `file` of order lines, CSV, plain or gzipped")
	flag.StringVar(&o.refused, "refused", "", "write every refused row and its reason to this `file`")
	flag.BoolVar(&o.json, "json", false, "write the result to standard output as JSON")
	flag.BoolVar(&o.kill, "kill", false, "kill each process of the suite once on the way")
	flag.IntVar(&o.limit, "limit", 0, "replay the first `n` accepted rows only; 0 is all")
	flag.StringVar(&o.dir, "dir", "", "keep data and logs in this empty `folder`, not in a temporary one")
	flag.BoolVar(&o.keep, "keep", false, "keep data and logs; they are kept after a failure anyway")
	flag.StringVar(&o.kafka, "kafka", "", "`addresses` of an empty Kafka, host:port with commas, to use instead of the embedded broker")
	flag.Parse()
	if o.orders == "" || flag.NArg() > 0 || o.kafka != "" && o.kill { // the broker is among those that are killed
		fmt.Fprintln(os.Stderr, "usage: replay -orders FILE.csv.gz [-json] [-kill | -kafka addresses] [-limit n] [-refused FILE] [-dir folder] [-keep]")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, o)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "replay:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	file, err := retail.Open(o.orders)
	if err != nil {
		return err
	}
	if err := tellRefused(os.Stderr, file, o.refused); err != nil {
		return err
	}
	if o.limit > 0 && o.limit < len(file.Accepted) {
		file.Rows -= len(file.Accepted) - o.limit
		file.Accepted = file.Accepted[:o.limit]
	}
	root, err := stack.Root()
	if err != nil {
		return err
	}
	dir, remove, err := folder(o)
	if err != nil {
		return err
	}
	s, err := suite.Start(ctx, suite.Options{
		Root: root, Dir: dir, KafkaBrokers: o.kafka, Progress: os.Stderr,
		Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: logLevel(o)})),
	})
	defer s.Stop()
	if err == nil {
		err = replayAndRecount(ctx, o, s, file)
	}
	if err != nil || !remove {
		fmt.Fprintln(os.Stderr, "Data and logs are kept in", dir)
		return err
	}
	s.Stop()
	return os.RemoveAll(dir)
}

// logLevel keeps the supervisor from telling of deaths that were ordered.
func logLevel(o options) slog.Level {
	if o.kill {
		return slog.LevelError
	}
	return slog.LevelWarn
}

// folder is where the stack keeps its data, and whether it is removed at the end.
func folder(o options) (dir string, remove bool, err error) {
	if o.dir == "" {
		dir, err = os.MkdirTemp("", "qingcang-replay-")
		if err != nil {
			return "", false, fmt.Errorf("make a folder for the stack: %w", err)
		}
		return dir, !o.keep, nil
	}
	if err := os.MkdirAll(o.dir, 0o700); err != nil {
		return "", false, fmt.Errorf("make the stack's folder: %w", err)
	}
	entries, err := os.ReadDir(o.dir)
	if err != nil {
		return "", false, fmt.Errorf("look into the stack's folder: %w", err)
	}
	if len(entries) > 0 {
		return "", false, fmt.Errorf("%s is not empty; a replay begins with an empty stack", o.dir)
	}
	return o.dir, false, nil
}

// replayAndRecount is the run on a stack that is up.
func replayAndRecount(ctx context.Context, o options, s *suite.Suite, file *retail.File) error {
	began := time.Now()
	r, err := newReplay(s, retail.Plan(file))
	if err != nil {
		return err
	}
	if o.kill {
		r.killer = newKiller(s.Supervisor, r.progress.total)
	}
	if err := r.run(ctx); err != nil {
		return err
	}
	result, err := r.recount(ctx, file)
	if err != nil {
		return err
	}
	result.Seconds = time.Since(began).Round(100 * time.Millisecond).Seconds()
	result.PeakRSSMiB = s.Supervisor.PeakRSS() >> 20
	return result.write(os.Stdout, o.json)
}
