// Package proof runs rows of the scorecard that hack/prove prints. A row is one
// trial made very often, each time with random numbers of its own, or a walk
// through all cases. Each test that uses it writes one line for hack/prove:
//
//	PROOF row=1 trials=20000 violations=0 seed=7
//
// How often is tried stands in the environment, so that a plain go test is quick:
//
//	PROOF        ci or full: as often as the scorecard says; without it a twentieth of ci
//	PROOF_SEED   the seed of the random numbers; 1 if it is not set
//	PROOF_TRIAL  the number of the one trial to make, to look into a violation
package proof

import (
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

const (
	// enough violations end a row: more tell nothing new.
	enough = 10
	// A plain go test makes one of plainShare trials.
	plainShare = 20
)

// Trials is how often a row is tried.
type Trials struct{ CI, Full int }

// asked is how many trials the environment asks for.
func (n Trials) asked() int {
	switch {
	case plain():
		return max(n.CI/plainShare, 1)
	case os.Getenv("PROOF") == "full":
		return n.Full
	default:
		return n.CI
	}
}

// plain reports whether this is a go test like any other.
func plain() bool { return os.Getenv("PROOF") == "" }

// Random makes the trials of a row, as many at a time as there are processors.
// A violation fails the test and names seed and trial.
func Random(t *testing.T, row string, n Trials, trial func(*Trial)) {
	t.Helper()
	seed := number(t, "PROOF_SEED", 1)
	c := &card{t: t, row: row, seed: strconv.FormatUint(seed, 10)}
	defer c.print()
	first, end := uint64(0), uint64(n.asked())
	if os.Getenv("PROOF_TRIAL") != "" {
		first = number(t, "PROOF_TRIAL", 0)
		end = first + 1
	}
	var next atomic.Uint64
	next.Store(first)
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for i := next.Add(1) - 1; i < end && !c.over(); i = next.Add(1) - 1 {
				one := &Trial{TB: t, Rand: rand.New(rand.NewPCG(seed, i))} //nolint:gosec // not to be guessed but to be repeated
				c.count("trial "+strconv.FormatUint(i, 10)+" of seed "+c.seed, one.run(trial))
			}
		})
	}
	workers.Wait()
}

// Virtual is Random with each trial in a bubble of virtual time (testing/synctest) of its own. A
// goroutine that a trial leaves behind is a violation.
func Virtual(t *testing.T, row string, n Trials, trial func(*Trial)) {
	t.Helper()
	Random(t, row, n, func(outside *Trial) {
		synctest.Test(t, func(t *testing.T) {
			inside := &Trial{TB: t, Rand: outside.Rand}
			if violation := inside.run(trial); violation != "" {
				outside.note(violation)
			}
		})
	})
}

// Exhaustive walks through all cases of a row. The walk makes each one by calling
// try, and ends when that returns false. A violation says what case it is. A plain
// go test skips most cases.
func Exhaustive(t *testing.T, row string, walk func(try func(trial func(*Trial)) bool)) {
	t.Helper()
	c := &card{t: t, row: row, seed: "-"}
	defer c.print()
	skipped := 0
	walk(func(trial func(*Trial)) bool {
		if skipped++; plain() && skipped%plainShare != 1 {
			return true
		}
		c.count("case "+strconv.FormatInt(c.trials.Load(), 10), (&Trial{TB: t}).run(trial))
		return !c.over()
	})
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

// card counts the trials of one row.
type card struct {
	t         *testing.T
	row, seed string

	trials, violations atomic.Int64
}

func (c *card) over() bool { return c.violations.Load() >= enough }

func (c *card) count(name, violation string) {
	c.trials.Add(1)
	if violation == "" {
		return
	}
	c.violations.Add(1)
	c.t.Errorf("%s: %s", name, violation)
}

// print writes the line that hack/prove reads.
func (c *card) print() {
	fmt.Fprintf(c.t.Output(), "PROOF row=%s trials=%d violations=%d seed=%s\n", c.row, c.trials.Load(), c.violations.Load(), c.seed)
	if c.trials.Load() == 0 {
		c.t.Errorf("row %s was not tried", c.row)
	}
}

// Trial is one trial: random numbers, and a testing.TB whose failure ends or
// marks this trial and not the test, so that tests and proofs share their worlds.
type Trial struct {
	testing.TB
	*rand.Rand

	mu        sync.Mutex
	violation string
	cleanups  []func()
}

// violated ends a trial.
type violated struct{}

// run makes the trial and returns its first violation.
func (t *Trial) run(trial func(*Trial)) string {
	func() {
		defer t.cleanUp()
		defer func() {
			switch r := recover(); r.(type) {
			case nil, violated:
			default: // a panic breaks every promise
				t.note(fmt.Sprintf("panic: %v\n%s", r, debug.Stack()))
			}
		}()
		trial(t)
	}()
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.violation
}

func (t *Trial) cleanUp() {
	for _, f := range slices.Backward(t.cleanups) {
		f()
	}
}

// Cleanup calls f when the trial is over, the last one first.
func (t *Trial) Cleanup(f func()) { t.cleanups = append(t.cleanups, f) }

func (t *Trial) note(violation string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.violation == "" {
		t.violation = violation
	}
}

// Failed reports whether a violation is noted.
func (t *Trial) Failed() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.violation != ""
}

// Error notes a violation and goes on. It may be called from any goroutine.
func (t *Trial) Error(args ...any) { t.note(fmt.Sprint(args...)) }

// Errorf notes a violation and goes on. It may be called from any goroutine.
func (t *Trial) Errorf(format string, args ...any) { t.note(fmt.Sprintf(format, args...)) }

// Fatal notes a violation and ends the trial, in whose goroutine it is called.
func (t *Trial) Fatal(args ...any) {
	t.note(fmt.Sprint(args...))
	panic(violated{})
}

// Fatalf notes a violation and ends the trial, in whose goroutine it is called.
func (t *Trial) Fatalf(format string, args ...any) {
	t.note(fmt.Sprintf(format, args...))
	panic(violated{})
}

// Helper does nothing: a violation is named by its trial.
func (t *Trial) Helper() {}

// Chance is true in one of n cases.
func (t *Trial) Chance(n int) bool { return t.IntN(n) == 0 }
