package network

import (
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
	batchOffset   = 0  // int64: of its first record
	batchBytes    = 8  // int32: of all behind this field
	batchOverhead = 12 // bytes of the two
	batchDelta    = 23 // int32: from its first record to its last
	batchHeader   = 61
)

// Batches shows a rule each batch of a partition that a fetch answers with, and the offsets of its
// first and last record. What change does to the bytes is what arrives.
func Batches(topic string, partition int32, change func(to *Host, batch []byte, first, last int64)) Rule {
	return func(to *Host, a *Answer) Fate {
		if a.Key != kmsg.Fetch {
			return Deliver
		}
		response := kmsg.NewPtrFetchResponse()
		response.SetVersion(a.Version)
		if err := response.ReadFrom(a.Body); err != nil {
			return Lost
		}
		for _, t := range response.Topics {
			for _, p := range t.Partitions {
				if t.Topic == topic && p.Partition == partition {
					eachBatch(p.RecordBatches, func(batch []byte, first, last int64) { change(to, batch, first, last) })
				}
			}
		}
		a.Body = response.AppendTo(nil)
		return Deliver
	}
}

func eachBatch(batches []byte, each func(batch []byte, first, last int64)) {
	for len(batches) >= batchHeader {
		size := batchOverhead + int(binary.BigEndian.Uint32(batches[batchBytes:]))
		if size > len(batches) {
			return // a broker may cut the last one short
		}
		first := int64(binary.BigEndian.Uint64(batches[batchOffset:]))
		each(batches[:size], first, first+int64(binary.BigEndian.Uint32(batches[batchDelta:])))
		batches = batches[size:]
	}
}

// Corrupt flips a bit in the batch that holds an offset.
func Corrupt(topic string, partition int32, offset int64) Rule {
	return Batches(topic, partition, func(_ *Host, batch []byte, first, last int64) {
		if first <= offset && offset <= last {
			batch[len(batch)-1] ^= 1
		}
	})
}

// Skip leaves a hole of one offset before the batch that begins at an offset, and behind it all
// comes one too late.
func Skip(topic string, partition int32, offset int64) Rule {
	return Batches(topic, partition, func(_ *Host, batch []byte, first, _ int64) {
		if first >= offset {
			binary.BigEndian.PutUint64(batch[batchOffset:], uint64(first+1))
		}
	})
}
