package stack

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// Pins are programs of one project that are built from source at the versions
// which a module of hack/cluster/pins requires. Those modules stand outside
// go.work: none shall choose the versions of another, or the product's.
type Pins struct {
	// Module is the folder in hack/cluster/pins.
	Module string
	// Packages are the programs by name, and what each is built from.
	Packages map[string]string
	// Env and Flags are added to "go build".
	Env, Flags []string
	// cache is the folder in the user's cache; when empty it is named for what
	// the module requires.
	cache string
}

// Kubernetes is the pinned control plane, the programs of a node, the store and
// the client.
func Kubernetes() Pins {
	const cmd = "k8s.io/kubernetes/cmd/"
	return Pins{
		Module: "kube",
		Packages: map[string]string{
			"etcd":                    "go.etcd.io/etcd/server/v3",
			"kube-apiserver":          cmd + "kube-apiserver",
			"kube-controller-manager": cmd + "kube-controller-manager",
			"kube-proxy":              cmd + "kube-proxy",
			"kube-scheduler":          cmd + "kube-scheduler",
			"kubectl":                 cmd + "kubectl",
			"kubelet":                 cmd + "kubelet",
		},
		Env:   []string{"CGO_ENABLED=0"},
		Flags: []string{"-ldflags", versionFlags()},
		cache: "kube-v" + KubeVersion,
	}
}

// Build builds those of the named programs, or of all, that are missing into the
// user's cache, and tells progress what takes long.
func (p Pins) Build(ctx context.Context, root string, progress io.Writer, names ...string) (Binaries, error) {
	dir, err := p.dir(root)
	if err != nil {
		return Binaries{}, err
	}
	if len(names) == 0 {
		names = slices.Sorted(maps.Keys(p.Packages))
	}
	err = withLock(ctx, dir, progress, func() error {
		for _, name := range names {
			if err := p.build(ctx, root, dir, name, progress); err != nil {
				return err
			}
		}
		return nil
	})
	return Binaries{dir: dir}, err
}

// dir is where the programs stand: a change of a requirement makes it another.
func (p Pins) dir(root string) (string, error) {
	if p.cache != "" {
		return cacheDir(p.cache)
	}
	required, err := os.ReadFile(filepath.Join(p.source(root), "go.mod"))
	if err != nil {
		return "", fmt.Errorf("read what %s requires: %w", p.Module, err)
	}
	return cacheDir(p.Module + "-" + fingerprint(string(required), fmt.Sprint(p.Packages, p.Env, p.Flags)))
}

func (p Pins) source(root string) string {
	return filepath.Join(root, "hack", "cluster", "pins", p.Module)
}

// build builds one program beside its place and renames it when it is whole: an
// interrupted build leaves nothing that looks finished.
func (p Pins) build(ctx context.Context, root, dir, name string, progress io.Writer) error {
	target := filepath.Join(dir, name)
	if executable(target) {
		return nil
	}
	partial := filepath.Join(dir, "."+name+".partial")
	err := step(progress, fmt.Sprintf("building %s (hack/cluster/pins/%s)", name, p.Module), func() error {
		arguments := append([]string{"-o", partial}, p.Flags...)
		return goBuild(ctx, p.source(root), append([]string{"GOWORK=off"}, p.Env...), append(arguments, p.Packages[name])...)
	})
	if err != nil {
		return err
	}
	return os.Rename(partial, target)
}

// BuildStatic builds commands of the workspace, as programs that need no
// library of the machine, into a folder.
func BuildStatic(ctx context.Context, root, dir string, packages ...string) error {
	arguments := append([]string{"-ldflags", "-s -w", "-o", dir + "/"}, packages...)
	return goBuild(ctx, root, []string{"CGO_ENABLED=0"}, arguments...)
}
