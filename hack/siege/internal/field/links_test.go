package field

import (
	"bufio"
	"io"
	"net"
	"testing"
	"time"
)

// echo answers each line with itself.
func echo(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(conn, conn) }()
		}
	}()
	return listener.Addr().String()
}

// says sends a line over a new connection and reports whether it comes back in time, and when.
func says(t *testing.T, address string) (back bool, took time.Duration) {
	t.Helper()
	started := time.Now()
	conn, err := net.DialTimeout("tcp", address, 5*time.Second)
	if err != nil {
		return false, 0
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(2 * time.Second)); err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(conn, "hello\n") // what is lost does not come back
	line, err := bufio.NewReader(conn).ReadString('\n')
	return err == nil && line == "hello\n", time.Since(started)
}

func TestALinkDoesHarmUntilItIsHealed(t *testing.T) {
	for name, test := range map[string]struct {
		fault    Fault
		back     bool
		slowedBy time.Duration
	}{
		"a link that is down refuses":            {Down, false, 0},
		"a half-open link lets nothing through":  {HalfOpen, false, 0},
		"a slow link holds back both directions": {Slow, true, 2 * slowLatency},
	} {
		t.Run(name, func(t *testing.T) {
			f := &Field{links: newLinks()}
			defer f.links.close()
			address, err := f.links.add("echo", "127.0.0.1:0", echo(t))
			if err != nil {
				t.Fatal(err)
			}
			if back, _ := says(t, address); !back {
				t.Fatal("a sound link lets nothing through")
			}
			if err := f.Harm("echo", test.fault); err != nil {
				t.Fatal(err)
			}
			if back, took := says(t, address); back != test.back || took < test.slowedBy {
				t.Errorf("came back: %t after %s, want %t after %s", back, took, test.back, test.slowedBy)
			}
			if err := f.Heal("echo"); err != nil {
				t.Fatal(err)
			}
			back, took := says(t, address)
			for tries := 0; tries < 10 && back && took > slowLatency; tries++ { // one may have waited for the machine
				back, took = says(t, address)
			}
			if !back || took > slowLatency {
				t.Errorf("healed it came back: %t after %s", back, took)
			}
		})
	}
}

func TestAFlakyLinkFailsNowAndThen(t *testing.T) {
	f := &Field{links: newLinks()}
	defer f.links.close()
	address, err := f.links.add("echo", "127.0.0.1:0", echo(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Harm("echo", Flaky); err != nil {
		t.Fatal(err)
	}
	came := 0
	const calls = 200
	for range calls {
		if back, _ := says(t, address); back {
			came++
		}
	}
	if came < calls/2 || came > calls*9/10 {
		t.Errorf("%d of %d calls came back, want about seven tenths", came, calls)
	}
	if err := f.Heal("echo"); err != nil {
		t.Fatal(err)
	}
}
