package journal

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"google.golang.org/protobuf/proto"

	journalv1 "github.com/qingcang/qingcang/proto/gen/journal/v1"
)

// ErrTaken says that the slot of a batch is already filled.
var ErrTaken = errors.New("the journal slot is taken")

// Store keeps batches and snapshots. Insert must be atomic and durable before it returns nil, and
// must fail with ErrTaken when the slot is filled; nothing else need be atomic.
type Store interface {
	Insert(ctx context.Context, shard int, seq uint64, batch *journalv1.Batch) error
	Get(ctx context.Context, shard int, seq uint64) (batch *journalv1.Batch, found bool, err error)
	// Range gives the batches from seq on, in order.
	Range(ctx context.Context, shard int, from uint64, each func(seq uint64, batch *journalv1.Batch) error) error
	// SaveSnapshot keeps a snapshot; one that is there already is success.
	SaveSnapshot(ctx context.Context, shard int, snapshot *journalv1.Snapshot) error
	// LatestSnapshot gives the newest whole one.
	LatestSnapshot(ctx context.Context, shard int) (snapshot *journalv1.Snapshot, found bool, err error)
}

// slot is the _id of a batch: seq has 12 digits so that ids sort as numbers do.
func slot(shard int, seq uint64) string { return fmt.Sprintf("%d/%012d", shard, seq) }

// MemoryStore is a Store for tests of pure code. It is safe for concurrent use.
type MemoryStore struct {
	mu        sync.Mutex
	batches   map[string][]byte
	snapshots map[int][]byte
}

// NewMemoryStore returns an empty store.
func NewMemoryStore() *MemoryStore {
	return &MemoryStore{batches: map[string][]byte{}, snapshots: map[int][]byte{}}
}

// Insert implements Store.
func (m *MemoryStore) Insert(_ context.Context, shard int, seq uint64, batch *journalv1.Batch) error {
	data, err := proto.Marshal(batch)
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, taken := m.batches[slot(shard, seq)]; taken {
		return ErrTaken
	}
	m.batches[slot(shard, seq)] = data
	return nil
}

// Get implements Store.
func (m *MemoryStore) Get(_ context.Context, shard int, seq uint64) (*journalv1.Batch, bool, error) {
	m.mu.Lock()
	data, found := m.batches[slot(shard, seq)]
	m.mu.Unlock()
	if !found {
		return nil, false, nil
	}
	batch := &journalv1.Batch{}
	return batch, true, proto.Unmarshal(data, batch)
}

// Range implements Store.
func (m *MemoryStore) Range(ctx context.Context, shard int, from uint64, each func(uint64, *journalv1.Batch) error) error {
	for seq := from; ; seq++ {
		batch, found, err := m.Get(ctx, shard, seq)
		if err != nil || !found {
			return err
		}
		if err := each(seq, batch); err != nil {
			return err
		}
	}
}

// SaveSnapshot implements Store.
func (m *MemoryStore) SaveSnapshot(_ context.Context, shard int, snapshot *journalv1.Snapshot) error {
	data, err := proto.Marshal(snapshot)
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.snapshots[shard] = data
	return nil
}

// LatestSnapshot implements Store.
func (m *MemoryStore) LatestSnapshot(_ context.Context, shard int) (*journalv1.Snapshot, bool, error) {
	m.mu.Lock()
	data, found := m.snapshots[shard]
	m.mu.Unlock()
	if !found {
		return nil, false, nil
	}
	snapshot := &journalv1.Snapshot{}
	return snapshot, true, proto.Unmarshal(data, snapshot)
}
