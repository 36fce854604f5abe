package eventkit

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
)

const (
	// settleTime is how long a call waits for a partition on the move: its topic was just made, or
	// its leader hands over. A broker that died keeps its partitions longer (9 s by default); that
	// is left to the callers.
	settleTime = 5 * time.Second
	settlePoll = 100 * time.Millisecond
	// forgetInterval bounds how often the cluster is asked anew who leads what.
	forgetInterval = time.Second
)

// leaders is when a Conn last forgot who leads what.
type leaders struct {
	mu        sync.Mutex
	forgotten time.Time
}

// forgetLeaders has the next call ask the cluster who leads what. By itself kafka-go goes on with
// what it knows for up to MetadataTTL, and longer when the broker that it asks hangs.
func (c *Conn) forgetLeaders() {
	c.leaders.mu.Lock()
	defer c.leaders.mu.Unlock()
	if time.Since(c.leaders.forgotten) >= forgetInterval {
		c.leaders.forgotten = time.Now()
		c.transport.CloseIdleConnections() // kafka-go keeps the leaders with the connections
	}
}

// settled repeats try, which must be safe to repeat, while its partition is on the move.
func (c *Conn) settled(ctx context.Context, try func() error) error {
	deadline := time.Now().Add(settleTime)
	for {
		err := try()
		if err == nil {
			return nil
		}
		if errors.Is(ctx.Err(), context.Canceled) {
			return err // the caller went away: that says nothing about the cluster
		}
		c.forgetLeaders()
		if !moving(err) || time.Now().After(deadline) || ctx.Err() != nil {
			return err
		}
		pause(ctx, settlePoll)
	}
}

// moving reports whether this may be the answer of a broker that does not lead the partition, or
// not yet. A write that got it may be in the log all the same: a leader that loses the partition
// while it waits for the other replicas says so too.
func moving(err error) bool {
	for _, answer := range []error{
		kafka.NotLeaderForPartition, kafka.LeaderNotAvailable, kafka.UnknownTopicOrPartition,
		kafka.FencedLeaderEpoch, kafka.UnknownLeaderEpoch, kafka.OffsetNotAvailable, kafka.OffsetOutOfRange,
		protocol.ErrNoTopic, protocol.ErrNoPartition, protocol.ErrNoLeader,
	} {
		if errors.Is(err, answer) {
			return true
		}
	}
	return badChecksum(err)
}

// missing reports whether this is the answer of a broker that knows of no such topic.
func missing(err error) bool {
	return errors.Is(err, kafka.UnknownTopicOrPartition) || errors.Is(err, protocol.ErrNoTopic) || errors.Is(err, protocol.ErrNoPartition)
}

// produceAgain is produce for records that may stand in the log twice.
func (c *Conn) produceAgain(ctx context.Context, topic string, partition int, records []kafka.Record) error {
	return c.settled(ctx, func() error {
		for _, r := range records {
			for _, part := range []kafka.Bytes{r.Key, r.Value} {
				if part, ok := part.(io.Seeker); ok {
					if _, err := part.Seek(0, io.SeekStart); err != nil { // a try before has read it
						return err
					}
				}
			}
		}
		_, err := c.produce(ctx, topic, partition, records)
		return err
	})
}

// fetchOnce is one answer of the partition's leader. A broker that was cut off and does not know
// yet that another one leads ends its log where it stood, and a broker that dies while it answers
// leaves half a batch: an offset that is not there, or a bad checksum, is asked for again before it
// is believed.
func (c *Conn) fetchOnce(ctx context.Context, topic string, partition int, offset int64, maxBytes int64) (response *kafka.FetchResponse, err error) {
	err = c.settled(ctx, func() error {
		response, err = c.client.Fetch(ctx, &kafka.FetchRequest{
			Addr: c.addr, Topic: c.name(topic), Partition: partition, Offset: offset,
			MinBytes: 1, MaxBytes: maxBytes, MaxWait: fetchWait,
		})
		if err != nil {
			return err
		}
		return response.Error
	})
	return response, err
}

// offsetsOnce is one answer of the partition's leader.
func (c *Conn) offsetsOnce(ctx context.Context, topic string, partition int) (found kafka.PartitionOffsets, err error) {
	name := c.name(topic)
	err = c.settled(ctx, func() error {
		response, err := c.client.ListOffsets(ctx, &kafka.ListOffsetsRequest{
			Addr:   c.addr,
			Topics: map[string][]kafka.OffsetRequest{name: {kafka.FirstOffsetOf(partition), kafka.LastOffsetOf(partition)}},
		})
		if err != nil {
			return err
		}
		for _, p := range response.Topics[name] {
			if p.Partition == partition {
				found = p
				return p.Error
			}
		}
		return kafka.UnknownTopicOrPartition
	})
	return found, err
}
