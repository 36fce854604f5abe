// Command security looks for what somebody who attacks the suite would look for: secrets in the tree and in
// its history, code that gosec or staticcheck warn of, calls of library functions with known holes, and
// charts that give a pod more than it needs. hack/prove runs it as row S13.
//
//	go run ./hack/security              all of it, in some two minutes
//	go run ./hack/security secrets      only this: secrets, code, libraries, charts
//	go run ./hack/security -renew FOLDER -date 2026-08-20
//	                                    takes the advisories anew from a copy of vuln.go.dev
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/qingcang/qingcang/hack/internal/stack"
)

func main() {
	var renew, date string
	flag.StringVar(&renew, "renew", "", "`folder` with a copy of vuln.go.dev to take the advisories from")
	flag.StringVar(&date, "date", "", "the `day` of that copy, as 2026-08-20")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	clean, err := run(ctx, renew, date, flag.Args())
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "security:", err)
	}
	if err != nil || !clean {
		os.Exit(1)
	}
}

func run(ctx context.Context, renew, date string, names []string) (clean bool, err error) {
	root, err := stack.Root()
	if err != nil {
		return false, err
	}
	if renew != "" {
		if _, err := time.Parse(time.DateOnly, date); err != nil {
			return false, fmt.Errorf("-date says of which day the copy is: %w", err)
		}
		return true, renewAdvisories(ctx, root, renew, date)
	}
	for _, name := range names {
		if !slices.ContainsFunc(searches, func(s search) bool { return s.name == name }) {
			return false, fmt.Errorf("there is no search for %q", name)
		}
	}
	clean = true
	for _, s := range searches {
		if len(names) > 0 && !slices.Contains(names, s.name) {
			continue
		}
		r, searchErr := s.search(ctx, root)
		if err = errors.Join(err, searchErr); searchErr != nil {
			continue
		}
		fmt.Printf("%s: %d %s, %d findings\n", s.name, r.looked, s.unit, len(r.found))
		for _, finding := range r.found {
			fmt.Println("  " + finding)
			clean = false
		}
	}
	return clean, err
}

// search looks for one kind of fault in the tree.
type search struct {
	name string
	// unit is what is counted.
	unit   string
	search func(ctx context.Context, root string) (result, error)
}

// result is what a search came to.
type result struct {
	// looked is how many of its units were looked at.
	looked int
	// found are the faults, a sentence each.
	found []string
}

var searches = []search{
	{"secrets", "files and commits", secrets},
	{"code", "packages", code},
	{"libraries", "modules", libraries},
	{"charts", "tests", charts},
}
