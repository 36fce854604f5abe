package campaign

import (
	"flag"
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
		"a sale whose spec has become refused can still be stopped": func(w *world) {
			w.apply("a campaign")
			w.settle()
			w.at(noon)
			w.program = ProgramWindow{Name: "gold", Window: 10 * 24 * time.Hour}
			w.settle()
			w.apply("a suspension and 8 units", suspended, units(8))
			w.settle()
			w.apply("a resumption", resumed)
			w.settle()
			w.apply("an end at 13:00", until(noon.Add(time.Hour)))
			w.settle()
			w.apply("an end at 15:00", until(two.Add(time.Hour)))
			w.settle()
			w.apply("the programme's window", window(10*24*time.Hour, v1alpha1.FromNextMidnight), until(noon.Add(time.Hour)))
			w.settle()
			w.sell()
			w.at(noon.Add(time.Hour))
		},
		"a pause of a refused spec waits for the broker like any other": func(w *world) {
			w.apply("a campaign")
			w.settle()
			w.at(noon)
			w.broker = down
			w.apply("a suspension and a window of an hour", suspended, window(time.Hour, v1alpha1.FromNextMidnight))
			w.operate(whole)
			w.broker = well
			w.settle()
		},
		"a price that rose unseen after the opening is not published": func(w *world) {
			w.apply("a campaign")
			w.settle()
			w.at(noon.Add(-WarmUp))
			w.now = noon
			w.tick()
			w.sell()
			w.apply("a price of 7000 and a suspension", price(7_000), suspended)
			w.settle()
			w.apply("the old price and a resumption", price(6_000), resumed)
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
			w.broker = down
			w.delete()
			w.operate(whole)
			w.broker = well
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
		"a refused campaign is asked again when stock comes": func(w *world) {
			w.apply("a campaign of 30 units", units(30))
			w.settle()
			w.at(noon)
			w.approve(5)
			w.settle()
			w.approve(15)
			w.settle()
			w.at(noon.Add(RetryPause))
		},
		"a refused campaign is not asked again at once": func(w *world) {
			w.apply("a campaign of 30 units", units(30))
			w.settle()
			w.approve(20)
			w.operate(whole)
			w.at(morning.Add(RetryPause - time.Second))
			w.at(morning.Add(RetryPause))
		},
		"a change that the services need not know is not published": func(w *world) {
			w.apply("a campaign in a lane of its own", ownLane)
			w.settle()
			w.at(noon)
			w.apply("5 replicas during the sale", func(c *v1alpha1.Campaign) { c.Spec.Lane.Dedicated.Replicas.During = 5 })
			w.settle()
		},
		"a selector becomes a list of items once": func(w *world) {
			w.pool = 0
			w.apply("a selector", described)
			w.settle()
			w.approve(7)
			w.settle()
			w.approve(7)
			w.settle()
			w.at(noon)
		},
		"a lane of its own has its pods before the start": func(w *world) {
			w.apply("a campaign in a lane of its own", ownLane)
			w.settle()
			w.at(noon.Add(-WarmUp))
			w.at(noon)
			w.sell()
			w.at(two)
			w.delete()
			w.settle()
		},
		"a sale goes on without the pods that it wants": func(w *world) {
			w.quota = "exceeded quota: pods"
			w.apply("a campaign in a lane of its own", ownLane)
			w.settle()
			w.at(noon)
			w.sell()
			w.settle()
			w.quota = ""
			w.settle()
		},
		"a deletion by mistake lets a sale run to its end": func(w *world) {
			w.apply("a campaign", onTime)
			w.settle()
			w.at(noon)
			w.delete()
			w.sell()
			w.settle()
			w.at(two)
		},
		"a deletion on time of a sale that has not opened ends it at once": func(w *world) {
			w.apply("a campaign", onTime)
			w.settle()
			w.delete()
			w.settle()
		},
		"a sale opens and closes while the operator sleeps": func(w *world) {
			w.apply("a campaign")
			w.settle()
			w.now = noon
			w.tick()
			w.sell()
			w.now = two
			w.tick()
			w.tick()
			w.now = two.Add(time.Hour)
			w.settle()
		},
		"a record that the broker took without saying so is not another one": func(w *world) {
			w.apply("a campaign")
			w.broker = deaf
			w.operate(whole)
			w.operate(whole)
			w.broker = well
			w.settle()
		},
		"an operator that stood still writes what it had in hand": func(w *world) {
			w.apply("a campaign")
			w.settle()
			w.apply("8 units", units(8))
			w.reconcile(whole, 0, true)
			w.settle()
			w.apply("6 units", units(6))
			w.settle()
			w.wake()
			w.settle()
			w.delete()
			w.settle()
		},
		"an end stays the end though an older record is written over it": func(w *world) {
			w.apply("a campaign")
			w.settle()
			w.at(noon)
			w.apply("8 units", units(8))
			w.reconcile(whole, 0, true)
			w.settle()
			w.delete()
			w.operate(1) // and dies between the end and the finalizer
			w.wake()
			w.reconcile(whole, 1, false)
			w.settle()
		},
		"an old cache brings no resolved goods back": func(w *world) {
			w.apply("a selector", described)
			w.settle()
			w.approve(7)
			w.apply("8 units", units(8))
			w.reconcile(whole, 3, false)
			w.settle()
		},
		"a refused spec stops no lane from going on": func(w *world) {
			w.apply("a campaign")
			w.settle()
			w.at(noon)
			w.ask(ProgramWindow{Name: "gold", Window: 10 * 24 * time.Hour})
			w.stop()
			w.settle()
			w.mend()
			w.settle()
			w.sell()
			w.settle()
		},
		"a settled campaign whose title is put right is ready": func(w *world) {
			w.apply("a campaign")
			w.settle()
			w.at(two)
			w.apply("another title", func(c *v1alpha1.Campaign) { c.Spec.Title = "Winter coats" })
			w.settle()
		},
		"a start that moves unseen takes no pods from a sale": func(w *world) {
			w.apply("a campaign in a lane of its own", ownLane)
			w.settle()
			w.at(noon.Add(-WarmUp))
			w.now = noon
			w.tick()
			w.apply("a start at 13:00", starting(noon.Add(time.Hour)))
			w.settle()
		},
		"two operators have one lane in hand for the first record": func(w *world) {
			w.apply("a campaign")
			w.reconcile(whole, 0, true)
			w.others = 2 // to the second one the other lane is the least used
			w.broker = down
			w.operate(whole)
			w.broker = well
			w.wake()
			w.settle()
			w.at(noon)
			w.sell()
		},
		"an operator with an old cache does not bring an old spec back": func(w *world) {
			w.apply("a campaign")
			w.settle()
			w.apply("8 units", units(8))
			w.operate(whole)
			w.reconcile(whole, 2, false)
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
	const rounds = 100 // more than the longest story takes
	for length, round := -1, 0; length != w.log.Len(); round++ {
		if length = w.log.Len(); round == rounds {
			w.fail("it never comes to rest")
		}
		w.operate(whole)
		w.answer()
		w.kubelet()
		w.tick()
		w.resync()
	}
	w.checkQuiet()
}

// units sets how many of the goods are sold, if they are listed already.
func units(n int64) edit {
	return func(c *v1alpha1.Campaign) {
		if len(c.Spec.Items) > 0 {
			c.Spec.Items[0].Units = n
		}
	}
}

// golden compares a log with the file of the test's name.
func golden(t testing.TB, got string) {
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
