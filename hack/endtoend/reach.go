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
	// forwardPause lies between two tries to get a way into the cluster back: its pod may be gone.
	forwardPause = 200 * time.Millisecond
)

// reach is host:port by which this machine reaches a Service: the Service's own address where the node
// is this machine, else a port of this machine that kubectl forwards, for as long as the test runs.
func (c *cluster) reach(ctx context.Context, in, service string, port int) (string, error) {
	if c.local {
		ip, err := c.Kubectl(ctx, "", "--namespace", in, "get", "service", service, "--output=jsonpath={.spec.clusterIP}")
		if err != nil {
			return "", err
		}
		return fmt.Sprintf("%s:%d", strings.TrimSpace(ip), port), nil
	}
	free, err := stack.FreePorts(1)
	if err != nil {
		return "", err
	}
	c.forwarding.Go(func() { c.forward(in, service, fmt.Sprintf("%d:%d", free[0], port)) })
	return fmt.Sprintf("127.0.0.1:%d", free[0]), nil
}

// forward keeps one way open: kubectl forwards to one pod and ends with it.
func (c *cluster) forward(in, service, ports string) {
	for c.until.Err() == nil {
		command := exec.CommandContext(c.until, c.kubectl, "--namespace", in, "port-forward", "service/"+service, ports)
		command.Env = c.environment()
		_ = command.Run() // it always ends with an error; who needs the way asks again until it is back
		select {
		case <-c.until.Done():
		case <-time.After(forwardPause):
		}
	}
}

// url is reach for HTTP.
func (c *cluster) url(ctx context.Context, in, service string) (string, error) {
	address, err := c.reach(ctx, in, service, httpPort)
	return "http://" + address, err
}
