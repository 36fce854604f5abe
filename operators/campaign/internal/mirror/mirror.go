// Package mirror keeps in memory what campaigns.v1, programs.v1 and campaign-status.v1 hold, and writes
// the first two.
package mirror

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"
	"google.golang.org/protobuf/proto"

	"github.com/qingcang/qingcang/proto/eventkit"
	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
	programv1 "github.com/qingcang/qingcang/proto/gen/program/v1"
)

// The topics, by their logical names.
const (
	DesiredTopic = "campaigns.v1"
	ProgramTopic = "programs.v1"
	StatusTopic  = "campaign-status.v1"
)

// Broker is what the mirror needs of Kafka; *eventkit.Conn is one.
type Broker interface {
	Follow(ctx context.Context, topic string, apply func(eventkit.Record) error, caughtUp func()) error
	Put(ctx context.Context, topic, key string, m proto.Message) error
	EndOffset(ctx context.Context, topic string, partition int) (int64, error)
}

// Watcher is told of the records as they are read.
type Watcher interface {
	// Read tells of a record that was taken in or parked.
	Read(topic string, partition int, offset int64)
	// Parked tells of a record that is not obeyed.
	Parked(topic, cause string)
}

// Mirror is a view of the three topics. Messages that it hands out are shared: read them only.
type Mirror struct {
	Campaigns *Records[*campaignv1.Desired]
	Programs  *Records[*programv1.Desired]

	lanes *Lanes
	log   *slog.Logger
}

// New returns a mirror that is empty until Run. Cluster is the name under which this operator
// publishes: of other clusters' records only the outline is kept.
func New(broker Broker, cluster string, watcher Watcher, log *slog.Logger) *Mirror {
	lanes := &Lanes{
		cluster: cluster, broker: broker, watcher: watcher, log: log,
		ready: make(chan struct{}), now: time.Now, ends: map[lane]int64{}, kept: map[string]said{},
	}
	lanes.campaigns = newRecords(DesiredTopic, cluster, broker, watcher, log, codec[*campaignv1.Desired]{
		empty:   func() *campaignv1.Desired { return &campaignv1.Desired{} },
		outline: func(d *campaignv1.Desired) *campaignv1.Desired { d.Items = nil; return d },
		end: func(uid string, generation int64) *campaignv1.Desired {
			return &campaignv1.Desired{Uid: uid, Generation: generation, Closed: true}
		},
		onClosed: lanes.forget,
	})
	programs := newRecords(ProgramTopic, cluster, broker, watcher, log, codec[*programv1.Desired]{
		empty:   func() *programv1.Desired { return &programv1.Desired{} },
		outline: func(d *programv1.Desired) *programv1.Desired { d.Ranks = nil; return d },
		end: func(uid string, generation int64) *programv1.Desired {
			return &programv1.Desired{Uid: uid, Generation: generation, Closed: true}
		},
	})
	return &Mirror{Campaigns: lanes.campaigns, Programs: programs, lanes: lanes, log: log}
}

// Run reads the topics from their starts and follows them until ctx ends.
func (m *Mirror) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return m.Campaigns.run(ctx) })
	group.Go(func() error { return m.Programs.run(ctx) })
	group.Go(func() error { return m.lanes.run(ctx) })
	group.Go(func() error { m.complain(ctx); return nil })
	return group.Wait()
}

// complain logs from time to time that the topics cannot be read: the broker's errors are waited out
// in silence, and a topic that is missing would be waited for as silently.
func (m *Mirror) complain(ctx context.Context) {
	for {
		patience, cancel := context.WithTimeout(ctx, complainEvery)
		err := m.WaitReady(patience)
		cancel()
		if err == nil || ctx.Err() != nil {
			return
		}
		m.log.Warn("the topics are not read yet: does the broker answer, and do all exist?", "err", err)
	}
}

const complainEvery = 10 * time.Second

// Ready tells whether all that the topics held at the start has been read.
func (m *Mirror) Ready() bool {
	select {
	case <-m.lanes.ready: // which begins behind the campaigns
		return m.Programs.Ready()
	default:
		return false
	}
}

// WaitReady waits until Ready.
func (m *Mirror) WaitReady(ctx context.Context) error {
	for _, ready := range []chan struct{}{m.Campaigns.ready, m.Programs.ready, m.lanes.ready} {
		select {
		case <-ready:
		case <-ctx.Done():
			return fmt.Errorf("read %s, %s and %s: %w", DesiredTopic, ProgramTopic, StatusTopic, ctx.Err())
		}
	}
	return nil
}

// OnChange sets who is told of what is said about campaigns from now on; nobody is told of what came
// before.
func (m *Mirror) OnChange(fn func(Change)) {
	m.lanes.mu.Lock()
	defer m.lanes.mu.Unlock()
	m.lanes.onChange = fn
}

// Lane returns what a campaign's lane says of it, nil if it never spoke of it or the campaign is closed, and
// when that was heard: zero for what it said before this process listened.
func (m *Mirror) Lane(uid string) (*campaignv1.Status, time.Time) {
	word := m.lanes.of(uid)
	return word.status, word.at
}

// Open is how many campaigns sell that are not closed.
func (m *Mirror) Open() int {
	m.lanes.mu.RLock()
	defer m.lanes.mu.RUnlock()
	return m.lanes.open
}

// Each calls fn with the outline of every published campaign that is not closed for good, and what its lane
// says, in no order.
func (m *Mirror) Each(fn func(*campaignv1.Desired, *campaignv1.Status)) {
	for _, d := range m.Campaigns.Outlines() {
		fn(d, m.lanes.of(d.GetUid()).status)
	}
}
