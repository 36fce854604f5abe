package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"

	"github.com/qingcang/qingcang/hack/internal/stack"
)

// Where the test puts things. Both namespaces are made and removed by it.
const (
	namespace        = "qingcang"
	outsideNamespace = "qingcang-outside"
	release          = "qingcang"
)

// cluster is the Kubernetes under test and the ways to it.
type cluster struct {
	root, kubectl, helm, kubeconfig string
	// state is hack/cluster's folder; empty is its own choice.
	state string
	// registry is where images are pushed; empty where they are loaded onto the one node.
	registry string
	// local is a cluster of hack/cluster, whose Services this machine reaches; ours one that the test
	// brought up.
	local, ours bool
	out         io.Writer

	forwarding sync.WaitGroup
	stop       context.CancelFunc
	until      context.Context
}

var errNoRegistry = errors.New("KUBECONFIG names a cluster; say with -registry where it pulls images from")

func newCluster(ctx context.Context, root string, o options, out io.Writer) *cluster {
	c := &cluster{root: root, registry: o.registry, state: o.state, kubeconfig: os.Getenv("KUBECONFIG"), out: out}
	c.until, c.stop = context.WithCancel(ctx)
	return c
}

// find reaches the cluster of KUBECONFIG if a registry is named, else this machine's own, which is
// brought up unless it runs.
func (c *cluster) find(ctx context.Context) error {
	if c.registry == "" {
		if err := c.bringUp(ctx); err != nil {
			return err
		}
	} else if c.kubeconfig == "" {
		return errors.New("-registry is for the cluster of KUBECONFIG, which is not set")
	}
	var err error
	if c.kubectl, err = exec.LookPath("kubectl"); err != nil {
		assets, err := stack.KubeAssets(ctx, c.root, c.out)
		if err != nil {
			return err
		}
		c.kubectl = assets.Kubectl
	}
	tools, err := c.program(ctx, "", filepath.Join(c.root, "hack", "tools", "install"), "helm")
	if err != nil {
		return err
	}
	c.helm = filepath.Join(strings.TrimSpace(tools), "helm")
	return nil
}

// bringUp uses the cluster of hack/cluster. KUBECONFIG may name this very cluster; any other wants a
// registry.
func (c *cluster) bringUp(ctx context.Context) error {
	if _, err := c.program(ctx, "", "go", c.own("status")...); err != nil {
		if c.kubeconfig != "" {
			return errNoRegistry
		}
		_, _ = fmt.Fprintln(c.out, "bringing a cluster up; the first time builds Kubernetes, which takes some ten minutes")
		c.ours = true
		if err := c.show(ctx, "go", c.own("up")...); err != nil {
			return err
		}
	}
	where, err := c.program(ctx, "", "go", c.own("kubeconfig")...)
	if err != nil {
		return err
	}
	if where = strings.TrimSpace(where); c.kubeconfig != "" && c.kubeconfig != where {
		return errNoRegistry
	}
	c.kubeconfig, c.local = where, true
	return nil
}

func (c *cluster) down(ctx context.Context) error { return c.show(ctx, "go", c.own("down")...) }

// own is the command line of hack/cluster.
func (c *cluster) own(command string, args ...string) []string {
	line := []string{"run", "./hack/cluster", command}
	if c.state != "" {
		line = append(line, "-dir", c.state)
	}
	return append(line, args...)
}

// close ends the ways into the cluster.
func (c *cluster) close() {
	c.stop()
	c.forwarding.Wait()
}

// Kubectl runs kubectl and returns what it prints; its complaint is the error.
func (c *cluster) Kubectl(ctx context.Context, stdin string, args ...string) (string, error) {
	return c.program(ctx, stdin, c.kubectl, args...)
}

// in is Kubectl in the suite's namespace.
func (c *cluster) in(ctx context.Context, args ...string) (string, error) {
	return c.Kubectl(ctx, "", append([]string{"--namespace", namespace}, args...)...)
}

func (c *cluster) runHelm(ctx context.Context, args ...string) (string, error) {
	return c.program(ctx, "", c.helm, append([]string{"--namespace", namespace}, args...)...)
}

// environment names the cluster to kubectl and helm.
func (c *cluster) environment() []string { return append(os.Environ(), "KUBECONFIG="+c.kubeconfig) }

// maxWords bounds how much of a command line an error repeats.
const maxWords = 8

// program runs a program in the repository and returns what it prints; its complaint is the error.
func (c *cluster) program(ctx context.Context, stdin, name string, args ...string) (string, error) {
	command := exec.CommandContext(ctx, name, args...)
	command.Dir, command.Env, command.Stdin = c.root, c.environment(), strings.NewReader(stdin)
	var complaint bytes.Buffer
	command.Stderr = &complaint
	out, err := command.Output()
	if err != nil {
		return string(out), fmt.Errorf("%s %s: %w: %s", filepath.Base(name), strings.Join(args[:min(len(args), maxWords)], " "), err, strings.TrimSpace(complaint.String()))
	}
	return string(out), nil
}

// show runs a program of the repository and shows what it prints.
func (c *cluster) show(ctx context.Context, name string, args ...string) error {
	command := exec.CommandContext(ctx, name, args...)
	command.Dir, command.Stdout, command.Stderr = c.root, c.out, c.out
	if err := command.Run(); err != nil {
		return fmt.Errorf("%s %s: %w", name, strings.Join(args, " "), err)
	}
	return nil
}

// images builds both versions of the product and what the world outside is made of, and brings them to
// where the nodes find them.
func (t *test) images(ctx context.Context) error {
	commit, err := t.cluster.program(ctx, "", "git", "rev-parse", "--short=12", "HEAD")
	if err != nil {
		return err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return fmt.Errorf("find the user's cache folder: %w", err)
	}
	for i, suffix := range []string{"a", "b"} {
		t.versions[i] = "e2e-" + strings.TrimSpace(commit) + "-" + suffix
		// Binaries that are up to date there are not linked again.
		dir := filepath.Join(cache, "qingcang", "images-"+suffix)
		args := []string{"run", "./hack/images", "-dir", dir, "-version", t.versions[i]}
		if i == 0 {
			args = append(args, "-test")
		}
		if t.cluster.registry != "" {
			args = append(args, "-push", t.cluster.registry)
		}
		if err := t.cluster.show(ctx, "go", args...); err != nil {
			return err
		}
		if t.cluster.local {
			if err := t.cluster.load(ctx, dir); err != nil {
				return err
			}
		}
	}
	return nil
}

// load puts a folder's images on the node.
func (c *cluster) load(ctx context.Context, dir string) error {
	archives, err := filepath.Glob(filepath.Join(dir, "*.tar"))
	if err != nil {
		return fmt.Errorf("list the images: %w", err)
	}
	_, err = c.program(ctx, "", "go", c.own("load", archives...)...)
	return err
}
