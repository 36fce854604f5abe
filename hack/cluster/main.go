// Command cluster runs a real Kubernetes with one node, with pods, on this
// machine: Linux and root, no Docker, no registry.
//
//	go run ./hack/cluster up             start it, and end when a pod was reached by the name of its Service
//	go run ./hack/cluster status         what runs, since when, the node and the pods
//	go run ./hack/cluster load FILE...   put images (tars of OCI or Docker) on the node
//	go run ./hack/cluster kubeconfig     print the path of the administrator's kubeconfig
//	go run ./hack/cluster pause NAME     a component (status lists them) answers nobody until resume NAME
//	go run ./hack/cluster down           end it, and leave the machine as it was
//
// Each takes -dir FOLDER for another place of its state. The README says how it works.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
)

const usage = "usage: go run ./hack/cluster up|down|status|load|kubeconfig|pause|resume [-dir FOLDER] [FILE...|COMPONENT]"

// Commands that the cluster starts itself with.
const (
	initCommand      = "init"
	superviseCommand = "supervise"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "cluster:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, arguments []string) error {
	if len(arguments) == 0 {
		return errors.New(usage)
	}
	flags := flag.NewFlagSet(arguments[0], flag.ContinueOnError)
	dir := flags.String("dir", "", "`folder` for state and logs; the user's cache folder when empty")
	if err := flags.Parse(arguments[1:]); err != nil {
		return err
	}
	if runtime.GOOS != "linux" || os.Geteuid() != 0 {
		return errors.New("pods are made of the kernel's namespaces: this needs Linux and root")
	}
	place, err := openHome(*dir)
	if err != nil {
		return err
	}
	rest := flags.Args()
	if err := checkRest(arguments[0], rest); err != nil {
		return err
	}
	switch arguments[0] {
	case "up":
		return up(ctx, place, os.Stdout)
	case "down":
		return down(ctx, place, os.Stdout)
	case "status":
		return status(ctx, place, os.Stdout)
	case "load":
		return load(ctx, place, rest, os.Stdout)
	case "kubeconfig":
		if _, err := place.running(); err != nil {
			return err
		}
		fmt.Println(place.kubeconfig())
		return nil
	case "pause":
		return pause(place, rest[0])
	case "resume":
		return resume(place, rest[0])
	case initCommand:
		return runInit(place)
	case superviseCommand:
		return supervise(ctx, place)
	}
	return fmt.Errorf("no command %q; %s", arguments[0], usage)
}

// checkRest refuses what a command does not take: load takes files, pause and resume one component, the others nothing.
func checkRest(command string, rest []string) error {
	switch command {
	case "load":
		return nil
	case "pause", "resume":
		if len(rest) == 1 {
			return nil
		}
		return fmt.Errorf("%s takes one component; %s", command, usage)
	}
	if len(rest) > 0 {
		return fmt.Errorf("%s takes no %q; %s", command, rest[0], usage)
	}
	return nil
}

// openHome is the folder of that name, or the one in the user's cache.
func openHome(dir string) (home, error) {
	if dir == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return home{}, fmt.Errorf("find the user's cache folder: %w", err)
		}
		dir = filepath.Join(cache, "qingcang", "cluster")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return home{}, err
	}
	if strings.ContainsAny(dir, " \t\n\"'") {
		return home{}, fmt.Errorf("%q has spaces or quotes: name a folder that needs no quoting in the configuration of the node", dir)
	}
	if len(dir) > longestHome {
		return home{}, fmt.Errorf("%s is longer than %d bytes: the paths of sockets in it would be too long", dir, longestHome)
	}
	return home{dir: dir}, nil
}
