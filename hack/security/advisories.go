package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

const (
	// moduleList and advisoryList stand in the folder advisories beside this file.
	moduleList   = "modules.txt"
	advisoryList = "advisories.jsonl"
	// maxAdvisory bounds one line of the list; the longest has some 40 KiB.
	maxAdvisory = 4 << 20
)

// Modules whose advisories are about the Go distribution and not in any go.sum.
var distribution = []string{"stdlib", "toolchain"}

func advisoryFolder(root string) string {
	return filepath.Join(root, "hack", "security", "advisories")
}

// header is the first line of the list.
type header struct {
	Source string `json:"source"`
	// Date is the day of the copy that the advisories were taken from.
	Date string `json:"date"`
}

// advisories are those of vuln.go.dev about the modules of the repository, in the OSV format.
type advisories struct {
	header
	// modules are all that were asked about, those without an advisory too.
	modules    []string
	advisories []json.RawMessage
}

// advisory is the part of OSV that the scan needs; descriptions and references are left out of the list.
type advisory struct {
	SchemaVersion string          `json:"schema_version"`
	ID            string          `json:"id"`
	Modified      string          `json:"modified"`
	Published     string          `json:"published"`
	Withdrawn     string          `json:"withdrawn,omitempty"`
	Aliases       []string        `json:"aliases,omitempty"`
	Summary       string          `json:"summary,omitempty"`
	Affected      []affected      `json:"affected"`
	Database      json.RawMessage `json:"database_specific,omitempty"`
}

type affected struct {
	Package struct {
		Name      string `json:"name"`
		Ecosystem string `json:"ecosystem"`
	} `json:"package"`
	Ranges   json.RawMessage `json:"ranges,omitempty"`
	Specific json.RawMessage `json:"ecosystem_specific,omitempty"`
}

// readAdvisories reads what is committed.
func readAdvisories(root string) (advisories, error) {
	var a advisories
	modules, err := os.ReadFile(filepath.Join(advisoryFolder(root), moduleList))
	if err != nil {
		return a, err
	}
	a.modules = strings.Fields(string(modules))
	list, err := os.ReadFile(filepath.Join(advisoryFolder(root), advisoryList))
	if err != nil {
		return a, err
	}
	scanner := bufio.NewScanner(bytes.NewReader(list))
	scanner.Buffer(nil, maxAdvisory)
	for scanner.Scan() {
		if a.Source == "" {
			if err := json.Unmarshal(scanner.Bytes(), &a.header); err != nil {
				return a, fmt.Errorf("read the head of %s: %w", advisoryList, err)
			}
			continue
		}
		a.advisories = append(a.advisories, bytes.Clone(scanner.Bytes()))
	}
	return a, scanner.Err()
}

// unpack writes the advisories as a database that govulncheck reads (https://go.dev/doc/security/vuln/database).
func (a advisories) unpack(folder string) error {
	type entry struct {
		ID       string `json:"id"`
		Modified string `json:"modified"`
	}
	modified := a.Date + "T00:00:00Z"
	about := map[string][]entry{}
	files := map[string]any{"index/db.json": map[string]string{"modified": modified}}
	for _, raw := range a.advisories {
		var one advisory
		if err := json.Unmarshal(raw, &one); err != nil {
			return fmt.Errorf("read an advisory: %w", err)
		}
		for _, of := range one.Affected {
			if entries := about[of.Package.Name]; len(entries) == 0 || entries[len(entries)-1].ID != one.ID {
				about[of.Package.Name] = append(entries, entry{one.ID, one.Modified})
			}
		}
		files["ID/"+one.ID+".json"] = raw
	}
	index := make([]map[string]any, 0, len(about))
	for _, path := range slices.Sorted(maps.Keys(about)) {
		index = append(index, map[string]any{"path": path, "vulns": about[path]})
	}
	files["index/modules.json"] = index
	for name, content := range files {
		data, err := json.Marshal(content)
		if err != nil {
			return err
		}
		if err := write(filepath.Join(folder, filepath.FromSlash(name)), data); err != nil {
			return err
		}
	}
	return nil
}

func write(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o644)
}

// renewAdvisories takes those about the repository's modules from a copy of the database.
func renewAdvisories(ctx context.Context, root, from, date string) error {
	modules, err := requiredModules(ctx, root)
	if err != nil {
		return err
	}
	list, err := json.Marshal(header{Source: "https://vuln.go.dev", Date: date})
	if err != nil {
		return err
	}
	paths, err := filepath.Glob(filepath.Join(from, "ID", "*.json"))
	if err != nil || len(paths) == 0 {
		return errors.Join(err, fmt.Errorf("%s is no copy of the database: it has no ID/*.json", from))
	}
	taken := 0
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		var one advisory
		if err := json.Unmarshal(data, &one); err != nil {
			return fmt.Errorf("read %s: %w", path, err)
		}
		if !slices.ContainsFunc(one.Affected, func(of affected) bool { return slices.Contains(modules, of.Package.Name) }) {
			continue
		}
		line, err := json.Marshal(one)
		if err != nil {
			return err
		}
		list = append(append(list, '\n'), line...)
		taken++
	}
	fmt.Printf("%d advisories about %d modules\n", taken, len(modules))
	err = write(filepath.Join(advisoryFolder(root), moduleList), []byte(strings.Join(modules, "\n")+"\n"))
	return errors.Join(err, write(filepath.Join(advisoryFolder(root), advisoryList), append(list, '\n')))
}

// requiredModules are those of every go.sum of the repository, and the distribution's.
func requiredModules(ctx context.Context, root string) ([]string, error) {
	files, err := output(exec.CommandContext(ctx, "git", "-C", root, "ls-files", "-co", "--exclude-standard", "*go.sum"))
	if err != nil {
		return nil, err
	}
	modules := slices.Clone(distribution)
	for _, file := range strings.Fields(string(files)) {
		sums, err := os.ReadFile(filepath.Join(root, file))
		if errors.Is(err, fs.ErrNotExist) {
			continue // taken away, and not committed yet
		}
		if err != nil {
			return nil, err
		}
		for line := range strings.Lines(string(sums)) {
			if path, _, ok := strings.Cut(line, " "); ok {
				modules = append(modules, path)
			}
		}
	}
	slices.Sort(modules)
	return slices.Compact(modules), nil
}
