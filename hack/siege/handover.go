package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/qingcang/qingcang/hack/siege/internal/field"
	"github.com/qingcang/qingcang/proto/eventkit"
)

const (
	// fullPause is what the scorecard asks for. CI resumes a paused publisher as soon as its lanes are
	// another's: the group gives a silent member up after 6 s, and no sooner can two publish one lane.
	fullPause = 30 * time.Second
	// handOverWithin bounds the wait for that.
	handOverWithin = time.Minute
	// together is how long both publish before it is counted, at least.
	together = time.Second
)

// twoPublishers pauses the replica that publishes some lanes under load until the other publishes
// them, and lets it go on: it believes to be the publisher still. A trial is one lane that two
// replicas have published at a time.
func twoPublishers(ctx context.Context, s *siege) error {
	var sales []field.Sale
	for range field.Lanes() {
		sales = append(sales, s.sale(10_000_000))
	}
	if err := s.Open(ctx, sales...); err != nil {
		return err
	}
	l, err := s.load(ctx, "hand", sales[0], 2*len(sales), sales[1:]...)
	if err != nil {
		return err
	}
	defer l.stop()
	log := newEventLog(s.Conn)
	for !s.over() {
		f := newFaults()
		lanes, err := l.twice(ctx)
		if err != nil {
			return err
		}
		if err := log.read(ctx, f); err != nil {
			return err
		}
		s.tell(fmt.Sprintf("hand-over after %d", s.tried), lanes, f.all()...)
	}
	l.stop()
	if err := l.judge(ctx); err != nil {
		return err
	}
	f := newFaults()
	if err := log.read(ctx, f); err != nil {
		return err
	}
	s.tellAfter(f.all()...)
	s.note("%d events, %d of them published again with the same bytes", log.events, log.repeats)
	return nil
}

// twice has the lanes of one replica published by two, and returns how many those are.
func (l *load) twice(ctx context.Context) (lanes int, err error) {
	of, err := l.AwaitPublishers(ctx, func(of map[string][]int) bool { return len(of) == len(field.Replicas) })
	if err != nil {
		return 0, err
	}
	victim := field.Replicas[l.rand.IntN(len(field.Replicas))]
	paused := time.Now()
	if err := l.Pause(victim); err != nil {
		return 0, err
	}
	waiting, cancel := context.WithTimeout(ctx, handOverWithin)
	defer cancel()
	_, err = l.AwaitPublishers(waiting, func(of map[string][]int) bool { return len(of[victim]) == 0 })
	if l.full {
		<-time.After(time.Until(paused.Add(fullPause)))
	}
	if err := errors.Join(err, l.Resume(victim)); err != nil {
		return 0, err
	}
	<-time.After(together)
	return len(of[victim]), l.Back(ctx, field.Replicas...)
}

// eventLog follows what the lanes publish, as a consumer does that trusts nobody.
type eventLog struct {
	conn            *eventkit.Conn
	next            []int64
	seen            map[string]map[string]eventkit.Event // by source and id
	last            map[string]eventkit.Event
	events, repeats int
}

func newEventLog(conn *eventkit.Conn) *eventLog {
	topic, _ := eventkit.TopicNamed(field.EventTopic)
	return &eventLog{conn: conn, next: make([]int64, topic.Partitions), seen: map[string]map[string]eventkit.Event{}, last: map[string]eventkit.Event{}}
}

// read takes what is new. An event that comes again must be the same in every byte; one that comes
// first must follow the one before it.
func (e *eventLog) read(ctx context.Context, f *faults) error {
	for partition := range e.next {
		end, err := e.conn.EndOffset(ctx, field.EventTopic, partition)
		if err != nil {
			return err
		}
		for e.next[partition] < end {
			records, err := e.conn.Fetch(ctx, field.EventTopic, partition, e.next[partition])
			if err != nil {
				return err
			}
			for _, r := range records {
				if err := e.take(r.Event, f); err != nil {
					return err
				}
				e.next[partition] = r.Offset + 1
			}
		}
	}
	return nil
}

func (e *eventLog) take(event eventkit.Event, f *faults) error {
	at, err := event.Position()
	if err != nil {
		return err
	}
	seen := e.seen[at.Source]
	if seen == nil {
		seen = map[string]eventkit.Event{}
		e.seen[at.Source] = seen
	}
	if before, again := seen[event.ID]; again {
		e.repeats++
		if before.Type != event.Type || before.Prev != event.Prev || !bytes.Equal(before.Data, event.Data) {
			f.add("event %s was published twice and says two things", event.ID)
		}
		return nil
	}
	if last := e.last[at.Source]; event.Prev != last.ID {
		f.add("event %s follows %q by its own word, and came after %q", event.ID, event.Prev, last.ID)
	}
	seen[event.ID], e.last[at.Source] = event, event
	e.events++
	return nil
}
