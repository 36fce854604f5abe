package stack

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// FerretDB v1 indexes _ferretdb_sjson->"_id" and looks documents up by
// _ferretdb_sjson->'$._id'. SQLite matches an index by the text of its
// expression, so every find by _id reads the whole collection. One spelling
// makes it 60 times as fast at 8,000 documents; hack/embedded/README.md has
// the figures.
const (
	ferretModule    = "github.com/FerretDB/FerretDB"
	ferretQueryFile = "internal/backends/sqlite/metadata/metadata.go"
	ferretQuery     = `"->'$._id'"`
	ferretIndexed   = `"->'_id'"`
)

// patchFerretDB copies FerretDB's module into the cache, corrects its query,
// and returns a go.mod for the given module that uses the copy. The go command
// refuses to overlay files of its module cache.
func patchFerretDB(ctx context.Context, module string, progress io.Writer) (string, error) {
	offline := []string{"GOWORK=off"}
	if _, err := goOutput(ctx, module, offline, "mod", "download", ferretModule); err != nil {
		return "", err
	}
	source, err := goOutput(ctx, module, offline, "list", "-m", "-f", "{{.Dir}}", ferretModule)
	if err != nil {
		return "", err
	}
	dir, err := cacheDir("ferretdb-" + fingerprint(source, ferretIndexed))
	if err != nil {
		return "", err
	}
	copied := filepath.Join(dir, "module")
	var modfile string
	err = withLock(ctx, dir, progress, func() error {
		if err := copyFerretDB(source, copied); err != nil {
			return fmt.Errorf("copy FerretDB: %w", err)
		}
		modfile, err = writeModfile(module, copied)
		return err
	})
	return modfile, err
}

// copyFerretDB makes the corrected copy, unless it is there. It is renamed into
// its place when it is whole.
func copyFerretDB(source, copied string) error {
	if _, err := os.Stat(copied); err == nil {
		return nil
	}
	partial, err := os.MkdirTemp(filepath.Dir(copied), "partial-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(partial) //nolint:errcheck // a leftover in the cache harms nobody
	if err := os.CopyFS(partial, os.DirFS(source)); err != nil {
		return err
	}
	if err := correctQuery(filepath.Join(partial, ferretQueryFile)); err != nil {
		return err
	}
	return os.Rename(partial, copied)
}

func correctQuery(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if found := strings.Count(string(text), ferretQuery); found != 1 {
		return fmt.Errorf("%s has %s %d times, want once: is this another version of FerretDB?", path, ferretQuery, found)
	}
	return os.WriteFile(path, []byte(strings.Replace(string(text), ferretQuery, ferretIndexed, 1)), 0o644)
}

// writeModfile writes go.mod and go.sum beside the copy, one pair for each
// content, so that two checkouts do not disturb each other.
func writeModfile(module, copied string) (string, error) {
	gomod, err := os.ReadFile(filepath.Join(module, "go.mod"))
	if err != nil {
		return "", err
	}
	gosum, err := os.ReadFile(filepath.Join(module, "go.sum"))
	if err != nil {
		return "", err
	}
	text := fmt.Sprintf("%s\nreplace %s => %q\n", gomod, ferretModule, copied)
	name := fingerprint(text, string(gosum))
	base := filepath.Join(filepath.Dir(copied), name)
	if err := os.WriteFile(base+".sum", gosum, 0o644); err != nil {
		return "", err
	}
	return base + ".mod", os.WriteFile(base+".mod", []byte(text), 0o644)
}
