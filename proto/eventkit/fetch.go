package eventkit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/segmentio/kafka-go"
)

// Bounds of one fetch. fetchWait is how long a broker may wait for the first record.
const (
	fetchWait     = 500 * time.Millisecond
	fetchMaxBytes = 1 << 20
)

// ErrTruncated says that the log no longer holds, or never held, the offset asked for.
var ErrTruncated = errors.New("the log does not hold that offset")

// ErrCorrupt says that the checksum of the batch at that offset is wrong. What stands before it has
// been read; asking again helps only where another replica is whole and comes to lead.
var ErrCorrupt = errors.New("the batch there has a wrong checksum")

// ErrNoTopic says that the cluster has no such topic or partition, or has just been told to make it.
var ErrNoTopic = errors.New("no such topic")

// unreadable reports whether the log itself is at fault, and not the way to it.
func unreadable(err error) bool { return errors.Is(err, ErrTruncated) || errors.Is(err, ErrCorrupt) }

// Record is one record of a partition as read.
type Record struct {
	Topic     string
	Partition int
	Offset    int64
	Key       []byte
	// Value is nil for a tombstone.
	Value []byte
	// Event is what the CloudEvents headers say; its ID is empty where there are none.
	Event Event
}

// Fetch returns records of a partition from offset on, in order and without a gap in what the
// broker holds. It waits up to half a second for the first and may return none. The error
// wraps ErrTruncated or ErrCorrupt where the log cannot be read.
func (c *Conn) Fetch(ctx context.Context, topic string, partition int, offset int64) ([]Record, error) {
	records, _, err := c.fetch(ctx, topic, partition, offset)
	return records, err
}

// fetch also returns the offset that the log ended at.
func (c *Conn) fetch(ctx context.Context, topic string, partition int, offset int64) (records []Record, end int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout+fetchWait)
	defer cancel()
	for at := offset; ; at++ {
		response, err := c.fetchOnce(ctx, topic, partition, at, fetchMaxBytes)
		if errors.Is(err, kafka.OffsetOutOfRange) {
			err = ErrTruncated
		}
		if badChecksum(err) {
			err = ErrCorrupt
		}
		if err != nil {
			c.measures.fetchFailed(ctx, topic)
			return nil, 0, fmt.Errorf("read %s/%d at %d: %w", topic, partition, at, err)
		}
		records, older, err := readRecords(topic, partition, offset, response.Records)
		if err != nil || len(records) > 0 || !older {
			return records, response.HighWatermark, err
		}
		// The broker sent the batch that the offset belongs to, and compaction has taken all of
		// it from the offset on: the next record, if any, stands behind that batch.
	}
}

// FetchOne returns the record at an offset and costs the broker no more than the batch that it is in.
// The error wraps ErrTruncated where the log has no such record.
func (c *Conn) FetchOne(ctx context.Context, topic string, partition int, offset int64) (Record, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout+fetchWait)
	defer cancel()
	response, err := c.fetchOnce(ctx, topic, partition, offset, 1) // a broker sends the first batch whatever its size
	if err != nil {
		c.measures.fetchFailed(ctx, topic)
		return Record{}, fmt.Errorf("read %s/%d at %d: %w", topic, partition, offset, err)
	}
	records, _, err := readRecords(topic, partition, offset, response.Records)
	if err != nil {
		return Record{}, err
	}
	if len(records) == 0 || records[0].Offset != offset {
		return Record{}, fmt.Errorf("read %s/%d at %d: %w", topic, partition, offset, ErrTruncated)
	}
	return records[0], nil
}

// badChecksum knows kafka-go's error by its text: it has no name. A connection that ends in the
// middle of a batch causes it too, so it is believed only when it stays (settled).
func badChecksum(err error) bool {
	return err != nil && strings.Contains(err.Error(), "checksum mismatch")
}

// readRecords also reports whether there were records before from: a broker may send the whole
// batch that holds the offset.
func readRecords(topic string, partition int, from int64, reader kafka.RecordReader) (out []Record, older bool, err error) {
	for {
		r, err := reader.ReadRecord()
		if errors.Is(err, io.EOF) {
			return out, older, nil
		}
		if err != nil {
			return nil, false, fmt.Errorf("read a record of %s/%d behind %d: %w", topic, partition, from, err)
		}
		if r.Offset < from {
			older = true
			continue
		}
		record := Record{Topic: topic, Partition: partition, Offset: r.Offset}
		if record.Key, err = readBytes(r.Key); err != nil {
			return nil, false, fmt.Errorf("read the key of %s/%d at %d: %w", topic, partition, r.Offset, err)
		}
		if record.Value, err = readBytes(r.Value); err != nil {
			return nil, false, fmt.Errorf("read the value of %s/%d at %d: %w", topic, partition, r.Offset, err)
		}
		record.Event = parseEvent(r.Headers, record.Value)
		out = append(out, record)
	}
}

// readBytes copies a key or a value and gives its memory back to kafka-go, which uses it again.
func readBytes(b kafka.Bytes) ([]byte, error) {
	if b == nil {
		return nil, nil
	}
	defer func() { _ = b.Close() }() // closes no file: it counts a reference down
	return kafka.ReadAll(b)
}

// EndOffset is the offset that the next record of the partition will get.
func (c *Conn) EndOffset(ctx context.Context, topic string, partition int) (int64, error) {
	_, end, err := c.offsets(ctx, topic, partition)
	return end, err
}

// FirstOffset is the offset of the oldest record that the partition still holds.
func (c *Conn) FirstOffset(ctx context.Context, topic string, partition int) (int64, error) {
	first, _, err := c.offsets(ctx, topic, partition)
	return first, err
}

func (c *Conn) offsets(ctx context.Context, topic string, partition int) (first, end int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	found, err := c.offsetsOnce(ctx, topic, partition)
	if missing(err) {
		err = fmt.Errorf("%w: %w", ErrNoTopic, err)
	}
	if err != nil {
		return 0, 0, fmt.Errorf("ask for the offsets of %s/%d: %w", topic, partition, err)
	}
	return max(found.FirstOffset, 0), max(found.LastOffset, 0), nil
}
