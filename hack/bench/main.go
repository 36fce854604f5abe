//go:build linux

// Command bench measures the order service against its peers on this machine and prints each row
// beside its target. Every row is a ratio of two things that were measured in turns within one run.
//
//	go run ./hack/bench                     all rows, 5 repeats
//	go run ./hack/bench -quick              2 short repeats
//	go run ./hack/bench -run 'accept_cpu'   rows whose id matches
//	go run ./hack/bench -long               memory, recovery and the day at ten times their size
//	go run ./hack/bench -short              the rows that CI gates on, 3 short repeats
//	go run ./hack/bench -kafka              the accept rows on three brokers of Apache Kafka as well
//	go run ./hack/bench -svg DIR            plots as well
//	go run ./hack/bench -profile DIR        where the CPU of an order goes, by Linux's perf
//	go run ./hack/bench -md                 the table as Markdown
//	go run ./hack/bench -json               JSON on standard output, the table on standard error
//
// It ends with 1 when a row is behind or void. See README.md for what each row is.
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
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/qingcang/qingcang/hack/bench/internal/card"
	"github.com/qingcang/qingcang/hack/bench/internal/systems"
	"github.com/qingcang/qingcang/hack/internal/stack"
)

// errBehind ends a run in which a row does not reach its target.
var errBehind = errors.New("a row is behind its target or void")

// options are the flags, and what follows from them.
type options struct {
	run            *regexp.Regexp
	json, markdown bool
	quick, long    bool
	short          bool
	kafka          bool
	keep           bool
	svg, perf      string
	repeats        int
	span           time.Duration
	connections    int
}

func main() {
	o, err := parse(os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	if err == nil {
		err = run(ctx, o)
	}
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func parse(args []string) (options, error) {
	o := options{repeats: 5, span: 4 * time.Second}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	pattern := flags.String("run", "", "measure only rows whose id matches this `regexp`")
	flags.BoolVar(&o.json, "json", false, "print JSON on standard output; the table goes to standard error")
	flags.BoolVar(&o.quick, "quick", false, "two short repeats: shows that all works, proves little")
	flags.BoolVar(&o.long, "long", false, "memory, recovery and the day at ten times their size: an hour more")
	flags.BoolVar(&o.short, "short", false, "the rows that CI gates on, in 3 short repeats, against their gates; without the peers that are not installed")
	flags.BoolVar(&o.kafka, "kafka", false, "the accept rows on three brokers of Apache Kafka as well")
	flags.BoolVar(&o.markdown, "md", false, "print the table as Markdown")
	flags.StringVar(&o.svg, "svg", "", "draw throughput, p99 and cost over load, orders, SKUs and campaigns into this `folder`")
	flags.StringVar(&o.perf, "profile", "", "write where the CPU of an order goes, by Linux's perf, into this `folder`")
	flags.BoolVar(&o.keep, "keep", false, "keep the logs and data of the processes")
	flags.IntVar(&o.connections, "connections", 256, "`number` of connections of a closed loop")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	switch {
	case o.short:
		o.repeats, o.span = 3, time.Second
		if *pattern == "" {
			*pattern = gatedRows()
		}
	case o.quick:
		o.repeats, o.span = 2, 1500*time.Millisecond
	}
	var err error
	o.run, err = regexp.Compile(*pattern)
	return o, err
}

func run(ctx context.Context, o options) (err error) {
	root, err := stack.Root()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "qingcang-bench-")
	if err != nil {
		return err
	}
	if !o.keep {
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	field, err := systems.NewField(ctx, root, dir, os.Stderr, log)
	b := &bench{options: o, root: root, field: field, progress: os.Stderr, running: map[string]*systems.System{}, sums: map[string]*sums{}}
	defer func() {
		field.Stop()
		b.stop() // after those who talk to it
	}()
	if err != nil {
		return err
	}
	if err := b.measure(ctx); err != nil {
		return err
	}
	if len(b.rows) == 0 {
		return fmt.Errorf("no row matches %q", o.run)
	}
	return report(b, o)
}

func report(b *bench, o options) error {
	if o.short {
		b.rows = gated(b.rows)
	}
	var out io.Writer = os.Stdout
	if o.json {
		out = os.Stderr
	}
	if err := b.print(out); err != nil {
		return err
	}
	if o.json {
		if err := card.WriteJSON(os.Stdout, b.rows); err != nil {
			return err
		}
	}
	for _, row := range b.rows {
		if !row.OK() {
			return errBehind
		}
	}
	return nil
}

// print writes the head, the systems' figures and the rows.
func (b *bench) print(out io.Writer) error {
	_, _ = fmt.Fprintln(out, b.head())
	for _, what := range b.missing {
		_, _ = fmt.Fprintf(out, "left out: %s\n", what)
	}
	_, _ = fmt.Fprintln(out)
	if b.markdown {
		return card.Markdown(out, b.rows)
	}
	if err := b.printSystems(out); err != nil {
		return err
	}
	return card.Print(out, b.rows)
}

// head says when and on what the figures were measured.
func (b *bench) head() string {
	commit, err := exec.Command("git", "-C", b.root, "describe", "--always", "--dirty").Output()
	if err != nil {
		commit = []byte("unknown")
	}
	return fmt.Sprintf("%s, commit %s, %d cores, %.0f%% of them in use by others before the run, %d repeats of %s",
		time.Now().UTC().Format(time.DateOnly), strings.TrimSpace(string(commit)), runtime.NumCPU(), 100*b.others, b.repeats, b.span)
}
