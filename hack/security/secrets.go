package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
)

// secrets has gitleaks read every file of the tree and every commit.
func secrets(ctx context.Context, root string) (result, error) {
	ctx, cancel := context.WithTimeout(ctx, searchTimeout)
	defer cancel()
	gitleaks, err := tool(ctx, root, "scan", "gitleaks")
	if err != nil {
		return result{}, err
	}
	r, err := inCopy(ctx, root, plantedSecret(), func(folder string) (result, error) {
		files, err := output(exec.CommandContext(ctx, "git", "-C", folder, "ls-files"))
		if err != nil {
			return result{}, err
		}
		found, err := leaks(ctx, gitleaks, root, "dir", folder)
		return result{looked: lines(files), found: found}, err
	})
	if err != nil || plantedSecret() != nil { // nothing is planted in the history
		return r, err
	}
	commits, err := output(exec.CommandContext(ctx, "git", "-C", root, "rev-list", "HEAD"))
	if err != nil {
		return result{}, err
	}
	found, err := leaks(ctx, gitleaks, root, "git", root)
	return result{looked: r.looked + lines(commits), found: append(r.found, found...)}, err
}

// leaks returns what gitleaks finds, without the secrets themselves.
func leaks(ctx context.Context, gitleaks, root, kind, where string) ([]string, error) {
	report, err := output(exec.CommandContext(ctx, gitleaks, kind, where,
		"--config", filepath.Join(root, "hack", "security", "gitleaks.toml"), "--redact", "--no-banner", "--log-level", "error",
		"--exit-code", "0", "--report-format", "json", "--report-path", "-"))
	if err != nil {
		return nil, err
	}
	var all []struct {
		RuleID, Description, File, Commit string
		StartLine                         int
	}
	if err := json.Unmarshal(report, &all); err != nil {
		return nil, fmt.Errorf("read the report of gitleaks: %w", err)
	}
	var found []string
	for _, leak := range all {
		file := leak.File
		if relative, err := filepath.Rel(where, leak.File); err == nil && filepath.IsAbs(leak.File) {
			file = relative
		}
		finding := fmt.Sprintf("%s:%d: %s (%s)", file, leak.StartLine, leak.RuleID, leak.Description)
		if leak.Commit != "" {
			finding += " in commit " + leak.Commit
		}
		found = append(found, finding)
	}
	return found, nil
}
