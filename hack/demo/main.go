// Command demo runs all of Qingcang on this machine: it builds what is missing, starts everything,
// fills it with a small believable world, and stays up.
//
//	go run ./hack/demo            start, or go on where the last one stopped
//	go run ./hack/demo --reset    forget all of it first
//	go run ./hack/demo --once     play the story on a stack of its own, check every step, and end
//	go run ./hack/demo -kafka HOST:PORT,...   the same on another Kafka that has no topics yet (hack/kafka)
//	go run ./hack/demo --kubeconfig FILE      the same with an existing cluster's API: in a namespace of its own,
//	                                          and the cluster is as it was when it ends
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

	"github.com/qingcang/qingcang/hack/internal/campaigns"
	"github.com/qingcang/qingcang/hack/internal/stack"
	"github.com/qingcang/qingcang/hack/internal/story"
	"github.com/qingcang/qingcang/hack/internal/suite"
)

// shortestWindow lets a campaign of the demo close its return window within seconds.
const shortestWindow = time.Second

func main() {
	var c command
	flag.BoolVar(&c.once, "once", false, "play the story by itself, check each step, and end")
	flag.BoolVar(&c.reset, "reset", false, "forget what an earlier demo left")
	flag.BoolVar(&c.keep, "keep", false, "with --once: keep the stack's folder, to look into its logs")
	flag.StringVar(&c.dir, "dir", "", "without --once: `folder` for data, keys and logs; the user's cache folder when empty")
	flag.StringVar(&c.kafka, "kafka", "", "`addresses` of an empty Kafka, host:port with commas, to use instead of the embedded broker")
	flag.StringVar(&c.kubeconfig, "kubeconfig", "", "`file` of an administrator of a cluster, to use instead of the embedded control plane")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := c.run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

// command is what was asked for.
type command struct {
	once, reset, keep      bool
	dir, kafka, kubeconfig string
}

func (c command) run(ctx context.Context) error {
	root, err := stack.Root()
	if err != nil {
		return err
	}
	options := suite.Options{
		Root: root, MinReturnWindow: shortestWindow, KafkaBrokers: c.kafka, Kubeconfig: c.kubeconfig, Metrics: true, Progress: os.Stdout,
		Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
	}
	if c.once {
		return playOnce(ctx, options, c.keep)
	}
	options.Dir = c.dir
	return stayUp(ctx, options, c.reset)
}

// playOnce runs the story on an empty stack of its own and leaves nothing behind, except after a
// failure, when the logs are what one wants.
func playOnce(ctx context.Context, options suite.Options, keep bool) (err error) {
	if options.Dir, err = os.MkdirTemp("", "qingcang-once-"); err != nil {
		return fmt.Errorf("make a folder for the stack: %w", err)
	}
	s, err := suite.Start(ctx, options)
	defer s.Stop()
	if err == nil {
		began := time.Now()
		err = story.Tell(ctx, os.Stdout, story.Stage{
			Addresses: s.Addresses, Desk: campaigns.Desk{Kubectl: s.Kubectl, Namespace: s.Namespace},
			MongoURI: s.Embedded.MongoURI, Dir: s.Dir, Root: s.Root(),
		})
		if err == nil {
			err = everyMetricIsMeasured(ctx, os.Stdout, s)
		}
		if err == nil {
			fmt.Printf("\nEvery check holds. The story took %.0f s.\n", time.Since(began).Seconds())
		}
	}
	if err != nil || keep {
		fmt.Println("Data and logs are kept in", options.Dir)
		return err
	}
	s.Stop()
	return os.RemoveAll(options.Dir)
}

// stayUp runs the demo until it is interrupted.
func stayUp(ctx context.Context, options suite.Options, reset bool) error {
	if options.Dir == "" {
		var err error
		if options.Dir, err = suite.DefaultDir(); err != nil {
			return err
		}
	}
	if reset {
		if err := os.RemoveAll(options.Dir); err != nil {
			return fmt.Errorf("forget the last demo: %w", err)
		}
	}
	s, err := suite.Start(ctx, options)
	defer s.Stop()
	if err != nil {
		return err
	}
	w, err := seedWorld(ctx, s)
	if err != nil {
		return err
	}
	if err := w.print(os.Stdout, s); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		fmt.Println("\nStopping. The next start goes on from here; --reset forgets it.")
		if options.Kubeconfig != "" {
			fmt.Println("The cluster's campaigns of the demo end now; the next start begins a new one.")
		}
		return nil
	case err := <-s.Supervisor.Failed():
		return err
	}
}
