package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/qingcang/qingcang/hack/internal/stack"
)

// stamps are the variables that tell services and operator their version. The linker passes over those of
// packages that a binary does not have.
var stamps = []string{
	modulePrefix + "services/internal/run.stamped",
	modulePrefix + "operators/campaign/internal/version.stamped",
}

// modulePrefix begins the path of each module of this repository.
const modulePrefix = "github.com/qingcang/qingcang/"

// origin is what an image is made of. Nothing else of the machine or the hour gets into it.
type origin struct {
	version, commit string
	// at is the commit's time, which every file and the image itself carry.
	at time.Time
}

// readOrigin asks git; a tree that is not its commit says so in its version.
func readOrigin(ctx context.Context, root, version string) (origin, error) {
	commit, err := command(ctx, root, nil, "git", "rev-parse", "HEAD")
	if err != nil {
		return origin{}, err
	}
	seconds, err := command(ctx, root, nil, "git", "show", "--no-patch", "--format=%ct", "HEAD")
	if err != nil {
		return origin{}, err
	}
	at, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil {
		return origin{}, fmt.Errorf("read the time of the commit: %w", err)
	}
	if version == "" {
		if version, err = command(ctx, root, nil, "git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"); err != nil {
			return origin{}, err
		}
	}
	return origin{version: version, commit: commit, at: time.Unix(at, 0).UTC()}, nil
}

// buildBinaries builds each product as a static binary into dir. What is up to date there is not
// linked again.
func buildBinaries(ctx context.Context, root, dir, arch, version string, all []product, progress io.Writer) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return fmt.Errorf("resolve the folder of the binaries: %w", err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make the folder of the binaries: %w", err)
	}
	packages := map[string][]string{} // by module
	for _, p := range all {
		packages[p.module] = append(packages[p.module], p.pkg)
	}
	for _, module := range slices.Sorted(maps.Keys(packages)) {
		// Settings of the user's own would make another binary of the same commit. One that is empty would be
		// looked up in the file of "go env -w".
		env := []string{"CGO_ENABLED=0", "GOOS=linux", "GOARCH=" + arch, "GOFLAGS=-trimpath", "GOAMD64=v1", "GOARM64=v8.0"}
		args := []string{"build", "-buildvcs=false", "-ldflags", linkFlags(version), "-o", dir + "/"}
		if module != "" {
			modfile, err := stack.EmbeddedModfile(ctx, root, progress)
			if err != nil {
				return err
			}
			env = append(env, "GOWORK=off")
			args = append(args, "-modfile", modfile, "-tags", stack.EmbeddedTags)
		}
		if _, err := command(ctx, filepath.Join(root, module), env, "go", append(args, packages[module]...)...); err != nil {
			return err
		}
	}
	return nil
}

// linkFlags leave out the tables for debuggers and put the version in.
func linkFlags(version string) string {
	flags := "-s -w"
	for _, variable := range stamps {
		flags += " -X " + variable + "=" + version
	}
	return flags
}

// command runs a program and returns what it prints; its complaint is the error.
func command(ctx context.Context, dir string, env []string, name string, args ...string) (string, error) {
	c := exec.CommandContext(ctx, name, args...)
	c.Dir, c.Env = dir, append(os.Environ(), env...)
	var complaint bytes.Buffer
	c.Stderr = &complaint
	out, err := c.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w: %s", name, args[0], err, strings.TrimSpace(complaint.String()))
	}
	return strings.TrimSpace(string(out)), nil
}
