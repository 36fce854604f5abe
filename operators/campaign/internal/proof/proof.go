// Package proof makes rows of the scorecard that hack/prove prints: a trial made very often, each time
// with random numbers of its own. A test that uses it writes one line for hack/prove,
//
//	PROOF row=18 trials=200 violations=0 seed=7
//
// and reads how often it is to try from the environment, so that a plain go test is quick: PROOF is ci or
// full, PROOF_SEED the seed, PROOF_TRIAL the number of the one trial to make. It says the same as the
// proofs of the services, whose kit the operator cannot import.
package proof

import (
	"fmt"
	"math/rand/v2"
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
)

const (
	// enough violations end a row: more tell nothing new.
	enough = 10
	// A plain go test makes one of plainShare trials.
	plainShare = 20
)

// Trials is how often a row is tried.
type Trials struct{ CI, Full int }

func (n Trials) asked() uint64 {
	trials := n.CI
	switch os.Getenv("PROOF") {
	case "":
		trials = max(n.CI/plainShare, 1)
	case "full":
		trials = n.Full
	}
	return uint64(max(trials, 0))
}

// Random makes the trials of a row, so many at a time. A violation fails the test and names seed and trial.
func Random(t *testing.T, row string, n Trials, atOnce int, trial func(*Trial)) {
	t.Helper()
	seed := number(t, "PROOF_SEED", 1)
	first, end := uint64(0), n.asked()
	if os.Getenv("PROOF_TRIAL") != "" {
		first = number(t, "PROOF_TRIAL", 0)
		end = first + 1
	}
	var next, made, violations atomic.Uint64
	next.Store(first)
	var workers sync.WaitGroup
	for range atOnce {
		workers.Go(func() {
			for i := next.Add(1) - 1; i < end && violations.Load() < enough; i = next.Add(1) - 1 {
				one := &Trial{TB: t, Rand: rand.New(rand.NewPCG(seed, i)), Number: i} //nolint:gosec // not to be guessed but to be repeated
				violation := one.run(trial)
				made.Add(1)
				if violation != "" {
					violations.Add(1)
					t.Errorf("trial %d of seed %d: %s", i, seed, violation)
				}
			}
		})
	}
	workers.Wait()
	fmt.Fprintf(t.Output(), "PROOF row=%s trials=%d violations=%d seed=%d\n", row, made.Load(), violations.Load(), seed)
	if made.Load() == 0 {
		t.Errorf("row %s was not tried", row)
	}
}

func number(t *testing.T, name string, otherwise uint64) uint64 {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%s is a whole number: %v", name, err)
	}
	return n
}

// Trial is one trial: random numbers, and a testing.TB whose failure ends or marks this trial and not the
// test, so that tests and proofs share their worlds.
type Trial struct {
	testing.TB
	*rand.Rand
	// Number counts the trials of a seed from 0.
	Number uint64

	mu        sync.Mutex
	violation string
	cleanups  []func()
}

// violated ends a trial.
type violated struct{}

// run makes the trial and returns its first violation.
func (t *Trial) run(trial func(*Trial)) string {
	t.protect(func() { trial(t) })
	for _, f := range slices.Backward(t.cleanups) {
		t.protect(f)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.violation
}

func (t *Trial) protect(f func()) {
	defer func() {
		switch r := recover(); r.(type) {
		case nil, violated:
		default: // a panic breaks every promise
			t.note(fmt.Sprintf("panic: %v\n%s", r, debug.Stack()))
		}
	}()
	f()
}

func (t *Trial) note(violation string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.violation == "" {
		t.violation = violation
	}
}

// Cleanup calls f when the trial is over, the last one first.
func (t *Trial) Cleanup(f func()) { t.cleanups = append(t.cleanups, f) }

// Errorf notes a violation and goes on. It may be called from any goroutine.
func (t *Trial) Errorf(format string, args ...any) { t.note(fmt.Sprintf(format, args...)) }

// Fatalf notes a violation and ends the trial, in whose goroutine it is called.
func (t *Trial) Fatalf(format string, args ...any) {
	t.note(fmt.Sprintf(format, args...))
	panic(violated{})
}

// Fatal notes a violation and ends the trial, in whose goroutine it is called.
func (t *Trial) Fatal(args ...any) { t.Fatalf("%s", fmt.Sprint(args...)) }

// Helper does nothing: a violation is named by its trial.
func (t *Trial) Helper() {}

// Chance is true in one of n cases.
func (t *Trial) Chance(n int) bool { return t.IntN(n) == 0 }
