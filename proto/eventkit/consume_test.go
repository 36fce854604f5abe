package eventkit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// member is a process in a consumer group.
type member struct {
	got  chan Record
	stop func()
	mu   sync.Mutex
	log  bytes.Buffer
}

func (m *member) Write(line []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.log.Write(line)
}

func (m *member) logged(what string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return strings.Contains(m.log.String(), what)
}

// join starts a member whose handler hands on what it gets. Handle may be nil.
func join(t *testing.T, conn *Conn, handle func(context.Context, []Record) error) *member {
	t.Helper()
	m := &member{got: make(chan Record, 10_000)}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- conn.Consume(ctx, Group{ID: "readers", Log: slog.New(slog.NewTextHandler(m, nil)), Topics: map[string]Role{testTopic: {
			Handle: func(ctx context.Context, records []Record) error {
				if handle != nil {
					if err := handle(ctx, records); err != nil {
						return err
					}
				}
				for _, r := range records {
					m.got <- r
				}
				return nil
			},
		}}})
	}()
	m.stop = sync.OnceFunc(func() {
		cancel()
		if err := receive(t, done, "the end of the member"); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(m.stop)
	return m
}

// want receives these events and no others before them.
func (m *member) want(t *testing.T, events ...Event) {
	t.Helper()
	for _, e := range events {
		if got := receive(t, m.got, e.ID); got.Event.ID != e.ID {
			t.Fatalf("got %s, want %s", got.Event.ID, e.ID)
		}
	}
}

func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !condition(); {
		if time.Now().After(deadline) {
			t.Fatalf("not in half a minute: %s", what)
		}
		pause(t.Context(), 5*time.Millisecond)
	}
}

func TestRecordsThatTheHandlerRefusesComeAgain(t *testing.T) {
	conn := connWith(t, 1, "delete")
	events := chain("a", 1, 5)
	publish(t, conn, 0, events...)
	var tries [][]Record // the handler of one partition runs alone
	m := join(t, conn, func(_ context.Context, records []Record) error {
		if tries = append(tries, records); len(tries) <= 2 {
			return errors.New("the database is away")
		}
		return nil
	})
	m.want(t, events...)
	m.stop()
	first := func(r []Record) string { return r[0].Event.ID }
	if first(tries[1]) != first(tries[0]) || len(tries[1]) != len(tries[0]) || len(tries[2]) != len(tries[0]) {
		t.Errorf("the handler was given %d, %d and %d records", len(tries[0]), len(tries[1]), len(tries[2]))
	}
	if !m.logged("the database is away") {
		t.Error("nobody was told")
	}
}

func TestRepeatsAreDropped(t *testing.T) {
	conn := connWith(t, 1, "delete")
	events := chain("a", 1, 9)
	other := chain("b", 1, 1)
	// Two relays of one source at work: each writes from where it believes the log to be.
	publish(t, conn, 0, events[:4]...)
	publish(t, conn, 0, events[1:6]...)
	publish(t, conn, 0, other...)
	publish(t, conn, 0, events[:3]...)
	publish(t, conn, 0, events[5:]...)
	m := join(t, conn, nil)
	m.want(t, slices.Concat(events[:6], other, events[6:])...)
}

func TestAPartitionStopsAtAGapAndSaysSo(t *testing.T) {
	for name, test := range map[string]struct {
		log    []Event
		before []Event
	}{
		"an event is missing":             {slices.Concat(chain("a", 1, 3), chain("a", 5, 6)), chain("a", 1, 3)},
		"a source begins in its middle":   {slices.Concat(chain("a", 1, 2), chain("b", 7, 8)), chain("a", 1, 2)},
		"a source begins anew after some": {slices.Concat(chain("a", 1, 2), []Event{{ID: "a/9/0", Prev: ""}}), chain("a", 1, 2)},
		"an event follows another source": {slices.Concat(chain("a", 1, 2), []Event{{ID: "b/1/0", Prev: "a/2/0"}}), chain("a", 1, 2)},
	} {
		t.Run(name, func(t *testing.T) {
			conn := connWith(t, 1, "delete")
			publish(t, conn, 0, test.log...)
			m := join(t, conn, nil)
			m.want(t, test.before...)
			eventually(t, "the gap is told", func() bool { return m.logged(ErrGap.Error()) })
			m.stop()
			if len(m.got) > 0 {
				t.Errorf("%s was handled behind the gap", (<-m.got).Event.ID)
			}
			// What came before the gap was committed: a new member begins at the gap.
			next := join(t, conn, nil)
			eventually(t, "the gap is told again", func() bool { return next.logged(ErrGap.Error()) })
			next.stop()
			if len(next.got) > 0 {
				t.Errorf("%s was handled twice", (<-next.got).Event.ID)
			}
		})
	}
}

func TestARestartBehindAStaleRelayIsNoGap(t *testing.T) {
	conn := connWith(t, 1, "delete")
	events := chain("a", 1, 400)
	publish(t, conn, 0, events...)
	publish(t, conn, 0, events[:3*lookBackWindow/2]...) // more repeats than one look back takes in
	m := join(t, conn, nil)
	m.want(t, events...)
	// The member goes when it has committed all, so that its successor begins behind the repeats.
	end, err := conn.EndOffset(t.Context(), testTopic, 0)
	if err != nil {
		t.Fatal(err)
	}
	m.stop()
	more := chain("a", 401, 402)
	publish(t, conn, 0, more...)
	next := join(t, conn, nil)
	next.want(t, more...)
	if end != 784 {
		t.Errorf("the log ended at %d", end)
	}
}

