package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"slices"
	"strings"
	"time"
)

// What a cluster has of the machine itself: a link to the node's network with
// routes over it, one table of nftables, forwarding, a tree of cgroups, and
// folders to mount over. Everything else lives in namespaces that end with it.

const (
	machineLink = "qingcang0" // the machine's end
	nodeLink    = "qingcang1" // the node's end, in its namespace
	natTable    = "qingcang_cluster"
	// gone bounds the wait for what the kernel takes away a little later.
	gone = 20 * time.Second
)

// forwarding is the one setting of the machine that is changed: without it pods
// reach the machine, and nothing beyond it.
const forwarding = "/proc/sys/net/ipv4/ip_forward"

// fixedFolders are written to by programs that cannot be told another place. The
// node mounts empty ones over them.
func fixedFolders() []string {
	return []string{"/run/containerd", "/var/lib/cni", "/var/lib/kubelet", "/var/log/containers"}
}

// borrowed is written down before it is taken, so that "down" can give it back
// whatever happened since.
func (h home) borrowed() string { return h.path("borrowed") }

// borrow prepares the machine; giveBack undoes it.
func (h home) borrow(ctx context.Context) error {
	var notes []string
	for _, folder := range fixedFolders() {
		if _, err := os.Stat(folder); errors.Is(err, fs.ErrNotExist) {
			notes = append(notes, folder)
		}
	}
	setting, err := os.ReadFile(forwarding)
	if err != nil {
		return err
	}
	if strings.TrimSpace(string(setting)) == "0" {
		notes = append(notes, forwarding)
	}
	if err := os.WriteFile(h.borrowed(), []byte(strings.Join(notes, "\n")), 0o600); err != nil {
		return err
	}
	for _, folder := range fixedFolders() {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return err
		}
	}
	if err := os.WriteFile(forwarding, []byte("1"), 0o600); err != nil {
		return fmt.Errorf("let the machine forward: %w", err)
	}
	if err := h.makeCgroups(); err != nil {
		return fmt.Errorf("make the cgroups of the cluster: %w", err)
	}
	return each(ctx,
		"ip link add "+machineLink+" type veth peer name "+nodeLink,
		"ip link set "+machineLink+" alias "+h.dir, // for whom another cluster is refused
		"ip addr add "+machineIP+"/30 dev "+machineLink,
		"ip link set "+machineLink+" up",
		"ip route add "+podRange+" via "+nodeIP,
		"ip route add "+serviceRange+" via "+nodeIP,
		"nft add table ip "+natTable,
		"nft add chain ip "+natTable+" postrouting { type nat hook postrouting priority srcnat ; }",
		"nft add rule ip "+natTable+" postrouting ip saddr "+linkRange+" oifname != "+machineLink+" masquerade",
	)
}

// giveBack undoes borrow, or the part of it that was done. Without a note there
// is nothing of this cluster, and what is found belongs to another.
func (h home) giveBack(ctx context.Context) error {
	notes, err := os.ReadFile(h.borrowed())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	failures := []error{err, removeLink(ctx, machineLink)}
	if _, err := output(ctx, nil, "nft", "list", "table", "ip", natTable); err == nil {
		failures = append(failures, each(ctx, "nft delete table ip "+natTable))
	}
	failures = append(failures, h.removeCgroups(ctx))
	for _, note := range strings.Fields(string(notes)) {
		if note == forwarding {
			failures = append(failures, os.WriteFile(forwarding, []byte("0"), 0o600))
			continue
		}
		if err := os.Remove(note); err != nil && !errors.Is(err, fs.ErrNotExist) {
			failures = append(failures, err)
		}
	}
	return errors.Join(failures...)
}

// removeLink sees to it that there is no link of this name. The kernel removes one
// end of a link when it buries the network of the other, at a time of its own
// after the node's death: a deletion that comes too late has nothing to complain of.
func removeLink(ctx context.Context, name string) error {
	refused := each(ctx, "ip link del "+name)
	if refused == nil {
		return nil
	}
	links, err := net.Interfaces()
	if err != nil {
		return errors.Join(refused, err)
	}
	if slices.ContainsFunc(links, func(l net.Interface) bool { return l.Name == name }) {
		return refused
	}
	return nil
}
