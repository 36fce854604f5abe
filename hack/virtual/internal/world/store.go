package world

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	journalv1 "github.com/qingcang/qingcang/proto/gen/journal/v1"
	"github.com/qingcang/qingcang/services/internal/journal"
	"github.com/qingcang/qingcang/services/order/internal/lane"
)

var errAway = errors.New("the database is away")

// Database can be away. Its contents stay.
type Database struct {
	// Payments and Lanes are the collections of the payment journal and of the lanes' snapshots.
	Payments, Lanes *Store
	// Dedicated are those of the lanes of single campaigns.
	Dedicated Dedicated
	away      atomic.Bool
}

func newDatabase() *Database {
	d := &Database{}
	d.Payments = &Store{kept: journal.NewMemoryStore(), away: &d.away}
	d.Lanes = &Store{kept: journal.NewMemoryStore(), away: &d.away}
	d.Dedicated = Dedicated{database: d, stores: &sync.Map{}}
	return d
}

// Dedicated implements lane.DedicatedSnapshots.
type Dedicated struct {
	database *Database
	stores   *sync.Map // *Store by the campaign's uid
}

// Of implements lane.DedicatedSnapshots.
func (d Dedicated) Of(campaignUID string) lane.Snapshots {
	store, _ := d.stores.LoadOrStore(campaignUID, &Store{kept: journal.NewMemoryStore(), away: &d.database.away})
	return store.(*Store)
}

// Forget implements lane.DedicatedSnapshots.
func (d Dedicated) Forget(_ context.Context, campaignUID string) error {
	if d.database.away.Load() {
		return errAway
	}
	d.stores.Delete(campaignUID)
	return nil
}

// Away says whether the database is away from now on.
func (d *Database) Away(away bool) { d.away.Store(away) }

// Store is one collection.
type Store struct {
	kept *journal.MemoryStore
	away *atomic.Bool
}

func (s *Store) err() error {
	if s.away.Load() {
		return errAway
	}
	return nil
}

// Insert implements journal.Store.
func (s *Store) Insert(ctx context.Context, shard int, seq uint64, batch *journalv1.Batch) error {
	if err := s.err(); err != nil {
		return err
	}
	return s.kept.Insert(ctx, shard, seq, batch)
}

// Get implements journal.Store.
func (s *Store) Get(ctx context.Context, shard int, seq uint64) (*journalv1.Batch, bool, error) {
	if err := s.err(); err != nil {
		return nil, false, err
	}
	return s.kept.Get(ctx, shard, seq)
}

// Range implements journal.Store.
func (s *Store) Range(ctx context.Context, shard int, from uint64, each func(uint64, *journalv1.Batch) error) error {
	if err := s.err(); err != nil {
		return err
	}
	return s.kept.Range(ctx, shard, from, each)
}

// SaveSnapshot implements journal.Store.
func (s *Store) SaveSnapshot(ctx context.Context, shard int, snapshot *journalv1.Snapshot) error {
	if err := s.err(); err != nil {
		return err
	}
	return s.kept.SaveSnapshot(ctx, shard, snapshot)
}

// LatestSnapshot implements journal.Store.
func (s *Store) LatestSnapshot(ctx context.Context, shard int) (*journalv1.Snapshot, bool, error) {
	if err := s.err(); err != nil {
		return nil, false, err
	}
	return s.kept.LatestSnapshot(ctx, shard)
}
