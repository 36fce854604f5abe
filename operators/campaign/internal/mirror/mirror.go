// Package mirror keeps in memory what campaigns.v1 and campaign-status.v1 hold, and writes the first.
package mirror

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"google.golang.org/protobuf/proto"
	"k8s.io/apimachinery/pkg/types"

	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
)

// The topics, by their logical names.
const (
	DesiredTopic = "campaigns.v1"
	StatusTopic  = "campaign-status.v1"
)

// Broker is what the mirror needs of Kafka; *eventkit.Conn is one.
type Broker interface {
	Table(ctx context.Context, topic string, apply func(key string, value []byte) error, caughtUp func()) error
	Put(ctx context.Context, topic, key string, m proto.Message) error
}

// Mirror is a view of both topics. Messages that it hands out are shared: read them only.
type Mirror struct {
	broker  Broker
	cluster string
	log     *slog.Logger
	ready   chan struct{}

	mu       sync.RWMutex
	desired  map[string]*campaignv1.Desired
	lanes    map[string]*campaignv1.Status
	onChange func(Change)
}

// Change tells that a lane said something new about a campaign of this cluster.
type Change struct {
	Campaign types.NamespacedName
	// Decisive is a change of more than the counts of stock and orders.
	Decisive bool
}

// New returns a mirror that is empty until Run. Cluster is the name under which this operator
// publishes: of other clusters' campaigns only the outline is kept.
func New(broker Broker, cluster string, log *slog.Logger) *Mirror {
	return &Mirror{
		broker: broker, cluster: cluster, log: log, ready: make(chan struct{}),
		desired: map[string]*campaignv1.Desired{}, lanes: map[string]*campaignv1.Status{},
	}
}

// Run reads both topics from their starts and follows them until ctx ends.
func (m *Mirror) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	var reading sync.WaitGroup
	reading.Add(2)
	go func() {
		reading.Wait()
		close(m.ready)
	}()
	group.Go(func() error { return m.broker.Table(ctx, DesiredTopic, m.applyDesired, reading.Done) })
	group.Go(func() error { return m.broker.Table(ctx, StatusTopic, m.applyStatus, reading.Done) })
	group.Go(func() error { m.complain(ctx); return nil })
	return group.Wait()
}

// complain logs from time to time that the topics cannot be read: the broker's errors are waited out
// in silence, and a topic that is missing would be waited for as silently.
func (m *Mirror) complain(ctx context.Context) {
	ticker := time.NewTicker(complainEvery)
	defer ticker.Stop()
	for {
		select {
		case <-m.ready:
			return
		case <-ctx.Done():
			return
		case <-ticker.C:
			m.log.Warn("the topics are not read yet: does the broker answer, and do both exist?",
				"topics", []string{DesiredTopic, StatusTopic})
		}
	}
}

const complainEvery = 10 * time.Second

// Ready tells whether all that the topics held at the start has been read.
func (m *Mirror) Ready() bool {
	select {
	case <-m.ready:
		return true
	default:
		return false
	}
}

// WaitReady waits until Ready.
func (m *Mirror) WaitReady(ctx context.Context) error {
	select {
	case <-m.ready:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("read %s and %s: %w", DesiredTopic, StatusTopic, ctx.Err())
	}
}

// OnChange sets who is told of changes from now on; nobody is told of what came before.
func (m *Mirror) OnChange(fn func(Change)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.onChange = fn
}

// Publish writes a campaign's desired state and returns when it is durable. The mirror shows it at
// once, so that the next plan does not publish it again before the topic brings it back.
func (m *Mirror) Publish(ctx context.Context, d *campaignv1.Desired) error {
	if err := m.broker.Put(ctx, DesiredTopic, d.GetUid(), d); err != nil {
		return err
	}
	m.keep(proto.CloneOf(d))
	return nil
}

// Of returns what is published of a campaign and what its lane says, nil for what is not known.
func (m *Mirror) Of(uid string) (*campaignv1.Desired, *campaignv1.Status) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.desired[uid], m.lanes[uid]
}

// Each calls fn for every published campaign, in no order. Fn must not call the mirror.
func (m *Mirror) Each(fn func(*campaignv1.Desired, *campaignv1.Status)) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	for uid, d := range m.desired {
		fn(d, m.lanes[uid])
	}
}
