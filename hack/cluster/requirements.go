package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

// requirement is something that the machine must have.
type requirement struct {
	what string
	met  func() bool
	pkg  string // Debian's package that brings it
}

func program(name string) func() bool {
	return func() bool {
		_, err := exec.LookPath(name)
		return err == nil
	}
}

// runRequirements are needed to run a cluster.
func runRequirements() []requirement {
	return []requirement{
		{what: "ip, to give the node a network", met: program("ip"), pkg: "iproute2"},
		{what: "nft, with which kube-proxy leads to Services", met: program("nft"), pkg: "nftables"},
		{what: "mount, with which the kubelet mounts volumes", met: program("mount"), pkg: "mount"},
	}
}

// buildRequirements are needed to build runc, once.
func buildRequirements() []requirement {
	return []requirement{
		{what: "gcc, to build runc", met: program("gcc"), pkg: "gcc"},
		{what: "pkg-config, to build runc", met: program("pkg-config"), pkg: "pkg-config"},
		{what: "the headers of libseccomp, to build runc", pkg: "libseccomp-dev", met: func() bool {
			return exec.Command("pkg-config", "--exists", "libseccomp").Run() == nil
		}},
		{what: "the headers of the C library, to build runc", pkg: "libc6-dev", met: func() bool {
			_, err := os.Stat("/usr/include/stdlib.h")
			return err == nil
		}},
	}
}

// require installs what is missing where Debian's apt-get is there, and else
// says what to install.
func require(ctx context.Context, progress io.Writer, requirements []requirement) error {
	var whats, pkgs []string
	for _, r := range requirements {
		if !r.met() {
			whats, pkgs = append(whats, r.what), append(pkgs, r.pkg)
		}
	}
	if len(pkgs) == 0 {
		return nil
	}
	missing := fmt.Sprintf("this machine lacks %s", strings.Join(whats, "; "))
	if !program("apt-get")() {
		return fmt.Errorf("%s (Debian's packages %s); install them", missing, strings.Join(pkgs, ", "))
	}
	fmt.Fprintf(progress, "%s: installing %s with apt-get\n", missing, strings.Join(pkgs, " "))
	if err := each(ctx, "apt-get update -qq"); err != nil {
		fmt.Fprintln(progress, "the list of packages could not be renewed; going on with the old one")
	}
	command := "env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends " + strings.Join(pkgs, " ")
	if err := each(ctx, command); err != nil {
		return fmt.Errorf("%s, and they could not be installed: %w", missing, err)
	}
	for _, r := range requirements {
		if !r.met() {
			return fmt.Errorf("%s was installed, and this machine still lacks %s", r.pkg, r.what)
		}
	}
	return nil
}

// requireNetwork refuses a machine that uses the cluster's networks, and a kernel
// without the rules of Services.
func requireNetwork(ctx context.Context) error {
	if link, err := output(ctx, nil, "ip", "link", "show", machineLink); err == nil {
		_, folder, _ := strings.Cut(link, "alias ")
		return fmt.Errorf("a cluster is up in %s, and a machine can have one; take that down first", folder)
	}
	for _, network := range []string{linkRange, podRange, serviceRange} {
		routes, err := output(ctx, nil, "ip", "-4", "route", "show", "root", network)
		if err != nil {
			return err
		}
		if routes != "" {
			return fmt.Errorf("this machine routes %s already (%s), and the cluster needs it", network, routes)
		}
	}
	if _, err := output(ctx, nil, "nft", "list", "tables"); err != nil {
		return fmt.Errorf("this kernel has no nftables, with which kube-proxy leads to Services: %w", err)
	}
	if _, err := os.Stat("/proc/sys/net/bridge/bridge-nf-call-iptables"); err == nil {
		return nil
	}
	if err := each(ctx, "modprobe br_netfilter"); err != nil {
		return errors.New("this kernel has no br_netfilter, without which two pods of one node do not meet through a Service")
	}
	return nil
}
