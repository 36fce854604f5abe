package campaign

import (
	"flag"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
)

var update = flag.Bool("update", false, "write the golden logs anew")

const whole = 100 // writes: more than a reconcile has

func TestStories(t *testing.T) {
	for name, story := range map[string]func(*world){
		"a sale from preview to settled": func(w *world) {
			w.apply("a campaign")
			w.settle()
			w.at(noon.Add(-WarmUp))
			w.at(noon)
			w.sell()
			w.settle()
			w.at(two)
			w.settle()
		},
		"a refused campaign is corrected": func(w *world) {
			w.apply("a campaign of 30 units", units(30))
			w.settle()
			w.at(noon)
			w.apply("10 units", units(10))
			w.settle()
		},
		"a running sale survives a refused change": func(w *world) {
			w.apply("a campaign")
			w.settle()
			w.at(noon)
			w.apply("99 units", units(99))
			w.settle()
			w.sell()
			w.settle()
		},
		"a short return window is never published": func(w *world) {
			w.apply("a window of an hour", window(time.Hour, v1alpha1.FromNextMidnight))
			w.settle()
			w.apply("the lawful window", window(LegalReturnWindow, v1alpha1.FromNextMidnight))
			w.settle()
		},
		"a deleted sale is ended and not stranded": func(w *world) {
			w.apply("a campaign")
			w.settle()
			w.at(noon)
			w.sell()
			w.delete()
			w.settle()
		},
		"a deletion waits for the broker and for nothing else": func(w *world) {
			w.apply("a campaign")
			w.operate(whole)
			w.broker = false
			w.delete()
			w.operate(whole)
			w.broker = true
			w.operate(whole)
			w.checkQuiet()
		},
		"a campaign that was refused by the operator goes at once": func(w *world) {
			w.apply("a window of an hour", window(time.Hour, v1alpha1.FromNextMidnight))
			w.operate(whole)
			w.delete()
			w.operate(whole)
			w.checkQuiet()
		},
		"a silent lane is named and forgiven": func(w *world) {
			w.apply("a campaign")
			w.operate(whole)
			w.now = w.now.Add(Grace)
			w.operate(whole)
			w.settle()
		},
		"a lane that stopped goes on behind a bad entry": func(w *world) {
			w.apply("a campaign")
			w.settle()
			w.at(noon)
			w.stop()
			w.settle()
			w.apply("skipOffsets [7]", passingOver(badOffset))
			w.settle()
			w.sell()
			w.at(two)
			w.delete()
			w.settle()
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			story(w)
			golden(t, w.log.String())
		})
	}
}

// at moves the clock and lets everybody act until nothing moves.
func (w *world) at(t time.Time) {
	w.now = t
	w.settle()
}

// settle lets everybody act in turn until the log stands still, as a quiet day would.
func (w *world) settle() {
	for length := -1; length != w.log.Len(); {
		length = w.log.Len()
		w.operate(whole)
		w.answer()
		w.tick()
	}
	w.checkQuiet()
}

func units(n int64) edit {
	return func(c *v1alpha1.Campaign) { c.Spec.Items[0].Units = n }
}

// TestAnyOrderOfEventsComesToTheSameEnd lets the actors step in random order, the operator crash
// after any write, and the broker fail; each seed must keep the invariants at each step and end as
// the quiet day ends. The log of one seed is golden, so that a change of behaviour is seen.
func TestAnyOrderOfEventsComesToTheSameEnd(t *testing.T) {
	const seeds, steps, goldenSeed = 300, 120, 7
	for seed := range uint64(seeds) {
		w := newWorld(t)
		random := rand.New(rand.NewPCG(seed, 0))
		w.apply("a campaign")
		for range steps {
			w.randomStep(random)
		}
		w.broker = true
		w.at(later(w.now, two))
		w.delete()
		w.settle()
		if w.object != nil {
			w.fail("seed %d: the object is still there", seed)
		}
		if phase := w.lane.GetPhase(); w.topic != nil && lanePhases[phase] != v1alpha1.PhaseSettled {
			w.fail("seed %d: the lane ends as %s", seed, phase)
		}
		if seed == goldenSeed {
			golden(t, w.log.String())
		}
	}
}

func (w *world) randomStep(random *rand.Rand) {
	switch random.IntN(12) {
	case 0, 1, 2:
		w.operate(random.IntN(4))
	case 3, 4:
		w.operate(whole)
	case 5, 6:
		w.answer()
	case 7:
		w.tick()
	case 8:
		w.sell()
	case 9:
		w.now = w.now.Add(time.Duration(random.IntN(20)) * time.Minute)
	case 10:
		w.broker = !w.broker
	case 11:
		w.randomEdit(random)
	}
}

func (w *world) randomEdit(random *rand.Rand) {
	if w.object == nil || w.object.DeletionTimestamp != nil {
		return
	}
	switch random.IntN(8) {
	case 0:
		w.apply("99 units", units(99))
	case 1, 2:
		w.apply("8 units", units(8))
	case 3:
		w.apply("a window of an hour", window(time.Hour, v1alpha1.FromNextMidnight))
	case 4, 5:
		w.apply("the lawful window", window(LegalReturnWindow, v1alpha1.FromNextMidnight))
	case 6:
		w.apply("a suspension", suspended)
	case 7:
		w.delete()
	}
}

// golden compares a log with the file of the test's name.
func golden(t *testing.T, got string) {
	t.Helper()
	path := filepath.Join("testdata", filepath.FromSlash(t.Name())+".golden")
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (go test -update writes it)", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}
