package main

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"github.com/qingcang/qingcang/hack/internal/stack"
)

const (
	// httpPort is what Services of the suite and the simulators listen on.
	httpPort = 80
	// wayPort is what a way's relay listens on: pods may not take ports under 1024 everywhere.
	wayPort = 8080
	// forwardPause lies between two tries to get a way into the cluster back.
	forwardPause = 200 * time.Millisecond
)

// way is a relay in the cluster, before a Service that this machine does not reach.
type way struct {
	Name, Namespace, Images, Version, To string
	Port                                 int
}

// reach is host:port by which this machine reaches a Service: the Service's own address where the node
// is this machine, else a port of this machine that leads to a relay before it, for as long as the test runs.
func (t *test) reach(ctx context.Context, in, service string, port int) (string, error) {
	c := t.cluster
	if c.local {
		ip, err := c.Kubectl(ctx, "", "--namespace", in, "get", "service", service, "--output=jsonpath={.spec.clusterIP}")
		if err != nil {
			return "", err
		}
		return fmt.Sprintf("%s:%d", strings.TrimSpace(ip), port), nil
	}
	relay := way{
		Name: "way-" + service, Namespace: outsideNamespace, Images: c.testImages(), Version: t.versions[0],
		To: fmt.Sprintf("%s.%s.svc.cluster.local:%d", service, in, port), Port: wayPort,
	}
	manifest, err := render("way.yaml", relay)
	if err != nil {
		return "", err
	}
	if _, err := c.Kubectl(ctx, manifest, "apply", "-f", "-"); err != nil {
		return "", err
	}
	if _, err := c.Kubectl(ctx, "", "--namespace", relay.Namespace, "wait", "--for=condition=Ready", "--timeout=60s", "pod/"+relay.Name); err != nil {
		return "", err
	}
	free, err := stack.FreePorts(1)
	if err != nil {
		return "", err
	}
	c.forwarding.Go(func() { c.forward(relay, free[0]) })
	return fmt.Sprintf("127.0.0.1:%d", free[0]), nil
}

// forward keeps a way open: kubectl ends when its connection to the API server breaks.
func (c *cluster) forward(to way, port int) {
	for c.until.Err() == nil {
		command := exec.CommandContext(c.until, c.kubectl, "--namespace", to.Namespace, "port-forward", "pod/"+to.Name, fmt.Sprintf("%d:%d", port, to.Port))
		command.Env = c.environment()
		_ = command.Run() // it always ends with an error; who needs the way asks again until it is back
		select {
		case <-c.until.Done():
		case <-time.After(forwardPause):
		}
	}
}

// url is reach for HTTP.
func (t *test) url(ctx context.Context, in, service string) (string, error) {
	address, err := t.reach(ctx, in, service, httpPort)
	return "http://" + address, err
}
