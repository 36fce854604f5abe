package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/qingcang/qingcang/hack/internal/stack"
	"github.com/qingcang/qingcang/hack/internal/story"
)

// test is one run: the cluster, the suite on it, and what the scenes share.
type test struct {
	*story.Teller
	cluster *cluster
	root    string
	// dir holds keys, values, logs and what was found out about a failure.
	dir string
	// versions are two builds of the same commit: what is installed, and what is upgraded to.
	versions [2]string
	shop     *shop
}

// clearUpLimit bounds the end of a test, on a cluster that may be broken.
const clearUpLimit = 6 * time.Minute

// scene is one thing that must go well.
type scene struct {
	name, title string
	play        func(*test, context.Context) error
	limit       time.Duration
}

// scenes in their order; each leaves the suite fit for the next.
func scenes() []scene {
	return []scene{
		{"check", "helm test: every part answers", (*test).helmTest, 3 * time.Minute},
		{"story", "The story of a sale, inside the cluster", (*test).tellStory, 6 * time.Minute},
		{"lane", "A hot campaign gets pods of its own, ahead of its start; they are deleted while it sells", (*test).ownLane, 6 * time.Minute},
		{"upgrade", "The chart is upgraded in mid-sale", (*test).upgrade, 8 * time.Minute},
		{"drain", "The node is drained in mid-sale and restored", (*test).drain, 6 * time.Minute},
		{"absence", "No operator for the whole of a sale", (*test).absence, 5 * time.Minute},
		{"hang", "An API server that hangs for the whole of a sale", (*test).hang, 5 * time.Minute},
		{"delete", "A campaign is deleted in each phase", (*test).deleteInEachPhase, 6 * time.Minute},
		{"uninstall", "What helm uninstall leaves", (*test).uninstall, 5 * time.Minute},
	}
}

func sceneNames() []string {
	var names []string
	for _, s := range scenes() {
		names = append(names, s.name)
	}
	return names
}

// chosen are the scenes to play.
func chosen(names []string) ([]scene, error) {
	all := scenes()
	for _, name := range names {
		if !slices.Contains(sceneNames(), name) {
			return nil, fmt.Errorf("there is no scene %q; there are %s", name, strings.Join(sceneNames(), ", "))
		}
	}
	if len(names) > 0 {
		all = slices.DeleteFunc(all, func(s scene) bool { return !slices.Contains(names, s.name) })
	}
	return all, nil
}

// run prepares the cluster, plays the scenes, clears up and says what came of it.
func run(ctx context.Context, o options, out io.Writer) error {
	wanted, err := chosen(o.scenes)
	if err != nil {
		return err
	}
	root, err := stack.Root()
	if err != nil {
		return err
	}
	began := time.Now()
	t := &test{Teller: &story.Teller{Out: out}, root: root, cluster: newCluster(ctx, root, o, out)}
	if t.dir, err = os.MkdirTemp("", "qingcang-e2e-"); err != nil {
		return fmt.Errorf("make a folder for the test: %w", err)
	}
	err = t.play(ctx, wanted)
	if !o.keep {
		err = errors.Join(err, t.clearUp(context.WithoutCancel(ctx), err == nil))
	}
	if err == nil {
		_, _ = fmt.Fprintf(out, "\n%d scenes passed in %s\n", len(wanted), time.Since(began).Round(time.Second))
	}
	return err
}

// play prepares the cluster and plays scenes until one fails.
func (t *test) play(ctx context.Context, scenes []scene) error {
	if err := t.cluster.find(ctx); err != nil {
		return err
	}
	if err := t.prepare(ctx); err != nil {
		return t.diagnose(ctx, err)
	}
	for i, s := range scenes {
		if err := t.playScene(ctx, s); err != nil {
			return t.diagnose(ctx, fmt.Errorf("scene %s: %w (%d of %d scenes passed before it)", s.name, err, i, len(scenes)))
		}
	}
	return nil
}

// prepare brings up what the scenes need, and says what took how long.
func (t *test) prepare(ctx context.Context) error {
	for _, step := range []struct {
		what string
		run  func(context.Context) error
	}{
		{"images", t.images},
		{"the world outside", t.outside},
		{"the suite, by its chart", t.install},
		{"a brand with stock and a crowd of buyers", t.openShop},
	} {
		began := time.Now()
		if err := step.run(ctx); err != nil {
			return fmt.Errorf("%s: %w", step.what, err)
		}
		_, _ = fmt.Fprintf(t.Out, "  %-42s %.1f s\n", step.what, time.Since(began).Seconds())
	}
	return nil
}

func (t *test) playScene(ctx context.Context, s scene) error {
	ctx, cancel := context.WithTimeout(ctx, s.limit)
	defer cancel()
	began := time.Now()
	t.Tells("[" + s.name + "] " + s.title)
	if err := s.play(t, ctx); err != nil {
		return err
	}
	t.Sees("%.0f s", time.Since(began).Seconds())
	return nil
}

// clearUp takes away what the test brought, and the cluster if it brought that. What tells of a failure
// stays, but for the keys.
func (t *test) clearUp(ctx context.Context, passed bool) error {
	ctx, cancel := context.WithTimeout(ctx, clearUpLimit)
	defer cancel()
	t.cluster.close()
	files := t.keys()
	if passed {
		files = t.dir
	}
	removed := os.RemoveAll(files)
	switch {
	case t.cluster.ours:
		return errors.Join(removed, t.cluster.down(ctx))
	case t.cluster.kubectl == "": // none was reached
		return removed
	}
	return errors.Join(removed, t.leave(ctx))
}
