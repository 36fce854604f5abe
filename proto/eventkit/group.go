package eventkit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
)

// Group is a service's membership in one consumer group over all the topics it has a role for.
// The range assignment gives a member the same partition numbers of every topic.
type Group struct {
	// ID is the group's name, before which the topic prefix is put.
	ID     string
	Topics map[string]Role
	Log    *slog.Logger
}

// Role is what to do with the assigned partitions of a topic: handle their records, or own them.
type Role struct {
	// Handle gets records of one partition in order; offsets are committed after it returned nil.
	// Repeats within a source are dropped before; an error is retried with the same records, after a
	// pause that grows.
	Handle func(ctx context.Context, records []Record) error
	// Own runs while the partition is assigned, and must return when ctx ends. When it returns an
	// error before that, it is started again after a pause.
	Own func(ctx context.Context, a Assignment) error
}

// Assignment is one partition that this process has been given. It is a hint, not a lock: another
// process may believe the same for some seconds.
type Assignment struct {
	Topic     string
	Partition int
	// Committed is the group's committed offset, 0 if there is none yet.
	Committed int64
	commit    func(offset int64) error
}

// Commit records that everything before offset is done.
func (a Assignment) Commit(offset int64) error {
	if err := a.commit(offset); err != nil {
		return fmt.Errorf("commit %s/%d at %d: %w", a.Topic, a.Partition, offset, err)
	}
	return nil
}

// Timing of the group protocol. A dead member's partitions move after sessionTimeout; 6 s is the
// least that brokers take by default.
const (
	sessionTimeout    = 6 * time.Second
	rebalanceTimeout  = 10 * time.Second
	heartbeatInterval = 500 * time.Millisecond
	commitInterval    = 500 * time.Millisecond
	// leaveTimeout is well inside what a stopping service is given.
	leaveTimeout = 8 * time.Second
)

// Consume joins the group and works until ctx ends. It returns when every handler has returned and
// the group knows that this member left, at the latest eight seconds after. A broker that is away, at the start too, is waited for.
func (c *Conn) Consume(ctx context.Context, g Group) error {
	if g.Log == nil {
		g.Log = slog.New(slog.DiscardHandler)
	}
	topics := make([]string, 0, len(g.Topics))
	for topic := range g.Topics {
		topics = append(topics, c.name(topic))
	}
	slices.Sort(topics)
	group, err := kafka.NewConsumerGroup(kafka.ConsumerGroupConfig{
		ID: c.name(g.ID), Brokers: c.cfg.Brokers, Dialer: c.dialer, Topics: topics,
		GroupBalancers: []kafka.GroupBalancer{kafka.RangeGroupBalancer{}},
		SessionTimeout: sessionTimeout, RebalanceTimeout: rebalanceTimeout, HeartbeatInterval: heartbeatInterval,
		JoinGroupBackoff: time.Second, StartOffset: kafka.FirstOffset,
	})
	if err != nil {
		return fmt.Errorf("prepare consumer group %s: %w", g.ID, err)
	}
	leave := sync.OnceValue(func() (left <-chan struct{}) { // by whoever comes first; the other waits for it
		done := make(chan struct{})
		go func() {
			defer close(done)
			c.leave(ctx, g, group)
		}()
		return done
	})
	defer func() { <-leave() }()
	stop := context.AfterFunc(ctx, func() { leave() }) // Next waits in a join that does not look at ctx
	defer stop()
	for {
		generation, err := group.Next(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if errors.Is(err, kafka.ErrGroupClosed) {
			return nil
		}
		if err != nil {
			g.Log.WarnContext(ctx, "consumer group: join failed, trying again", "group", g.ID, "error", err)
			pause(ctx, retryPause)
			continue
		}
		c.startGeneration(ctx, g, generation)
	}
}

// leave ends the membership and waits for the handlers. A join under way cannot be interrupted and
// may take as long as the group's members are given to rejoin; a process that stops does not wait
// for it: the broker forgets the member after sessionTimeout.
func (c *Conn) leave(ctx context.Context, g Group, group *kafka.ConsumerGroup) {
	left := make(chan struct{})
	go func() {
		defer close(left)
		_ = group.Close()
	}()
	timer := time.NewTimer(leaveTimeout)
	defer timer.Stop()
	select {
	case <-left:
	case <-timer.C:
		g.Log.WarnContext(ctx, "consumer group: left without the broker's word", "group", g.ID)
	}
}

func (c *Conn) startGeneration(ctx context.Context, g Group, generation *kafka.Generation) {
	for topic, role := range g.Topics {
		for _, p := range generation.Assignments[c.name(topic)] {
			assignment := Assignment{
				Topic: topic, Partition: p.ID, Committed: max(p.Offset, 0),
				commit: func(offset int64) error {
					return generation.CommitOffsets(map[string]map[int]int64{c.name(topic): {p.ID: offset}})
				},
			}
			generation.Start(func(generationCtx context.Context) {
				// The generation's context carries no values and does not end with ctx.
				run, cancel := context.WithCancel(ctx)
				defer cancel()
				stop := context.AfterFunc(generationCtx, cancel)
				defer stop()
				c.keepRunning(run, g, role, assignment)
			})
		}
	}
}

// Waits before a stopped partition is started again. Only one that a hole in the log stops waits
// longer each time: it would read the log over and over. The others go on soon after the broker.
const (
	restartPause    = time.Second
	maxRestartPause = 30 * time.Second
)

// keepRunning works on one partition until it is taken away.
func (c *Conn) keepRunning(ctx context.Context, g Group, role Role, a Assignment) {
	work := func() error { return role.Own(ctx, a) }
	if role.Own == nil {
		reader := &partitionReader{conn: c, handle: role.Handle, at: a, log: g.Log, next: a.Committed, committed: a.Committed}
		defer reader.leave(ctx)
		work = func() error { return reader.run(ctx) }
	}
	wait := restartPause
	for ctx.Err() == nil {
		err := work()
		if ctx.Err() != nil {
			return
		}
		g.Log.ErrorContext(ctx, "partition stopped, starting it again", "group", g.ID, "topic", a.Topic, "partition", a.Partition, "error", err)
		pause(ctx, wait)
		if errors.Is(err, ErrGap) || unreadable(err) {
			wait = min(2*wait, maxRestartPause)
		} else {
			wait = restartPause
		}
	}
}
