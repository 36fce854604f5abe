package main

import (
	"context"
	"io"
	"path/filepath"

	"github.com/qingcang/qingcang/hack/internal/stack"
)

// pinned are the projects, in hack/cluster/pins, that the cluster is made of,
// besides Kubernetes itself.
func pinned() []stack.Pins {
	static, small := []string{"CGO_ENABLED=0"}, []string{"-ldflags", "-s -w"}
	const (
		containerd = "github.com/containerd/containerd/v2/cmd/"
		plugins    = "github.com/containernetworking/plugins/plugins/"
	)
	return []stack.Pins{
		{Module: "runc", Env: []string{"CGO_ENABLED=1"}, Flags: append([]string{"-tags", "seccomp"}, small...), Packages: map[string]string{
			"runc": "github.com/opencontainers/runc",
		}},
		{Module: "containerd", Env: static, Flags: small, Packages: map[string]string{
			"containerd":              containerd + "containerd",
			"containerd-shim-runc-v2": containerd + "containerd-shim-runc-v2",
			"ctr":                     containerd + "ctr",
		}},
		{Module: "cni", Env: static, Flags: small, Packages: map[string]string{
			"bridge":     plugins + "main/bridge",
			"host-local": plugins + "ipam/host-local",
			"loopback":   plugins + "main/loopback",
			"portmap":    plugins + "meta/portmap",
		}},
		{Module: "coredns", Env: static, Flags: small, Packages: map[string]string{"coredns": "."}},
		{Module: "metrics-server", Env: static, Flags: small, Packages: map[string]string{
			"metrics-server": "sigs.k8s.io/metrics-server/cmd/metrics-server",
		}},
	}
}

// buildPrograms builds what is missing, which takes minutes once, and returns
// the paths by name. "cni" is the folder of the network plugins.
func buildPrograms(ctx context.Context, root string, progress io.Writer) (map[string]string, error) {
	programs := make(map[string]string)
	for _, pins := range append(pinned(), stack.Kubernetes()) {
		built, err := pins.Build(ctx, root, progress)
		if err != nil {
			return nil, err
		}
		for name := range pins.Packages {
			programs[name] = built.Path(name)
		}
	}
	programs["cni"] = filepath.Dir(programs["bridge"])
	return programs, nil
}