// TestManySilentSourcesCostOneLookBack: behind a restart each of them follows an event far back.
func TestManySilentSourcesCostOneLookBack(t *testing.T) {
	conn := connWith(t, 1, "delete")
	const sources = 40
	var first, second []Event
	for i := range sources {
		events := chain(fmt.Sprint("lane.", i), 1, 2)
		first, second = append(first, events[0]), append(second, events[1])
	}
	publish(t, conn, 0, first...)
	publish(t, conn, 0, chain("busy", 1, 3_000)...)
	end, err := conn.EndOffset(t.Context(), testTopic, 0)
	if err != nil {
		t.Fatal(err)
	}
	publish(t, conn, 0, second...)
	publish(t, conn, 0, first...)  // a stale relay
	publish(t, conn, 0, second...) // which goes on
	publish(t, conn, 0, Event{ID: "lane.1/9/0", Prev: "lane.1/8/0"})
	r := &partitionReader{
		conn: conn, log: slog.New(slog.DiscardHandler), at: Assignment{Topic: testTopic}, committed: end,
	}
	var got []Record
	r.handle = func(_ context.Context, records []Record) error { got = append(got, records...); return nil }
	r.at.commit = func(int64) error { return nil }
	if err := r.run(t.Context()); !errors.Is(err, ErrGap) {
		t.Fatalf("the gap behind them is %v", err)
	}
	if len(got) != sources {
		t.Errorf("%d events are new, want %d", len(got), sources)
	}
	if len(r.before.newest) != sources+1 || r.before.from != 0 {
		t.Errorf("%d sources were seen from %d on", len(r.before.newest), r.before.from)
	}
}

func TestMembersShareThePartitionsAndTakeOver(t *testing.T) {
	const partitions = 4
	conn := connWith(t, partitions, "delete")
	said := 0
	// everywhere says one more event in each partition.
	everywhere := func() {
		said++
		for p := range partitions {
			publish(t, conn, p, chain(fmt.Sprint("a/", p), said, said)...)
		}
	}
	everywhere()
	first := join(t, conn, nil)
	for range partitions {
		receive(t, first.got, "the first round")
	}
	second := join(t, conn, nil)
	shares := func() (of [2]int) {
		everywhere()
		for range partitions {
			select {
			case <-first.got:
				of[0]++
			case <-second.got:
				of[1]++
			case <-time.After(30 * time.Second):
				t.Fatal("a partition has nobody")
			}
		}
		return of
	}
	eventually(t, "two members have two partitions each", func() bool { return shares() == [2]int{2, 2} })
	first.stop()
	eventually(t, "the one that is left has all", func() bool { return shares() == [2]int{0, partitions} })
	second.stop()
	// All is committed: nothing comes again to a third member but what is new.
	third := join(t, conn, nil)
	everywhere()
	for range partitions {
		if got := receive(t, third.got, "the new round"); !strings.HasSuffix(got.Event.ID, fmt.Sprintf("/%d/0", said)) {
			t.Errorf("%s was handled before", got.Event.ID)
		}
	}
}

func TestAnOwnerRunsWhileThePartitionIsItsOwn(t *testing.T) {
	conn := connWith(t, 2, "delete")
	publish(t, conn, 1, chain("a", 1, 3)...)
	started, ended := make(chan Assignment, 10), make(chan int, 10)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- conn.Consume(ctx, Group{ID: "owners", Topics: map[string]Role{testTopic: {Own: func(ctx context.Context, a Assignment) error {
			if a.Partition == 1 && a.Committed == 0 {
				if err := a.Commit(2); err != nil {
					return err
				}
			}
			started <- a
			<-ctx.Done()
			ended <- a.Partition
			return nil
		}}}})
	}()
	for range 2 {
		receive(t, started, "an assignment")
	}
	cancel()
	if err := receive(t, done, "the end"); err != nil {
		t.Error(err)
	}
	if len(ended) != 2 {
		t.Errorf("Consume has returned while %d owners run", 2-len(ended))
	}
}

func TestABrokerThatIsAwayAtTheStartIsWaitedFor(t *testing.T) {
	broker := connWith(t, 1, "delete")
	events := chain("a", 1, 2)
	publish(t, broker, 0, events...)
	// The member knows one address only, where nobody listens yet.
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	cfg := broker.cfg
	cfg.Brokers = []string{address}
	conn, err := Dial(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	if err := conn.Ping(t.Context()); err == nil || !strings.Contains(err.Error(), address) {
		t.Errorf("a ping says %v, which does not name %s", err, address)
	}
	m := join(t, conn, nil)
	eventually(t, "the failed join is told", func() bool { return m.logged("join failed") })
	forward(t, address, strings.Split(os.Getenv("KAFKA_BROKERS"), ",")[0])
	m.want(t, events...)
}

// forward is a broker that has come back: it passes connections on to the real one.
func forward(t *testing.T, from, to string) {
	t.Helper()
	listener, err := net.Listen("tcp", from)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	var mu sync.Mutex
	var open []net.Conn
	all.Go(func() {
		for {
			in, err := listener.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", to)
			if err != nil {
				_ = in.Close()
				continue
			}
			mu.Lock()
			open = append(open, in, out)
			mu.Unlock()
			all.Go(func() { _, _ = io.Copy(out, in); _ = out.Close() })
			all.Go(func() { _, _ = io.Copy(in, out); _ = in.Close() })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		mu.Lock()
		for _, c := range open {
			_ = c.Close()
		}
		mu.Unlock()
		all.Wait()
	})
}
