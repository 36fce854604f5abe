package stack_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/qingcang/qingcang/hack/internal/stack"
)

// manyPorts are so many of all that two who choose at random would meet.
const manyPorts = 400

func TestNoPortIsGivenTwice(t *testing.T) {
	if os.Getenv(portsKey) != "" {
		tellPorts(t)
		return
	}
	seen := map[int]bool{}
	take := func(who string, port int) {
		if seen[port] {
			t.Errorf("%s got port %d, which is somebody's", who, port)
		}
		seen[port] = true
	}
	for _, port := range freePorts(t) {
		take("the first", port)
	}
	for _, port := range freePorts(t) {
		take("the second", port)
	}
	other := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
	other.Env = append(os.Environ(), portsKey+"=1")
	out, err := other.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for n := 0; lines.Scan() && n < manyPorts; n++ {
		var port int
		if _, err := fmt.Sscan(lines.Text(), &port); err != nil {
			t.Fatalf("the other process said %q: %v", lines.Text(), err)
		}
		take("another process", port)
	}
	if err := other.Wait(); err != nil {
		t.Fatal(err)
	}
	if len(seen) != 3*manyPorts {
		t.Errorf("got %d ports, want %d", len(seen), 3*manyPorts)
	}
}

// portsKey tells the test that it is the other process.
const portsKey = "QINGCANG_TELL_PORTS"

func tellPorts(t *testing.T) {
	for _, port := range freePorts(t) {
		fmt.Println(port)
	}
}

func freePorts(t *testing.T) []int {
	t.Helper()
	ports, err := stack.FreePorts(manyPorts)
	if err != nil {
		t.Fatal(err)
	}
	return ports
}

// A suite keeps its ports over a restart: who chooses in between gets others.
func TestKeptPortsAreNotGivenAway(t *testing.T) {
	kept := make([]int, 0, 600)
	for port := 20_000; port < 26_000; port += 10 {
		kept = append(kept, port)
	}
	for range 2 { // what is one's own may be kept again
		if err := stack.KeepPorts(kept...); err != nil {
			t.Fatal(err)
		}
	}
	for _, port := range freePorts(t) {
		if port < 26_000 && port%10 == 0 {
			t.Errorf("port %d was kept and is given away", port)
		}
	}
}
