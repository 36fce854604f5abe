package journal

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"google.golang.org/protobuf/proto"

	journalv1 "github.com/qingcang/qingcang/proto/gen/journal/v1"
)

// MongoStore keeps a journal in one collection and its snapshots in another. It inserts, finds and
// deletes by _id, and at a start with much to read scans a range of the batches' _ids: no update, no
// transaction, no index but _id.
type MongoStore struct {
	batches   *mongo.Collection
	snapshots snapshots
}

// storeTimeout bounds one insertion or look-up.
const storeTimeout = 5 * time.Second

type batchDocument struct {
	ID    string `bson:"_id"`
	Batch []byte `bson:"b"`
}

// NewMongoStore uses the collections name and name_snapshots. The database must have majority
// write concern and no driver retries (mongokit.Connect sets both).
func NewMongoStore(db *mongo.Database, name string) *MongoStore {
	return &MongoStore{batches: db.Collection(name), snapshots: snapshots{collection{db.Collection(name + "_snapshots")}}}
}

// Insert implements Store.
func (m *MongoStore) Insert(ctx context.Context, shard int, seq uint64, batch *journalv1.Batch) error {
	data, err := proto.Marshal(batch)
	if err != nil {
		return fmt.Errorf("encode batch %s: %w", slot(shard, seq), err)
	}
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	_, err = m.batches.InsertOne(ctx, batchDocument{ID: slot(shard, seq), Batch: data})
	if mongo.IsDuplicateKeyError(err) {
		return ErrTaken
	}
	if err != nil {
		return fmt.Errorf("insert batch %s: %w", slot(shard, seq), err)
	}
	return nil
}

// Get implements Store.
func (m *MongoStore) Get(ctx context.Context, shard int, seq uint64) (*journalv1.Batch, bool, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	var document batchDocument
	err := m.batches.FindOne(ctx, bson.D{{Key: "_id", Value: slot(shard, seq)}}).Decode(&document)
	if errors.Is(err, mongo.ErrNoDocuments) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("find batch %s: %w", slot(shard, seq), err)
	}
	batch := &journalv1.Batch{}
	if err := proto.Unmarshal(document.Batch, batch); err != nil {
		return nil, false, fmt.Errorf("decode batch %s: %w", document.ID, err)
	}
	return batch, true, nil
}

// longTail is how many batches are looked up one by one before the _ids are scanned. MongoDB is glad of
// a scan sooner. The embedded database reads the whole collection for it, all shards' batches, and a
// look-up costs it what ten of these do (BenchmarkOpen): so look-ups win unless most of the journal is to
// be read, and up to here they lose little then. A snapshot is due every 2,000 batches: a usual start
// does not scan.
const longTail = 4_096

// Range implements Store.
func (m *MongoStore) Range(ctx context.Context, shard int, from uint64, each func(uint64, *journalv1.Batch) error) error {
	get := lookupIn(m, shard)
	_, long, err := get(ctx, from+longTail)
	switch {
	case err != nil:
		return err
	case long:
		return m.scan(ctx, shard, from, each)
	default:
		return readTail(ctx, get, from, each)
	}
}

// scan reads all _ids of a shard from a batch on.
func (m *MongoStore) scan(ctx context.Context, shard int, from uint64, each func(uint64, *journalv1.Batch) error) error {
	filter := bson.D{{Key: "_id", Value: bson.D{{Key: "$gte", Value: slot(shard, from)}, {Key: "$lt", Value: fmt.Sprintf("%d0", shard)}}}}
	cursor, err := m.batches.Find(ctx, filter, options.Find().SetSort(bson.D{{Key: "_id", Value: 1}}).SetBatchSize(500))
	if err != nil {
		return fmt.Errorf("read shard %d from %d: %w", shard, from, err)
	}
	defer func() { _ = cursor.Close(ctx) }()
	for next := from; cursor.Next(ctx); next++ {
		var document batchDocument
		if err := cursor.Decode(&document); err != nil {
			return fmt.Errorf("read shard %d: %w", shard, err)
		}
		_, digits, _ := strings.Cut(document.ID, "/")
		seq, err := strconv.ParseUint(digits, 10, 64)
		if err != nil {
			return fmt.Errorf("journal document %q has no place: %w", document.ID, err)
		}
		if seq != next {
			return holeAt(next, seq)
		}
		batch := &journalv1.Batch{}
		if err := proto.Unmarshal(document.Batch, batch); err != nil {
			return fmt.Errorf("decode batch %s: %w", document.ID, err)
		}
		if err := each(seq, batch); err != nil {
			return err
		}
	}
	if err := cursor.Err(); err != nil {
		return fmt.Errorf("read shard %d: %w", shard, err)
	}
	return nil
}

// SaveSnapshot implements Store and removes the chunks of those before the one before it.
func (m *MongoStore) SaveSnapshot(ctx context.Context, shard int, snapshot *journalv1.Snapshot) error {
	if err := m.snapshots.save(ctx, shard, snapshot); err != nil {
		return fmt.Errorf("save the snapshot of shard %d at %d: %w", shard, snapshot.GetSeq(), err)
	}
	return nil
}

// LatestSnapshot implements Store. A torn or damaged one is passed over for the one before.
func (m *MongoStore) LatestSnapshot(ctx context.Context, shard int) (*journalv1.Snapshot, bool, error) {
	snapshot, found, err := m.snapshots.latest(ctx, shard)
	if err != nil {
		return nil, false, fmt.Errorf("read the newest snapshot of shard %d: %w", shard, err)
	}
	return snapshot, found, nil
}

// collection is documents in MongoDB.
type collection struct{ of *mongo.Collection }

func (c collection) put(ctx context.Context, d snapshotDocument) error {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	_, err := c.of.InsertOne(ctx, d)
	if mongo.IsDuplicateKeyError(err) {
		return ErrTaken
	}
	return err
}

func (c collection) get(ctx context.Context, id string) (d snapshotDocument, found bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	err = c.of.FindOne(ctx, bson.D{{Key: "_id", Value: id}}).Decode(&d)
	if errors.Is(err, mongo.ErrNoDocuments) {
		return snapshotDocument{}, false, nil
	}
	return d, err == nil, err
}

func (c collection) remove(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	_, err := c.of.DeleteOne(ctx, bson.D{{Key: "_id", Value: id}})
	return err
}
