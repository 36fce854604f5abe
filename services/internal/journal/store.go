package journal

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"google.golang.org/protobuf/proto"

	journalv1 "github.com/qingcang/qingcang/proto/gen/journal/v1"
)

var (
	// ErrTaken says that the slot of a batch is already filled.
	ErrTaken = errors.New("the journal slot is taken")
	// ErrHole says that a batch is missing and a later one is there: the journal is damaged.
	ErrHole = errors.New("the journal has a hole")
)

// Store keeps batches and snapshots. Insert must be atomic and durable before it returns nil, and
// must fail with ErrTaken when the slot is filled; nothing else need be atomic.
type Store interface {
	Insert(ctx context.Context, shard int, seq uint64, batch *journalv1.Batch) error
	Get(ctx context.Context, shard int, seq uint64) (batch *journalv1.Batch, found bool, err error)
	// Range gives the batches from seq on, in order and without a gap. Instead of an end it finds
	// ErrHole where a batch is missing and others stand behind; see readTail for what it may overlook.
	Range(ctx context.Context, shard int, from uint64, each func(seq uint64, batch *journalv1.Batch) error) error
	// SaveSnapshot keeps a snapshot; that one as new is there already, or is being saved, is success.
	SaveSnapshot(ctx context.Context, shard int, snapshot *journalv1.Snapshot) error
	// LatestSnapshot gives the newest that is whole.
	LatestSnapshot(ctx context.Context, shard int) (snapshot *journalv1.Snapshot, found bool, err error)
}

// slot is the _id of a batch: seq has 12 digits so that ids sort as numbers do.
func slot(shard int, seq uint64) string { return fmt.Sprintf("%d/%012d", shard, seq) }

// MemoryStore is a Store for tests of pure code. It is safe for concurrent use.
type MemoryStore struct {
	mu        sync.Mutex
	batches   map[string][]byte
	snapshots snapshots
}

// NewMemoryStore returns an empty store.
func NewMemoryStore() *MemoryStore {
	return &MemoryStore{batches: map[string][]byte{}, snapshots: snapshots{newMemory()}}
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
	return readTail(ctx, lookupIn(m, shard), from, each)
}

// SaveSnapshot implements Store.
func (m *MemoryStore) SaveSnapshot(ctx context.Context, shard int, snapshot *journalv1.Snapshot) error {
	return m.snapshots.save(ctx, shard, snapshot)
}

// LatestSnapshot implements Store.
func (m *MemoryStore) LatestSnapshot(ctx context.Context, shard int) (*journalv1.Snapshot, bool, error) {
	return m.snapshots.latest(ctx, shard)
}

// memory is documents in memory.
type memory struct {
	mu   sync.Mutex
	docs map[string]snapshotDocument
}

func newMemory() *memory { return &memory{docs: map[string]snapshotDocument{}} }

func (m *memory) put(_ context.Context, d snapshotDocument) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, taken := m.docs[d.ID]; taken {
		return ErrTaken
	}
	m.docs[d.ID] = d
	return nil
}

func (m *memory) get(_ context.Context, id string) (snapshotDocument, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	d, found := m.docs[id]
	return d, found, nil
}

func (m *memory) remove(_ context.Context, id string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.docs, id)
	return nil
}
