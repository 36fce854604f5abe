package eventkit

import (
	"context"
	"errors"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
)

const (
	// settleTime is how long a call waits for partitions that move: a topic that was just made, or
	// a leader that hands over. A broker that died keeps its partitions longer (9 s by default),
	// and its callers wait for that.
	settleTime = 5 * time.Second
	settlePoll = 100 * time.Millisecond
	// forgetInterval bounds how often the leaders are looked up again, whoever asks.
	forgetInterval = time.Second
)

// settled repeats try, which must be safe to repeat, while the partition is on the move.
func (c *Conn) settled(ctx context.Context, try func() error) error {
	deadline := time.Now().Add(settleTime)
	for {
		err := try()
		if err == nil {
			return nil
		}
		c.forgetLeaders()
		if !moving(err) || time.Now().After(deadline) || ctx.Err() != nil {
			return err
		}
		pause(ctx, settlePoll)
	}
}

// moving reports whether the answer is one of a broker that does not lead the partition, or does
// not know it yet. After it a write may or may not be in the log: a leader that steps down while
// it waits for the others says the same.
func moving(err error) bool {
	for _, answer := range []error{
		kafka.NotLeaderForPartition, kafka.LeaderNotAvailable, kafka.UnknownTopicOrPartition,
		kafka.FencedLeaderEpoch, kafka.UnknownLeaderEpoch, kafka.OffsetNotAvailable,
		protocol.ErrNoTopic, protocol.ErrNoPartition, protocol.ErrNoLeader,
	} {
		if errors.Is(err, answer) {
			return true
		}
	}
	return false
}

// forgetLeaders has the next call ask the cluster who leads what. By itself kafka-go keeps asking
// the broker that it knew for up to MetadataTTL, and goes on when that one is gone.
func (c *Conn) forgetLeaders() {
	c.forgetting.Lock()
	defer c.forgetting.Unlock()
	if time.Since(c.forgotten) >= forgetInterval {
		c.forgotten = time.Now()
		c.transport.CloseIdleConnections() // what it knows goes with its connections
	}
}
