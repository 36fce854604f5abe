// Command prove runs the rows of the scorecard that exist and prints the card.
// Each row is a test that tries very often, and that has to fail when a bug is
// planted in the code on purpose by a build tag.
//
//	go run ./hack/prove             every row, as often as CI does
//	go run ./hack/prove -full       as often as a release asks for: hours
//	go run ./hack/prove -row 9      one row
//	go run ./hack/prove -seed 7     the random numbers of an earlier card
//	go run ./hack/prove -kafka      the sieges of orders, on three brokers of Apache Kafka
//
// It ends with 0 only if every row holds and every planted bug is caught.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/qingcang/qingcang/hack/internal/release"
	"github.com/qingcang/qingcang/hack/internal/stack"
)

// options are the flags.
type options struct {
	full, json, kafka bool
	row               string
	seed              uint64
}

func main() {
	var o options
	flag.BoolVar(&o.full, "full", false, "try as often as the full column of the card says")
	flag.StringVar(&o.row, "row", "", "only this `row`")
	flag.Uint64Var(&o.seed, "seed", 0, "`seed` of the random numbers; 0 draws one")
	flag.BoolVar(&o.kafka, "kafka", false, "only the rows that run on Apache Kafka, on three brokers of it")
	flag.BoolVar(&o.json, "json", false, "print the card as JSON")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	holds, err := run(ctx, o)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "prove:", err)
	}
	if err != nil || !holds {
		os.Exit(1)
	}
}

// run proves the rows that were asked for and prints the card.
func run(ctx context.Context, o options) (holds bool, err error) {
	checks, err := chosen(o.row, o.kafka)
	if err != nil {
		return false, err
	}
	root, err := stack.Root()
	if err != nil {
		return false, err
	}
	if err := complete(root, card); err != nil {
		return false, err
	}
	if checks = withHistory(ctx, root, checks, os.Stderr); len(checks) == 0 {
		return false, errors.New("nothing is left to prove")
	}
	dir, err := os.MkdirTemp("", "qingcang-prove-")
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if o.seed == 0 {
		o.seed = 1 + rand.Uint64N(1_000_000) // easy to type again
	}
	p := &prover{root: root, dir: dir, full: o.full, kafka: o.kafka, seed: o.seed, binaries: map[build]string{}, progress: os.Stderr}
	if stop, err := p.ensureStack(ctx, checks); err != nil {
		return false, err
	} else if stop != nil {
		defer stop()
	}
	results, err := p.proveAll(ctx, checks)
	if err != nil {
		return false, err
	}
	return allHold(results), show(os.Stdout, o, results)
}

// withHistory leaves out what begins with the release before this one, and says so, where the history of
// this checkout is too short: a clean checkout of CI may be.
func withHistory(ctx context.Context, root string, checks []check, progress io.Writer) []check {
	if !slices.ContainsFunc(checks, func(c check) bool { return c.history }) {
		return checks
	}
	_, err := release.Previous(ctx, root)
	if err == nil {
		return checks
	}
	return slices.DeleteFunc(checks, func(c check) bool {
		if c.history {
			_, _ = fmt.Fprintf(progress, "row %-3s is left out: %v\n", c.Row, err)
		}
		return c.history
	})
}

func show(w io.Writer, o options, results []result) error {
	if !o.json {
		return printCard(w, results, o.row == "")
	}
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(map[string]any{
		"full": o.full, "seed": o.seed, "rows": results, "notYet": notYet(), "holds": allHold(results),
	})
}

// ensureStack starts a broker and a database for the rows that need them, and an API server for those that
// need one, unless the environment names some.
func (p *prover) ensureStack(ctx context.Context, checks []check) (stop func(), err error) {
	broker, kube := false, false
	for _, c := range checks {
		broker, kube = broker || c.stack, kube || c.kube
	}
	broker = broker && (os.Getenv("KAFKA_BROKERS") == "" || os.Getenv("MONGODB_URI") == "")
	kube = kube && os.Getenv("KUBECONFIG") == ""
	if !broker && !kube {
		return nil, nil
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	supervisor, err := stack.NewSupervisor(filepath.Join(p.dir, "logs"), log)
	if err != nil {
		return nil, err
	}
	if broker {
		err = p.startBroker(ctx, supervisor)
	}
	if kube && err == nil {
		err = p.startKube(ctx, supervisor)
	}
	if err != nil {
		supervisor.Stop()
		return nil, fmt.Errorf("start what the rows need: %w", err)
	}
	return supervisor.Stop, nil
}

func (p *prover) startBroker(ctx context.Context, supervisor *stack.Supervisor) error {
	binaries, err := stack.BuildEmbedded(ctx, p.root, p.progress)
	if err != nil {
		return err
	}
	embedded, err := stack.StartEmbedded(ctx, supervisor, binaries, p.dir)
	p.addresses = append(p.addresses, "MONGODB_URI="+embedded.MongoURI, "KAFKA_BROKERS="+embedded.Brokers)
	return err
}

func (p *prover) startKube(ctx context.Context, supervisor *stack.Supervisor) error {
	assets, err := stack.KubeAssets(ctx, p.root, p.progress)
	if err != nil {
		return err
	}
	plane, err := stack.StartControlPlane(ctx, supervisor, assets, filepath.Join(p.dir, "kube"))
	if err == nil {
		p.addresses = append(p.addresses, "KUBECONFIG="+plane.Kubeconfig(stack.AdminUser))
	}
	return err
}
