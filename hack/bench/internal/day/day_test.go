package day

import (
	"math"
	"slices"
	"testing"
	"time"
)

func TestADayHasTheMeanAndThePeakThatItSays(t *testing.T) {
	var sum float64
	for _, m := range shape {
		sum += m
	}
	if mean := sum / Minutes; math.Abs(mean-1) > 1e-9 || slices.Max(shape[:]) != Peak || slices.Min(shape[:]) <= 0 {
		t.Errorf("mean %g, greatest %g, least %g; want 1, %d, above 0", mean, slices.Max(shape[:]), slices.Min(shape[:]), Peak)
	}
}

func TestADayIsCompressed(t *testing.T) {
	const length = 24 * time.Second // a second an hour
	if got := At(10*time.Second, length); got != Peak {
		t.Errorf("at 10:00 the rate is %g, want %d", got, Peak)
	}
	if got := At(length+time.Second, length); got != shape[Minutes-1] {
		t.Errorf("behind its end the rate is %g, want the last minute's", got)
	}
	ends := Ends(length)
	if want := 10*time.Second + length*10/Minutes; ends[0] != want || At(ends[0], length) > 2 {
		t.Errorf("the first rush ends at %s at %g, want %s and less than 2", ends[0], At(ends[0], length), want)
	}
}
