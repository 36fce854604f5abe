package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/qingcang/qingcang/hack/internal/stack"
	"github.com/qingcang/qingcang/proto/eventkit"
)

const (
	laneTopic  = "lanes.shared.v1" // LogAppendTime, appended to in batches
	eventTopic = "order.events.v1" // published to and heard by a group
	// faultTime outlives a broker's session (9 s): the cluster has gone on without it by then.
	faultTime = 12 * time.Second
	// settled bounds the wait for all replicas after a fault.
	settled = 3 * time.Minute
)

// One broker at a time is killed, paused and restarted while records are appended, and events are
// published and heard. Nothing that was acknowledged may be missing, and no event left out.
func TestNothingAcknowledgedIsLostWhileBrokersFail(t *testing.T) {
	if os.Getenv("QINGCANG_REAL_KAFKA") == "" {
		t.Skip("it needs Java and Maven and takes three minutes: set QINGCANG_REAL_KAFKA=1 to run it")
	}
	cluster, supervisor := startCluster(t)
	conn, err := eventkit.Dial(eventkit.Config{Brokers: strings.Split(cluster.Addresses(), ",")})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, name := range []string{laneTopic, eventTopic} {
		topic, _ := eventkit.TopicNamed(name)
		if err := conn.Ensure(t.Context(), topic); err != nil {
			t.Fatal(err)
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	appender, publisher, listener := &appender{conn: conn}, &publisher{conn: conn}, &listener{}
	var work sync.WaitGroup
	work.Go(func() { appender.run(ctx) })
	work.Go(func() { publisher.run(ctx) })
	hearing, deafen := context.WithCancel(t.Context())
	defer deafen()
	heard := make(chan error, 1)
	go func() {
		heard <- conn.Consume(hearing, eventkit.Group{ID: "listener", Log: log, Topics: map[string]eventkit.Role{eventTopic: {Handle: listener.handle}}})
	}()

	for _, fault := range faults(cluster) {
		before := appender.acknowledged()
		if err := fault.play(); err != nil {
			t.Fatalf("%s: %v", fault.name, err)
		}
		wait(t, faultTime)
		if err := fault.end(); err != nil {
			t.Fatalf("%s: %v", fault.name, err)
		}
		waiting, cancel := context.WithTimeout(t.Context(), settled)
		if err := cluster.WaitInSync(waiting); err != nil {
			t.Fatalf("after %s: %v", fault.name, err)
		}
		cancel()
		t.Logf("%s: %d records acknowledged meanwhile, longest wait for one %.1f s, %d writes failed so far",
			fault.name, appender.acknowledged()-before, appender.longest().Seconds(), appender.failures())
	}
	stop()
	work.Wait()

	appender.check(t)
	published := publisher.published()
	deadline := time.Now().Add(settled)
	for listener.count() < published && time.Now().Before(deadline) {
		wait(t, 100*time.Millisecond)
	}
	deafen()
	if err := <-heard; err != nil {
		t.Error(err)
	}
	if got := listener.count(); got != published || listener.leapt {
		t.Errorf("heard %d events of %d published; an event was left out: %t", got, published, listener.leapt)
	}
	t.Logf("%d records acknowledged, %d events published and heard", appender.acknowledged(), published)
	select {
	case err := <-supervisor.Failed():
		t.Error(err)
	default:
	}
}

type fault struct {
	name      string
	play, end func() error
}

func faults(k *stack.Kafka) []fault {
	nothing := func() error { return nil }
	return []fault{
		{"killed broker 1", func() error { return k.Kill(1) }, nothing},
		{"halted broker 2", func() error { return k.Halt(2) }, func() error { return k.Release(2) }},
		{"paused broker 3", func() error { return k.Pause(3) }, func() error { return k.Resume(3) }},
		{"restarted broker 1", func() error { return k.Restart(1) }, nothing},
		{"paused broker 1", func() error { return k.Pause(1) }, func() error { return k.Resume(1) }},
	}
}

func startCluster(t *testing.T) (*stack.Kafka, *stack.Supervisor) {
	t.Helper()
	root, err := stack.Root()
	if err != nil {
		t.Fatal(err)
	}
	jars, err := stack.FetchKafka(t.Context(), root, os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	supervisor, err := stack.NewSupervisor(dir+"/logs", slog.New(slog.NewTextHandler(t.Output(), nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(supervisor.Stop)
	kafka, err := stack.StartKafka(t.Context(), supervisor, jars, dir)
	if err != nil {
		t.Fatal(err)
	}
	return kafka, supervisor
}

func wait(t *testing.T, d time.Duration) {
	t.Helper()
	select {
	case <-time.After(d):
	case <-t.Context().Done():
	}
}

// appender writes numbers in small batches, as a lane does, and remembers where it was told that
// they stand. After an error a batch may or may not be there, and its numbers are not used again.
type appender struct {
	conn *eventkit.Conn

	mu     sync.Mutex
	next   int
	at     map[int64]int // number by offset, of acknowledged batches
	slow   time.Duration
	failed int
}

func (a *appender) run(ctx context.Context) {
	const batch = 5
	a.at = map[int64]int{}
	lastGood := time.Now()
	for ctx.Err() == nil {
		first := a.next
		values := make([][]byte, batch)
		for i := range values {
			values[i] = strconv.AppendInt(nil, int64(first+i), 10)
		}
		a.next += batch
		done, err := a.conn.Append(context.WithoutCancel(ctx), laneTopic, 0, values)
		a.mu.Lock()
		if err != nil {
			a.failed++
		} else {
			for i := range values {
				a.at[done.BaseOffset+int64(i)] = first + i
			}
			a.slow, lastGood = max(a.slow, time.Since(lastGood)), time.Now()
		}
		a.mu.Unlock()
		select {
		case <-ctx.Done():
		case <-time.After(2 * time.Millisecond):
		}
	}
}

func (a *appender) acknowledged() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.at)
}

func (a *appender) failures() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.failed
}

// longest is the longest time without an acknowledgement since it was asked last.
func (a *appender) longest() time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	slow := a.slow
	a.slow = 0
	return slow
}

// check reads the whole log.
func (a *appender) check(t *testing.T) {
	t.Helper()
	end, err := a.conn.EndOffset(t.Context(), laneTopic, 0)
	if err != nil {
		t.Fatal(err)
	}
	found, unacknowledged := 0, 0
	for next := int64(0); next < end; {
		records, err := a.conn.Fetch(t.Context(), laneTopic, 0, next)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range records {
			if r.Offset != next {
				t.Fatalf("offset %d follows %d", r.Offset, next-1)
			}
			next++
			want, ok := a.at[r.Offset]
			if !ok {
				unacknowledged++
				continue
			}
			found++
			if string(r.Value) != strconv.Itoa(want) {
				t.Errorf("at %d stands %s, acknowledged was %d", r.Offset, r.Value, want)
			}
		}
	}
	if found != len(a.at) {
		t.Errorf("%d of %d acknowledged records are there", found, len(a.at))
	}
	t.Logf("%d records in the log, %d of them in batches that were not acknowledged", end, unacknowledged)
}

// publisher publishes a chain of events, as a journal's relay does: what failed is published again.
type publisher struct {
	conn *eventkit.Conn
	done int
}

const source = "order/0"

func (p *publisher) run(ctx context.Context) {
	for ctx.Err() == nil {
		e := eventkit.Event{ID: eventID(p.done + 1), Type: "order.v1.OrderPaid", Subject: "ord", Time: time.Now()}
		if p.done > 0 {
			e.Prev = eventID(p.done)
		}
		if err := p.conn.Publish(context.WithoutCancel(ctx), eventTopic, 0, []eventkit.Event{e}); err == nil {
			p.done++
		}
		select {
		case <-ctx.Done():
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// published is called when run has returned.
func (p *publisher) published() int { return p.done }

func eventID(n int) string { return eventkit.Position{Source: source, Seq: uint64(n)}.String() }

// listener counts events that come in their order.
type listener struct {
	mu    sync.Mutex
	heard int
	leapt bool // an event came before the one before it
}

func (l *listener) handle(_ context.Context, records []eventkit.Record) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range records {
		p, err := r.Event.Position()
		if err != nil {
			return err
		}
		switch {
		case p.Seq == uint64(l.heard+1):
			l.heard++
		case p.Seq > uint64(l.heard):
			l.leapt = true
			return errors.New("an event was left out")
		default:
			// Another assignment begins at what is committed, and hears again what came after it.
		}
	}
	return nil
}

func (l *listener) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.heard
}
