package network

import (
	"bytes"
	"encoding/binary"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// LoseEvery loses one of every n answers to requests of a key.
func LoseEvery(n int, key kmsg.Key) Rule { return every(n, key, Lost) }

// TearEvery tears one of every n answers to requests of a key.
func TearEvery(n int, key kmsg.Key) Rule { return every(n, key, Torn) }

func every(n int, key kmsg.Key, fate Fate) Rule {
	seen := 0
	return func(_ *Host, a *Answer) Fate {
		if a.Key != key {
			return Deliver
		}
		if seen++; seen%n == 0 {
			return fate
		}
		return Deliver
	}
}

// StampAppends tells producers of a topic the append time by the broker's clock, as Kafka does where
// message.timestamp.type is LogAppendTime and kfake does not.
func StampAppends(topic string, clock func() time.Time) Rule {
	return func(_ *Host, a *Answer) Fate {
		if a.Key != kmsg.Produce {
			return Deliver
		}
		response := kmsg.NewPtrProduceResponse()
		response.SetVersion(a.Version)
		if err := response.ReadFrom(a.Body); err != nil {
			return Lost
		}
		for i := range response.Topics {
			if t := &response.Topics[i]; t.Topic == topic {
				for j := range t.Partitions {
					t.Partitions[j].LogAppendTime = clock().UnixMilli()
				}
			}
		}
		a.Body = response.AppendTo(nil)
		return Deliver
	}
}

// Where the fields of a record batch stand (message format 2). The checksum is over all behind it.
const (
	batchBytes    = 8  // int32: of all behind this field
	batchOverhead = 12 // bytes of the two
	batchHeader   = 61
)

// batchWith puts what change makes of a batch into its place in what a fetch of the partition answers, if the
// word stands in one of its records.
func batchWith(word, topic string, partition int32, change func(batch []byte) []byte) Rule {
	return fetched(topic, partition, func(p *kmsg.FetchResponseTopicPartition) {
		var changed []byte
		for rest := p.RecordBatches; len(rest) >= batchHeader; {
			size := batchOverhead + int(binary.BigEndian.Uint32(rest[batchBytes:]))
			if size > len(rest) {
				break // a broker may cut the last one short
			}
			batch := rest[:size]
			if bytes.Contains(batch, []byte(word)) {
				batch = change(batch)
			}
			changed = append(changed, batch...)
			rest = rest[size:]
		}
		p.RecordBatches = changed
	})
}

// fetched changes what fetches say of a partition.
func fetched(topic string, partition int32, change func(*kmsg.FetchResponseTopicPartition)) Rule {
	return func(_ *Host, a *Answer) Fate {
		if a.Key != kmsg.Fetch {
			return Deliver
		}
		response := kmsg.NewPtrFetchResponse()
		response.SetVersion(a.Version)
		if err := response.ReadFrom(a.Body); err != nil {
			return Lost
		}
		for i, t := range response.Topics {
			for j := range t.Partitions {
				if p := &response.Topics[i].Partitions[j]; t.Topic == topic && p.Partition == partition {
					change(p)
				}
			}
		}
		a.Body = response.AppendTo(nil)
		return Deliver
	}
}

// Corrupt flips a bit in the batch with a word.
func Corrupt(word, topic string, partition int32) Rule {
	return batchWith(word, topic, partition, func(batch []byte) []byte {
		batch[len(batch)-1] ^= 1
		return batch
	})
}

// Drop leaves out the batch with a word.
func Drop(word, topic string, partition int32) Rule {
	return batchWith(word, topic, partition, func([]byte) []byte { return nil })
}

// outOfRange is Kafka's OFFSET_OUT_OF_RANGE.
const outOfRange = 1

// Truncate has the broker say that it does not hold what a partition is asked for.
func Truncate(topic string, partition int32) Rule {
	return fetched(topic, partition, func(p *kmsg.FetchResponseTopicPartition) {
		p.ErrorCode, p.RecordBatches = outOfRange, nil
	})
}
