package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Bounds of one run of one test.
const (
	ciTimeout   = 10 * time.Minute
	fullTimeout = 4 * time.Hour
	// tailLines of a failed test are shown.
	tailLines = 12
	// shownViolations of a check are: a proof and a siege end soon after their first ones.
	shownViolations = 10
)

// prover runs tests.
type prover struct {
	root, dir string
	full      bool
	kafka     bool
	seed      uint64
	addresses []string // of a stack, as KEY=value
	binaries  map[build]string
	progress  io.Writer

	building sync.Mutex
	built    bool // hack/siege
}

// build is a test binary: a package, with the tags that it needs, and with a bug planted or none.
type build struct{ pkg, tags, mutant string }

// outcome is what one run of a test came to.
type outcome struct {
	Trials     int     `json:"trials"`
	Violations int     `json:"violations"`
	Seed       string  `json:"seed"`
	Seconds    float64 `json:"seconds"`
	// Fault is why there is no verdict or a bad one; empty if the test passed.
	Fault string `json:"fault,omitempty"`
	// Violated are the test's own words for its first violations.
	Violated []string `json:"violated,omitempty"`

	printed bool // the line that tells the rest
}

// result is a check with all its runs.
type result struct {
	check
	outcome
	Target  int             `json:"target"`
	Planted []plantedResult `json:"planted"`
}

type plantedResult struct {
	Bug    string `json:"bug"`
	Caught bool   `json:"caught"`
	// Trials is how many it took, all workers together.
	Trials int    `json:"trials"`
	Fault  string `json:"fault,omitempty"`
}

// prove runs a check as it is, and once with each bug planted.
func (p *prover) prove(ctx context.Context, c check) result {
	r := result{check: c, outcome: p.run(ctx, c, ""), Target: c.target(p.full)}
	if r.Fault == "" && r.Trials < r.Target {
		r.Fault = fmt.Sprintf("%d trials of %d", r.Trials, r.Target)
	}
	for _, mutant := range c.mutants {
		o := p.run(ctx, c, mutant)
		planted := plantedResult{Bug: mutant, Trials: o.Trials, Caught: o.printed && o.Violations > 0 && o.Fault != ""}
		if !planted.Caught {
			planted.Fault = "the test passes with the bug"
			if o.Fault != "" {
				planted.Fault = o.Fault
			}
		}
		r.Planted = append(r.Planted, planted)
	}
	return r
}

// run makes one run of a check.
func (p *prover) run(ctx context.Context, c check, mutant string) outcome {
	_, timeout := p.effort(mutant)
	ctx, cancel := context.WithTimeout(ctx, timeout+time.Minute) // a test's own timeout tells more
	defer cancel()
	command := p.test
	if c.siege != "" {
		command = p.siege
	}
	run, err := command(ctx, c, mutant)
	if err != nil {
		return outcome{Fault: err.Error()}
	}
	var output bytes.Buffer
	run.Stdout, run.Stderr = &output, &output
	started := time.Now()
	err = run.Run()
	o := read(output.String(), c.Row)
	o.Seconds = time.Since(started).Seconds()
	switch {
	case err != nil && mutant == "":
		o.Fault = fmt.Sprintf("%v\n%s", err, tail(output.String()))
	case err != nil:
		o.Fault = err.Error()
	case !o.printed:
		o.Fault = "it printed no PROOF line"
	case o.Violations > 0:
		o.Fault = "it passes in spite of its violations"
	}
	return o
}

// effort is how hard is tried, and how long at most.
func (p *prover) effort(mutant string) (mode string, timeout time.Duration) {
	if p.full && mutant == "" { // a planted bug is caught early or not at all
		return "full", fullTimeout
	}
	return "ci", ciTimeout
}

// test is the command of a check that is a Go test.
func (p *prover) test(ctx context.Context, c check, mutant string) (*exec.Cmd, error) {
	binary, err := p.binary(ctx, build{c.pkg, c.tags, mutant})
	if err != nil {
		return nil, err
	}
	mode, timeout := p.effort(mutant)
	test := exec.CommandContext(ctx, binary, "-test.v", "-test.count=1", "-test.run=^"+c.test+"$", "-test.timeout="+timeout.String())
	test.Dir = filepath.Join(p.root, c.pkg)
	test.Env = append(os.Environ(), "PROOF="+mode, "PROOF_SEED="+strconv.FormatUint(p.seed, 10), "PROOF_TRIAL=")
	test.Env = append(test.Env, p.addresses...)
	return test, nil
}

// binary builds the tests of a package, once for each bug.
func (p *prover) binary(ctx context.Context, b build) (string, error) {
	if path, ok := p.binaries[b]; ok {
		return path, nil
	}
	path := filepath.Join(p.dir, strconv.Itoa(len(p.binaries))+".test")
	args := []string{"test", "-c", "-ldflags=-s -w", "-o", path} // without symbols for a debugger it links faster
	tags := b.tags
	if b.mutant != "" {
		tags += ",mutant_" + b.mutant
	}
	args = append(args, "-tags="+tags)
	command := exec.CommandContext(ctx, "go", append(args, ".")...)
	command.Dir = filepath.Join(p.root, b.pkg)
	if b.pkg == virtual {
		command.Env = append(os.Environ(), "GOWORK=off")
	}
	if output, err := command.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build: %w\n%s", err, tail(string(output)))
	}
	if _, err := os.Stat(path); err != nil {
		return "", errors.New("the package has no tests")
	}
	p.binaries[b] = path
	return path, nil
}

// A violation names its trial and seed or, where all cases are tried, its case: package proof and
// hack/siege write it so.
var violationLine = regexp.MustCompile(`(?m)^.*( of seed \d+: |\bcase \d+: ).*$`)

var proofLine = regexp.MustCompile(`(?m)^\s*PROOF row=(\S+) trials=(\d+) violations=(\d+) seed=(\S+)$`)

// read takes the outcome from what a test printed.
func read(output, row string) outcome {
	var o outcome
	for _, m := range proofLine.FindAllStringSubmatch(output, -1) {
		if m[1] != row {
			continue
		}
		o.printed, o.Seed = true, m[4]
		o.Trials, _ = strconv.Atoi(m[2]) // digits; too many are no count
		o.Violations, _ = strconv.Atoi(m[3])
	}
	for _, line := range violationLine.FindAllString(output, shownViolations) {
		o.Violated = append(o.Violated, strings.TrimSpace(line))
	}
	return o
}

func tail(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-tailLines):], "\n")
}
