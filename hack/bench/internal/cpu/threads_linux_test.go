package cpu

import (
	"os"
	"testing"
	"time"
)

func TestAProcessThatSleepsAndWakesIsSeenToStir(t *testing.T) {
	before, err := Stirred(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); {
		<-time.After(time.Millisecond)
		after, err := Stirred(os.Getpid())
		if err != nil {
			t.Fatal(err)
		}
		if share, wakeups := PerSecond(before, after); share > 0 && wakeups > 0 && after.Wakeups-before.Wakeups > 10 {
			return
		}
	}
	t.Error("ten seconds of sleeping and waking are not in /proc")
}

func TestWakeupsAreFoundInTheStatus(t *testing.T) {
	if got := voluntary([]byte("Name:\ta\nvoluntary_ctxt_switches:\t42\nnonvoluntary_ctxt_switches:\t7\n")); got != 42 {
		t.Errorf("got %d, want 42", got)
	}
}
