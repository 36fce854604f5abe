package proof

import (
	"strings"
	"testing"
	"time"
)

func TestWhatATrialComesTo(t *testing.T) {
	for name, test := range map[string]struct {
		trial func(*Trial)
		want  string
	}{
		"one that ends holds":              {func(*Trial) {}, ""},
		"a failure ends it":                {func(t *Trial) { t.Errorf("%d sold of %d", 2, 1); t.Fatal("no further") }, "2 sold of 1"},
		"an error is noted, the first one": {func(t *Trial) { t.Errorf("first"); t.Error("second") }, "first"},
		"a panic is a violation":           {func(*Trial) { panic("index out of range") }, "panic: index out of range"},
		"an error while it cleans up too":  {func(t *Trial) { t.Cleanup(func() { t.Error("not stopped") }) }, "not stopped"},
	} {
		t.Run(name, func(t *testing.T) {
			got := (&Trial{TB: t}).run(test.trial)
			if first, _, _ := strings.Cut(got, "\n"); first != test.want {
				t.Errorf("got %q, want %q", first, test.want)
			}
		})
	}
}

func TestTheLastCleanupComesFirst(t *testing.T) {
	order := ""
	(&Trial{TB: t}).run(func(t *Trial) {
		t.Cleanup(func() { order += "first" })
		t.Cleanup(func() { order += "last " })
		t.Fatal("on the way")
	})
	if order != "last first" {
		t.Errorf("cleaned up %q", order)
	}
}

func TestASeedMakesTheSameTrialsAgain(t *testing.T) {
	t.Setenv("PROOF", "")
	drawn := func() map[uint64]bool {
		numbers := make(chan uint64, 10)
		Random(t, "0", Trials{CI: 10 * plainShare}, func(t *Trial) { numbers <- t.Uint64() })
		close(numbers)
		all := map[uint64]bool{}
		for n := range numbers {
			all[n] = true
		}
		return all
	}
	first, again := drawn(), drawn()
	if len(first) != 10 {
		t.Fatalf("%d different trials, want 10", len(first))
	}
	for n := range again {
		if !first[n] {
			t.Errorf("%d was not drawn at first", n)
		}
	}
}

func TestVirtualTrialsHaveTheirOwnTime(t *testing.T) {
	t.Setenv("PROOF", "")
	began := time.Now()
	Virtual(t, "0", Trials{CI: 4 * plainShare}, func(t *Trial) {
		start := time.Now()
		<-time.After(time.Hour)
		if got := time.Since(start); got != time.Hour {
			t.Errorf("%s passed", got)
		}
		if t.Context().Err() != nil {
			t.Error("the context ended with time")
		}
	})
	if time.Since(began) > time.Minute {
		t.Error("the hours were waited for")
	}
}

func TestAWalkEndsAfterEnoughViolations(t *testing.T) {
	c := &card{t: t}
	for range enough - 1 {
		c.violations.Add(1)
	}
	if c.over() {
		t.Error("over too early")
	}
	if c.violations.Add(1); !c.over() {
		t.Error("never over")
	}
}
