package field

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"

	"github.com/qingcang/qingcang/hack/internal/release"
)

// The binaries of the order service, by their files.
const (
	thisRelease     = "order"
	previousRelease = "order-previous"
)

// buildPrevious builds the order service as it was. Its tree is unpacked beside the data.
func (f *Field) buildPrevious(ctx context.Context) error {
	tree := f.path("previous")
	if err := makeDir(tree); err != nil {
		return err
	}
	if err := release.Unpack(ctx, f.opts.Root, f.opts.Previous, tree); err != nil {
		return err
	}
	// Trimmed of the folder's name, it is found in the build cache the next time.
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", f.binaries.path(previousRelease), "./services/order/cmd/order")
	build.Dir = tree
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build the previous release: %w\n%s", err, out)
	}
	return nil
}

// Upgrade ends a replica in its own way and has it come back as this release; Downgrade as the one before.
func (f *Field) Upgrade(ctx context.Context, replica string) (time.Duration, error) {
	return f.replace(ctx, replica, thisRelease)
}

// Downgrade is the way back from Upgrade.
func (f *Field) Downgrade(ctx context.Context, replica string) (time.Duration, error) {
	return f.replace(ctx, replica, previousRelease)
}

func (f *Field) replace(ctx context.Context, replica, name string) (took time.Duration, err error) {
	if err := f.AtRest(ctx); err != nil { // as a roll-out waits for the pod before
		return 0, err
	}
	if took, err = f.Retire(replica); err != nil {
		return took, err
	}
	path := f.binaries.path(replica)
	if err := errors.Join(os.Remove(path), os.Symlink(name, path)); err != nil {
		return took, fmt.Errorf("put another release in the place of %s: %w", replica, err)
	}
	if err := f.Release(replica); err != nil {
		return took, err
	}
	return took, f.Back(ctx, replica)
}
