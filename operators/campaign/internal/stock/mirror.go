package stock

import (
	"context"
	"log/slog"
	"sync"

	"github.com/qingcang/qingcang/proto/eventkit"
)

// Topic is what the mirror reads, by its logical name.
const Topic = "brand.events.v1"

// Broker is what the mirror needs of Kafka; *eventkit.Conn is one.
type Broker interface {
	Follow(ctx context.Context, topic string, apply func(eventkit.Record) error, caughtUp func()) error
}

// Watcher is told of the records as they are read.
type Watcher interface {
	// Read tells of a record that was taken in or parked.
	Read(topic string, partition int, offset int64)
	// Parked tells of a record that is not obeyed.
	Parked(topic, cause string)
}

// Mirror is a view of brand.events.v1.
type Mirror struct {
	broker  Broker
	watcher Watcher
	log     *slog.Logger
	ready   chan struct{}

	mu       sync.RWMutex
	book     *book
	onChange func(brandID string)
}

// New returns a mirror that is empty until Run.
func New(broker Broker, watcher Watcher, log *slog.Logger) *Mirror {
	return &Mirror{broker: broker, watcher: watcher, log: log, ready: make(chan struct{}), book: newBook()}
}

// Run reads the topic from its start and follows it until ctx ends.
func (m *Mirror) Run(ctx context.Context) error {
	return m.broker.Follow(ctx, Topic, m.apply, func() {
		close(m.ready)
		m.tell("") // whoever waits for stock is looked at, now that all of it is known
	})
}

// apply takes a record. One that cannot be obeyed is counted and passed over: it would hold up what
// every other brand says.
func (m *Mirror) apply(r eventkit.Record) error {
	m.mu.Lock()
	gained, parked := m.book.apply(r.Event)
	m.mu.Unlock()
	m.watcher.Read(Topic, r.Partition, r.Offset)
	if parked != "" {
		m.watcher.Parked(Topic, parked)
		m.log.Error("a record is parked", "topic", Topic, "partition", r.Partition, "offset", r.Offset, "cause", parked)
	}
	if gained != "" && m.Ready() {
		m.tell(gained)
	}
	return nil
}

func (m *Mirror) tell(brandID string) {
	m.mu.RLock()
	fn := m.onChange
	m.mu.RUnlock()
	if fn != nil {
		fn(brandID)
	}
}

// OnChange sets who is told of a brand that has something more to give than before; an empty id is
// every brand.
func (m *Mirror) OnChange(fn func(brandID string)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.onChange = fn
}

// Ready tells whether all that the topic held at the start has been read.
func (m *Mirror) Ready() bool {
	select {
	case <-m.ready:
		return true
	default:
		return false
	}
}

// SKUs is how many are known, of all brands.
func (m *Mirror) SKUs() int {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.book.skus
}

// View is what is known of a brand for one campaign. It is a copy.
type View struct {
	// Known tells whether the whole topic has been read; a view before that may lack anything.
	Known    bool
	Standing Standing
	// Goods are those that were asked for and are approved, by SKU.
	Goods []Goods
	// Refused is the generation of the campaign that the pool refused last, 0 if it gave since.
	Refused int64
	// Gained tells whether the brand has got something to give since that refusal.
	Gained bool
}

// Brand views all goods of a brand, as a selector needs them.
func (m *Mirror) Brand(brandID, campaignUID string) View {
	return m.view(brandID, campaignUID, (*brand).all)
}

// Of views those goods of a brand that a campaign names.
func (m *Mirror) Of(brandID, campaignUID string, skus []string) View {
	return m.view(brandID, campaignUID, func(b *brand) []Goods { return b.of(skus) })
}

func (m *Mirror) view(brandID, campaignUID string, choose func(*brand) []Goods) View {
	v := View{Known: m.Ready()}
	m.mu.RLock()
	defer m.mu.RUnlock()
	refusal, refused := m.book.refusals[campaignUID]
	known := m.book.brands[brandID]
	if known == nil {
		return v
	}
	v.Standing, v.Goods = known.standing, choose(known)
	if refused {
		v.Refused, v.Gained = refusal.generation, known.gains > refusal.gains
	}
	return v
}
