package main

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/qingcang/qingcang/hack/internal/stack"
)

func TestProofNoSecretIsCommitted(t *testing.T)        { prove(t, secrets) }
func TestProofNoWeakCode(t *testing.T)                 { prove(t, code) }
func TestProofNoKnownHoleIsCalled(t *testing.T)        { prove(t, libraries) }
func TestProofChartsGiveNoMoreThanNeeded(t *testing.T) { prove(t, charts) }

// shown bounds the findings that are told: more tell nothing new.
const shown = 10

// prove makes a search and writes the line that hack/prove reads.
func prove(t *testing.T, search func(context.Context, string) (result, error)) {
	t.Helper()
	if os.Getenv("PROOF") == "" {
		t.Skip("hack/prove looks for it: it takes up to a minute")
	}
	root, err := stack.Root()
	if err != nil {
		t.Fatal(err)
	}
	r, err := search(t.Context(), root)
	if err != nil {
		t.Fatal(err)
	}
	for n, finding := range r.found[:min(len(r.found), shown)] {
		t.Errorf("case %d: %s", n, finding)
	}
	fmt.Fprintf(t.Output(), "PROOF row=S13 trials=%d violations=%d seed=-\n", r.looked, len(r.found))
}
