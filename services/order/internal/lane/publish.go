package lane

import (
	"context"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
	"google.golang.org/protobuf/proto"

	"github.com/qingcang/qingcang/proto/eventkit"
	"github.com/qingcang/qingcang/services/order/internal/ledger"
)

// EventTopic takes what the lanes decide.
const EventTopic = "order.lane-events.v1"

const (
	publishBatch = 1_000
	commitEvery  = 500 * time.Millisecond
	// followEvery is how often a replica that does not publish asks how far the
	// publisher is, to forget what it keeps for taking over.
	followEvery = 5 * time.Second
)

// own is the work of the lane's publisher while the partition is assigned here.
// A second, stale publisher can only repeat itself: ids and order of the events
// are the log's, and consumers drop what they have seen.
func (l *Lane) own(ctx context.Context, a eventkit.Assignment, cfg Config) error {
	if err := l.awaitGoal(ctx); err != nil {
		return err // ctx ended
	}
	published, err := l.lastPublished(ctx)
	if err != nil {
		return err
	}
	l.forget(published)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return l.publish(ctx, a, cfg) })
	keep := func(task func(context.Context) error) {
		group.Go(func() error { return l.acrossStops(ctx, task) })
	}
	keep(func(ctx context.Context) error { return l.switchRules(ctx, cfg.Rules) })
	keep(l.keepTime)
	keep(func(ctx context.Context) error { return l.keepWanting(ctx, cfg.Campaigns) })
	keep(func(ctx context.Context) error { return l.keepSnapshots(ctx, cfg.SnapshotEvery) })
	keep(func(ctx context.Context) error { return l.conclude(ctx, cfg.Alongside) })
	return group.Wait()
}

// awaitGoal waits until the lane has caught up: before that, it would ask for
// ticks and campaigns that are in the log already. A stopped lane is as far as
// it will come.
func (l *Lane) awaitGoal(ctx context.Context) error {
	if err := l.showAt(ctx, 0, ignore); err != nil {
		return err
	}
	l.mu.RLock()
	goal := l.goal
	l.mu.RUnlock()
	if err := l.showAt(ctx, goal, ignore); err != nil && l.Stopped() == "" {
		return err
	}
	return nil
}

// acrossStops does a task of the publisher. One that ended because the lane stands
// still is begun again when the lane has been mended and has caught up; meanwhile,
// what it decided before is still published, and it has complained itself.
func (l *Lane) acrossStops(ctx context.Context, task func(context.Context) error) error {
	for {
		err := task(ctx)
		if err == nil || l.Stopped() == "" {
			return err
		}
		if !l.awaitMended(ctx) {
			return nil
		}
		if err := l.awaitGoal(ctx); err != nil {
			return err // ctx ended
		}
	}
}

// awaitMended waits until the lane does not stand still any more; false when ctx ends.
func (l *Lane) awaitMended(ctx context.Context) bool {
	for ctx.Err() == nil {
		l.mu.RLock()
		stopped, changed := l.stopped, l.changed
		l.mu.RUnlock()
		if stopped == nil {
			return true
		}
		wait(ctx, changed)
	}
	return false
}

// publish sends the events of the outbox in order, one batch in flight, and
// commits how far the lane is. The commit is for those who watch the group's
// lag; a new publisher goes by the events that stand in the topic.
func (l *Lane) publish(ctx context.Context, a eventkit.Assignment, cfg Config) error {
	committed, committedAt := a.Committed, time.Now()
	for ctx.Err() == nil {
		batch, next, changed := l.unpublished()
		if len(batch) > 0 {
			events, err := l.events(batch)
			if err != nil {
				return err
			}
			if err := l.conn.Publish(ctx, EventTopic, l.eventShard, events); err != nil {
				return err
			}
			cfg.measures.published(ctx, events)
			l.forget(batch[len(batch)-1].event.At)
			continue
		}
		if next > committed && time.Since(committedAt) > commitEvery {
			if err := a.Commit(next); err != nil {
				return err
			}
			committed, committedAt = next, time.Now()
		}
		waitAtMost(ctx, changed, commitEvery)
	}
	return nil
}

func (l *Lane) unpublished() (batch []announcement, next int64, changed <-chan struct{}) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return slices.Clone(l.outbox[:min(publishBatch, len(l.outbox))]), l.next, l.changed
}

func (l *Lane) events(batch []announcement) ([]eventkit.Event, error) {
	events := make([]eventkit.Event, 0, len(batch))
	for _, a := range batch {
		data, err := proto.Marshal(a.event.Message)
		if err != nil {
			return nil, fmt.Errorf("encode the event at %v: %w", a.event.At, err)
		}
		events = append(events, eventkit.Event{
			ID: l.eventID(a.event.At), Prev: l.eventID(a.event.Prev), Data: data, Time: a.time, Traceparent: a.trace.String(),
			Type: string(a.event.Message.ProtoReflect().Descriptor().FullName()), Subject: subject(a.event.Message),
		})
	}
	return events, nil
}

// subject is what an event is about: its order, else its campaign.
func subject(m proto.Message) string {
	if about, ok := m.(interface{ GetOrderId() string }); ok {
		return about.GetOrderId()
	}
	if about, ok := m.(interface{ GetCampaignUid() string }); ok {
		return about.GetCampaignUid()
	}
	return ""
}

// forget drops the events up to the position from the outbox: they are published.
func (l *Lane) forget(published ledger.Position) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !published.After(l.published) {
		return
	}
	l.published = published
	n := 0
	for n < len(l.outbox) && !l.outbox[n].event.At.After(published) {
		n++
	}
	clear(l.outbox[:n]) // or the old events would stay in memory
	l.outbox = l.outbox[n:]
	l.wake()
}

// followPublished forgets what another replica has published, and what nobody will ask for.
func (l *Lane) followPublished(ctx context.Context) {
	for ctx.Err() == nil {
		pause(ctx, followEvery)
		l.recent.clearIdle()
		l.mu.RLock()
		waiting := len(l.outbox)
		l.mu.RUnlock()
		if waiting == 0 {
			continue
		}
		published, err := l.lastPublished(ctx)
		if err != nil {
			if ctx.Err() == nil {
				l.log.WarnContext(ctx, "cannot see how far the lane is published", "err", err)
			}
			continue
		}
		l.forget(published)
	}
}

func waitAtMost(ctx context.Context, changed <-chan struct{}, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-changed:
	case <-timer.C:
	}
}
