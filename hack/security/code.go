package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
)

// Linters that look for what can be attacked, or is wrong; .golangci.yaml says with reasons what of them
// does not count here. golangci-lint brings both, so that they read the tree once.
const linters = "gosec,staticcheck"

// code has gosec and staticcheck read every package of the workspace; with a bug planted, only that one.
func code(ctx context.Context, root string) (result, error) {
	ctx, cancel := context.WithTimeout(ctx, searchTimeout)
	defer cancel()
	lint, err := tool(ctx, root, "lint", "golangci-lint")
	if err != nil {
		return result{}, err
	}
	if files, folder := plantedCode(); files != nil {
		return inCopy(ctx, root, files, func(root string) (result, error) { return issues(ctx, lint, root, "./"+folder) })
	}
	modules, err := workspace(ctx, root)
	if err != nil {
		return result{}, err
	}
	for i, folder := range modules {
		modules[i] = "./" + folder + "/..."
	}
	return issues(ctx, lint, root, modules...)
}

// issues are what the linters say of packages.
func issues(ctx context.Context, lint, root string, packages ...string) (result, error) {
	list := exec.CommandContext(ctx, "go", append([]string{"list"}, packages...)...)
	list.Dir = root
	names, err := output(list)
	if err != nil {
		return result{}, err
	}
	run := exec.CommandContext(ctx, lint, append([]string{
		"run", "--enable-only", linters, "--issues-exit-code", "0", "--show-stats=false", "--output.json.path", "stdout", "--output.text.path", "/dev/null",
	}, packages...)...)
	run.Dir = root
	report, err := output(run)
	if err != nil {
		return result{}, err
	}
	var said struct {
		Issues []struct {
			FromLinter, Text string
			Pos              struct {
				Filename string
				Line     int
			}
		}
	}
	if err := json.Unmarshal(report, &said); err != nil {
		return result{}, fmt.Errorf("read the report of golangci-lint: %w", err)
	}
	r := result{looked: lines(names)}
	for _, i := range said.Issues {
		issue := fmt.Sprintf("%s:%d: %s (%s)", i.Pos.Filename, i.Pos.Line, i.Text, i.FromLinter)
		if i.FromLinter == "typecheck" {
			return result{}, fmt.Errorf("what does not compile cannot be judged: %s", issue)
		}
		r.found = append(r.found, issue)
	}
	return r, nil
}

// workspace returns the folders of the modules of go.work.
func workspace(ctx context.Context, root string) ([]string, error) {
	list := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}")
	list.Dir = root
	said, err := output(list)
	if err != nil {
		return nil, err
	}
	var folders []string
	for folder := range strings.Lines(string(said)) {
		folders = append(folders, strings.TrimPrefix(strings.TrimSpace(folder), root+"/"))
	}
	return folders, nil
}
