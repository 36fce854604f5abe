package metrics

import (
	"context"
	"sync"
	"time"
)

// Ends is what Reading asks of Kafka; *eventkit.Conn is one.
type Ends interface {
	EndOffset(ctx context.Context, topic string, partition int) (int64, error)
}

// Reading keeps how far each partition has been read.
type Reading struct {
	mu   sync.Mutex
	next map[part]int64
}

type part struct {
	topic     string
	partition int
}

// lagEvery is the pause between two looks at the ends of the topics: eleven questions to the broker.
const lagEvery = 15 * time.Second

var lag = gauge("mirror_lag_records", "Records that stand in a topic and are not read yet, as of the last look.", "topic")

// NewReading returns one that knows of the partitions of topics, none of them read.
func NewReading(partitions map[string]int) *Reading {
	r := &Reading{next: map[part]int64{}}
	for topic, n := range partitions {
		for p := range n {
			r.next[part{topic, p}] = 0
		}
	}
	return r
}

// Read tells of a record that was read.
func (r *Reading) Read(topic string, partition int, offset int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.next[part{topic, partition}] = offset + 1
}

// Parked tells of a record that is not obeyed.
func (r *Reading) Parked(topic, cause string) { Parked.WithLabelValues(topic, cause).Inc() }

// Run looks from time to time how far the reading is behind, until ctx ends.
func (r *Reading) Run(ctx context.Context, broker Ends) {
	ticker := time.NewTicker(lagEvery)
	defer ticker.Stop()
	for {
		r.look(ctx, broker)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// look keeps the last figures of topics whose broker does not answer.
func (r *Reading) look(ctx context.Context, broker Ends) {
	behind, unknown := map[string]int64{}, map[string]bool{}
	for p, next := range r.positions() {
		end, err := broker.EndOffset(ctx, p.topic, p.partition)
		if err != nil {
			unknown[p.topic] = true
			continue
		}
		behind[p.topic] += max(end-next, 0)
	}
	for topic, n := range behind {
		if !unknown[topic] {
			lag.WithLabelValues(topic).Set(float64(n))
		}
	}
}

func (r *Reading) positions() map[part]int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	copied := make(map[part]int64, len(r.next))
	for p, n := range r.next {
		copied[p] = n
	}
	return copied
}
