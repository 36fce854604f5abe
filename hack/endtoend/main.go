// Command endtoend installs the suite on a real Kubernetes and sells on it while things go wrong. The
// script hack/e2e runs it.
//
//	hack/e2e                        on a cluster of this machine, which it brings up if none runs (Linux, root)
//	KUBECONFIG=FILE hack/e2e -registry R    on that cluster, with images pushed to R
//	hack/e2e -run story,drain       only these scenes
//	hack/e2e -keep                  leaves cluster, suite and sales as they are
//
// It ends with "N scenes passed". README.md says what each scene does.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

// wholeLimit bounds everything, a first build of Kubernetes included.
const wholeLimit = 75 * time.Minute

// options are the flags.
type options struct {
	registry, state string
	scenes          []string
	keep            bool
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == postRender { // helm calls this program back
		if err := rewire(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, "e2e: post-renderer:", err)
			os.Exit(1)
		}
		return
	}
	var o options
	flag.StringVar(&o.registry, "registry", "", "`registry` that the cluster of KUBECONFIG pulls from; log in as for docker push")
	flag.StringVar(&o.state, "cluster", "", "`folder` of hack/cluster's state, if it is not the default")
	only := flag.String("run", "", "`scenes` to play, with commas, in place of all: "+strings.Join(sceneNames(), ", "))
	flag.BoolVar(&o.keep, "keep", false, "leave cluster, suite and sales as they are")
	flag.Parse()
	if *only != "" {
		o.scenes = strings.Split(*only, ",")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ctx, cancel := context.WithTimeout(ctx, wholeLimit)
	err := run(ctx, o, os.Stdout)
	cancel()
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		os.Exit(1)
	}
}
