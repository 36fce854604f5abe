// Command check is what the chart's own jobs run. It needs no rights and asks nothing of Kubernetes.
//
//	check ready URL...     waits until each URL answers 200 (helm test)
//	check topics           makes the topics of proto/topics.yaml that are not there (before an installation)
//
// It finds Kafka by KAFKA_BROKERS and the other KAFKA_ variables.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/caarlos0/env/v11"

	"github.com/qingcang/qingcang/proto/eventkit"
)

const (
	exitFailed = 1
	// exitUsage tells whoever started it that starting again will not help.
	exitUsage = 2
	// askTimeout bounds one try.
	askTimeout = 5 * time.Second
	// pause lies between two tries.
	pause = time.Second
)

// errUsage is the fault of a command line that is not understood.
var errUsage = errors.New("usage: check [-timeout DURATION] ready URL... | topics")

func main() {
	timeout := flag.Duration("timeout", time.Minute, "how `long` to try")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ctx, cancel := context.WithTimeout(ctx, *timeout)
	err := run(ctx, flag.Args(), os.Stdout)
	cancel()
	stop()
	if err == nil {
		return
	}
	fmt.Fprintln(os.Stderr, "check:", err)
	if errors.Is(err, errUsage) {
		os.Exit(exitUsage)
	}
	os.Exit(exitFailed)
}

func run(ctx context.Context, args []string, out io.Writer) error {
	switch {
	case len(args) > 1 && args[0] == "ready":
		return ready(ctx, args[1:], out)
	case len(args) == 1 && args[0] == "topics":
		return topics(ctx, out)
	default:
		return errUsage
	}
}

// ready asks every URL until all have answered 200, and names those that have not.
func ready(ctx context.Context, urls []string, out io.Writer) error {
	waiting := make(map[string]error, len(urls))
	for _, url := range urls {
		waiting[url] = errors.New("not asked yet")
	}
	for {
		for _, url := range urls {
			if _, open := waiting[url]; !open {
				continue
			}
			if err := ask(ctx, url); err != nil {
				if ctx.Err() == nil { // else the reason of an earlier try says more
					waiting[url] = err
				}
				continue
			}
			delete(waiting, url)
			_, _ = fmt.Fprintln(out, url, "is ready")
		}
		if len(waiting) == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			var errs []error
			for _, url := range urls {
				if err, open := waiting[url]; open {
					errs = append(errs, fmt.Errorf("%s is not ready: %w", url, err))
				}
			}
			return errors.Join(errs...)
		case <-time.After(pause):
		}
	}
}

func ask(ctx context.Context, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return err
	}
	response, err := (&http.Client{Timeout: askTimeout}).Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }() // only read
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("it answered %s", response.Status)
	}
	return nil
}

// topics tries until Kafka has made them: a cluster that is just starting is waited for.
func topics(ctx context.Context, out io.Writer) error {
	cfg, err := env.ParseAs[eventkit.Config]()
	if err != nil {
		return fmt.Errorf("configuration: %s", strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	conn, err := eventkit.Dial(cfg)
	if err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	defer conn.Close()
	for {
		err := conn.Ensure(ctx, eventkit.Topics()...)
		if err == nil {
			_, _ = fmt.Fprintf(out, "%d topics are there\n", len(eventkit.Topics()))
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pause):
		}
	}
}
