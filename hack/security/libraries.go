package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

const (
	// ownModules begins the paths of the suite's own modules and packages.
	ownModules = "github.com/qingcang/qingcang/"
	// databaseVariable names another database than the committed advisories: a folder, or an address such
	// as https://vuln.go.dev.
	databaseVariable = "QINGCANG_VULNDB"
)

// libraries has govulncheck follow every call of the workspace into functions with known holes.
func libraries(ctx context.Context, root string) (r result, err error) {
	ctx, cancel := context.WithTimeout(ctx, searchTimeout)
	defer cancel()
	govulncheck, err := tool(ctx, root, "scan", "govulncheck")
	if err != nil {
		return result{}, err
	}
	planted, packages := plantedHole()
	if other := os.Getenv(databaseVariable); other != "" && planted == "" {
		return calls(ctx, govulncheck, root, other, packages, nil)
	}
	known, err := readAdvisories(root)
	if err != nil {
		return result{}, err
	}
	if planted != "" {
		known.advisories = append(known.advisories, []byte(planted))
	}
	folder, err := os.MkdirTemp("", "qingcang-advisories-")
	if err != nil {
		return result{}, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	if err := known.unpack(folder); err != nil {
		return result{}, err
	}
	return calls(ctx, govulncheck, root, folder, packages, known.modules)
}

// message is what govulncheck says in its JSON stream, as far as it is needed here.
type message struct {
	SBOM *struct {
		Modules []struct{ Path string }
	}
	Finding *struct {
		OSV          string
		FixedVersion string `json:"fixed_version"`
		// Trace leads from the faulty function, if it is called, to the caller.
		Trace []struct{ Module, Version, Package, Function string }
	}
}

// calls are the known holes that packages call. Where the database is about some modules only, one that it is
// not about is a finding, too: nobody has looked for holes in it.
func calls(ctx context.Context, govulncheck, root, database, packages string, about []string) (result, error) {
	if !strings.Contains(database, "://") {
		absolute, err := filepath.Abs(database)
		if err != nil {
			return result{}, err
		}
		database = "file://" + filepath.ToSlash(absolute)
	}
	run := exec.CommandContext(ctx, govulncheck, "-format", "json", "-db", database, packages) //nolint:gosec // who starts this names the database
	run.Dir = filepath.Join(root, "hack")                                                      // govulncheck starts in a module only; the packages may be another's
	said, err := output(run)
	if err != nil {
		return result{}, err
	}
	var r result
	decoder := json.NewDecoder(bytes.NewReader(said))
	for {
		var m message
		switch err := decoder.Decode(&m); {
		case errors.Is(err, io.EOF):
			return r, nil
		case err != nil:
			return result{}, fmt.Errorf("read the report of govulncheck: %w", err)
		}
		r.take(m, about)
	}
}

func (r *result) take(m message, about []string) {
	if m.SBOM != nil {
		for _, module := range m.SBOM.Modules {
			r.looked++
			if about != nil && module.Path != "stdlib" && !strings.HasPrefix(module.Path, ownModules) && !slices.Contains(about, module.Path) {
				r.found = append(r.found, module.Path+": the advisories were not asked about this module: renew them (hack/security/README.md)")
			}
		}
	}
	if f := m.Finding; f != nil && len(f.Trace) > 0 && f.Trace[0].Function != "" {
		hole, caller := f.Trace[0], f.Trace[len(f.Trace)-1]
		finding := fmt.Sprintf("%s: %s.%s calls %s.%s of %s", f.OSV, caller.Package, caller.Function, hole.Package, hole.Function, hole.Version)
		if f.FixedVersion != "" {
			finding += ", fixed in " + f.FixedVersion
		}
		r.found = append(r.found, finding)
	}
}
