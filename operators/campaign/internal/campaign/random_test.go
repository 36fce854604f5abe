package campaign

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
)

// TestAnyOrderOfEventsComesToTheSameEnd lets the actors step in random order. The log of one seed is
// golden, so that a change of behaviour is seen.
func TestAnyOrderOfEventsComesToTheSameEnd(t *testing.T) {
	const seeds, goldenSeed = 300, 110
	for seed := range uint64(seeds) {
		w := newWorld(t)
		w.anyOrder(rand.New(rand.NewPCG(seed, 0)))
		if seed == goldenSeed {
			golden(t, w.log.String())
		}
	}
}

// anyOrder lets the actors step in random order, keeping the invariants at each step, and ends as the
// quiet day ends: the services have been told what the spec says, each child stands once, and after a
// deletion nothing is left that sells.
func (w *world) anyOrder(random *rand.Rand) {
	const steps = 120
	w.now = morning.Add(time.Duration(random.IntN(10)) * 30 * time.Minute) // so that some sales open, and some close, in mid-story
	w.apply("a campaign", edits(random)...)
	for range steps {
		w.randomStep(random)
	}
	w.broker, w.quota = well, ""
	w.wake()
	w.mend()
	w.at(w.now.Add(RetryPause))
	w.checkConverged()
	w.at(later(w.now, two))
	w.delete()
	w.settle()
	if w.object != nil {
		w.fail("the object is still there")
	}
	w.mend()
	w.settle()
	if phase := w.lane.GetPhase(); w.heard != nil && lanePhases[phase] != v1alpha1.PhaseSettled {
		w.fail("the lane ends as %s", phase)
	}
}

// edits make a campaign one of several kinds.
func edits(random *rand.Rand) []edit {
	return [][]edit{nil, {ownLane}, {described}, {onTime}, {ownLane, described, onTime}}[random.IntN(5)]
}

func (w *world) randomStep(random *rand.Rand) {
	switch random.IntN(26) {
	case 0, 1, 2:
		w.operate(random.IntN(6))
	case 3, 4, 5:
		w.operate(whole)
	case 6, 7:
		w.answer()
	case 8, 21, 22:
		w.tick()
	case 9, 23, 24:
		w.sell()
	case 10:
		w.now = w.now.Add(time.Duration(random.IntN(40)) * time.Minute)
	case 11:
		w.broker = brokerMood(random.IntN(3))
	case 12:
		w.randomEdit(random)
	case 13, 14:
		w.reconcile(whole, 1+random.IntN(4), false)
	case 15:
		w.reconcile(whole, 0, true)
	case 16:
		w.wake()
	case 17:
		w.kubelet()
	case 18:
		w.quota = []string{"", "exceeded quota: pods"}[random.IntN(2)]
	case 19:
		w.resync()
	case 20:
		w.stop()
	case 25:
		w.others = 2 - w.others
	}
}

func (w *world) randomEdit(random *rand.Rand) {
	if w.object == nil {
		return
	}
	switch random.IntN(13) {
	case 0:
		w.apply("99 units", units(99))
	case 1:
		w.apply("8 units", units(8))
	case 2:
		w.apply("an end at 13:00", until(noon.Add(time.Hour)))
	case 3:
		w.apply("a window of an hour", window(time.Hour, v1alpha1.FromNextMidnight))
	case 4:
		w.apply("the lawful window", window(LegalReturnWindow, v1alpha1.FromNextMidnight))
	case 5:
		w.apply("the lawful window and a resumption", window(LegalReturnWindow, v1alpha1.FromNextMidnight), resumed)
	case 6:
		w.apply("a suspension", suspended)
	case 7:
		w.delete()
	case 8:
		w.approve(20)
	case 9:
		w.apply("a price of 7000", price(7_000))
	case 10:
		w.apply("the old price", price(6_000))
	case 11:
		w.apply("skipOffsets [7]", passingOver(badOffset))
	case 12:
		w.ask([]ProgramWindow{{}, {Name: "gold", Window: 10 * 24 * time.Hour}}[random.IntN(2)])
	}
}
