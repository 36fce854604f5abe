package field

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/qingcang/qingcang/hack/internal/stack"
)

// binaries are what a field runs.
type binaries struct {
	embedded stack.Binaries
	dir      string // of our own
}

func (b binaries) path(name string) string { return filepath.Join(b.dir, name) }

// build builds the order service, with its bug if one is planted, and what stands around it. Each
// replica has a name of its own for the same file: by that name the broker tells them apart.
func (f *Field) build(ctx context.Context) error {
	var err error
	if f.binaries.embedded, err = stack.BuildEmbedded(ctx, f.opts.Root, f.opts.Progress); err != nil {
		return err
	}
	f.binaries.dir = f.path("bin")
	if err := makeDir(f.binaries.dir); err != nil {
		return err
	}
	args := []string{"build", "-ldflags=-s -w", "-o", f.binaries.dir + "/"}
	if f.opts.Mutant != "" {
		args = append(args, "-tags", "mutant_"+f.opts.Mutant)
	}
	command := exec.CommandContext(ctx, "go", append(args, "./services/order/cmd/order", "./hack/sim", "./hack/proxy")...)
	command.Dir = f.opts.Root
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("build: %w\n%s", err, out)
	}
	first := thisRelease
	if f.opts.Previous != "" {
		first = previousRelease
		if err := f.buildPrevious(ctx); err != nil {
			return err
		}
	}
	for _, name := range Replicas {
		if err := os.Symlink(first, f.binaries.path(name)); err != nil {
			return fmt.Errorf("name a replica: %w", err)
		}
	}
	return nil
}
