package eventkit

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/segmentio/kafka-go"
	"google.golang.org/protobuf/proto"
)

// Limits of one produce request; topics take 1 MiB in a batch.
const (
	maxBatchBytes   = 900 << 10
	maxBatchRecords = 2_000
)

// Appended is a broker's answer to an append.
type Appended struct {
	// BaseOffset is the offset of the first value; the others follow without a gap.
	BaseOffset int64
	// At is the broker's append time where the topic has LogAppendTime, else this machine's clock
	// from before the request.
	At time.Time
}

// Publish writes events to one partition, in order, and returns when every in-sync replica has
// them. After an error some of a prefix may be there; publishing again is safe, because readers
// drop repeats.
func (c *Conn) Publish(ctx context.Context, topic string, partition int, events []Event) error {
	var batch []kafka.Record
	size := 0
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		err := c.produceAgain(ctx, topic, partition, batch)
		batch, size = batch[:0], 0
		return err
	}
	for _, e := range events {
		bytes := len(e.Data) + len(e.ID) + len(e.Prev) + len(e.Type) + len(e.Subject) + 300
		if bytes > maxBatchBytes {
			return fmt.Errorf("publish to %s: event %s has %d bytes, more than the %d of a batch", topic, e.ID, bytes, maxBatchBytes)
		}
		if size+bytes > maxBatchBytes || len(batch) == maxBatchRecords {
			if err := flush(); err != nil {
				return err
			}
		}
		batch = append(batch, kafka.Record{
			Key: kafka.NewBytes([]byte(e.Subject)), Value: kafka.NewBytes(e.Data), Headers: e.headers(), Time: e.Time,
		})
		size += bytes
	}
	return flush()
}

// Put sets the value of a key in a compacted topic of one partition; a nil message deletes the key.
func (c *Conn) Put(ctx context.Context, topic, key string, m proto.Message) error {
	record := kafka.Record{Key: kafka.NewBytes([]byte(key)), Time: time.Now()}
	if m != nil {
		value, err := proto.Marshal(m)
		if err != nil {
			return fmt.Errorf("encode the value of %s in %s: %w", key, topic, err)
		}
		if len(value) > maxBatchBytes {
			return fmt.Errorf("write to %s: the value of %s has %d bytes, more than the %d of a batch", topic, key, len(value), maxBatchBytes)
		}
		record.Value = kafka.NewBytes(value)
		record.Headers = []kafka.Header{{Key: "ce_type", Value: []byte(m.ProtoReflect().Descriptor().FullName())}}
	}
	return c.produceAgain(ctx, topic, 0, []kafka.Record{record})
}

// Append writes values as one batch to one partition and returns where they stand. After an error
// the values may or may not be there: the caller reads the log to know.
func (c *Conn) Append(ctx context.Context, topic string, partition int, values [][]byte) (Appended, error) {
	records := make([]kafka.Record, 0, len(values))
	size, now := 0, c.cfg.Now()
	for _, v := range values {
		size += len(v) + 32
		records = append(records, kafka.Record{Value: kafka.NewBytes(v), Time: now})
	}
	if size > maxBatchBytes || len(records) > maxBatchRecords {
		return Appended{}, fmt.Errorf("append to %s: %d values of %d bytes are more than one batch takes", topic, len(values), size)
	}
	response, err := c.produce(ctx, topic, partition, records)
	if err != nil {
		if !errors.Is(ctx.Err(), context.Canceled) {
			c.forgetLeaders()
		}
		return Appended{}, err
	}
	return Appended{BaseOffset: response.BaseOffset, At: appendedAt(response.LogAppendTime, now)}, nil
}

func (c *Conn) produce(ctx context.Context, topic string, partition int, records []kafka.Record) (*kafka.ProduceResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	began := time.Now()
	defer func() { c.measures.produced(ctx, topic, time.Since(began)) }()
	response, err := c.client.Produce(ctx, &kafka.ProduceRequest{
		Addr: c.addr, Topic: c.name(topic), Partition: partition,
		RequiredAcks: kafka.RequireAll, Records: kafka.NewRecordReader(records...),
	})
	if err != nil {
		return nil, fmt.Errorf("write to %s/%d: %w", topic, partition, err)
	}
	if response.Error != nil {
		return nil, fmt.Errorf("write to %s/%d: %w", topic, partition, response.Error)
	}
	return response, nil
}
