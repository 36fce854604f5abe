package stack

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Binaries is a directory of built commands.
type Binaries struct{ dir string }

// Path returns where the command of that name stands.
func (b Binaries) Path(name string) string { return filepath.Join(b.dir, name) }

// products are the packages of go.work that a stack runs. Each binary has the
// name of its folder; the operator's is "manager".
var products = []string{
	"./services/brand-intake/cmd/brand-intake",
	"./services/catalog/cmd/catalog",
	"./services/store-owner/cmd/store-owner",
	"./services/order/cmd/order",
	"./services/fulfilment/cmd/fulfilment",
	"./operators/campaign/cmd/manager",
	"./hack/sim",
	"./hack/proxy",
}

// Build builds everything that a stack runs except the control plane, from the
// tree at root into the user's cache, and tells progress what takes long.
func Build(ctx context.Context, root string, progress io.Writer) (Binaries, error) {
	binaries, err := BuildEmbedded(ctx, root, progress)
	if err != nil {
		return Binaries{}, err
	}
	err = withLock(ctx, binaries.dir, progress, func() error {
		return step(progress, "building the services, the operator and the simulators", func() error {
			return goBuild(ctx, root, nil, append([]string{"-o", binaries.dir + "/"}, products...)...)
		})
	})
	return binaries, err
}

// binariesPrefix begins the name of each checkout's directory of binaries.
const binariesPrefix = "bin-"

// BuildEmbedded builds the embedded database and broker alone.
func BuildEmbedded(ctx context.Context, root string, progress io.Writer) (Binaries, error) {
	dir, err := cacheDir(binariesPrefix + fingerprint(root))
	if err != nil {
		return Binaries{}, err
	}
	if err := claim(dir, root); err != nil {
		return Binaries{}, err
	}
	binaries := Binaries{dir: dir}
	err = withLock(ctx, dir, progress, func() error {
		return step(progress, "building the embedded database and broker", func() error {
			return buildEmbedded(ctx, root, dir, progress)
		})
	})
	return binaries, err
}

func buildEmbedded(ctx context.Context, root, dir string, progress io.Writer) error {
	modfile, err := EmbeddedModfile(ctx, root, progress)
	if err != nil {
		return err
	}
	return goBuild(ctx, embeddedModule(root), []string{"GOWORK=off"},
		"-modfile", modfile, "-tags", EmbeddedTags, "-o", dir+"/", "./cmd/...")
}

// EmbeddedTags leave out of the embedded database what is not used.
const EmbeddedTags = "ferretdb_no_postgresql"

// EmbeddedModfile is the go.mod by which the embedded database and broker are built: it stands in the
// cache and names a corrected copy of FerretDB there.
func EmbeddedModfile(ctx context.Context, root string, progress io.Writer) (string, error) {
	return patchFerretDB(ctx, embeddedModule(root), progress)
}

func embeddedModule(root string) string { return filepath.Join(root, "hack", "embedded") }

// goBuild runs "go build" in dir.
func goBuild(ctx context.Context, dir string, env []string, args ...string) error {
	_, err := goOutput(ctx, dir, env, append([]string{"build"}, args...)...)
	return err
}

// goOutput runs the go command and returns what it prints. Its complaints are
// the error, whole: a compiler's first line is rarely the one that helps.
func goOutput(ctx context.Context, dir string, env []string, args ...string) (string, error) {
	command := exec.CommandContext(ctx, "go", args...)
	command.Dir = dir
	command.Env = append(os.Environ(), env...)
	var complaints bytes.Buffer
	command.Stderr = &complaints
	output, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("go %s in %s: %w\n%s", args[0], dir, err, strings.TrimSpace(complaints.String()))
	}
	return strings.TrimSpace(string(output)), nil
}
