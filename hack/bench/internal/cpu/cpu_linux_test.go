package cpu

import (
	"os"
	"testing"
	"time"
)

func TestAProcessThatWorksIsSeenToWork(t *testing.T) {
	before, err := Of(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); {
		after, err := Of(os.Getpid())
		if err != nil {
			t.Fatal(err)
		}
		if Sum(after)-Sum(before) >= 5*tick {
			return
		}
	}
	t.Error("ten seconds of work are not in /proc")
}

func TestStatIsParsedBehindAnyName(t *testing.T) {
	got, err := parse([]byte("42 (a ) 7 (b) S 17 42 42 0 -1 4194560 1 2 3 4 100 20 3 4 20 0 8 0 1"))
	want := process{parent: 17, used: 1270 * time.Millisecond}
	if err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
}

func TestBusyIsAShare(t *testing.T) {
	got, err := Busy(t.Context(), 5*tick)
	if err != nil || got < 0 || got > 1 {
		t.Errorf("got %g, %v, want 0 to 1", got, err)
	}
}
