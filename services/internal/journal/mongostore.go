package journal

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"google.golang.org/protobuf/proto"

	journalv1 "github.com/qingcang/qingcang/proto/gen/journal/v1"
)

// MongoStore keeps a journal in one collection and its snapshots in another. It inserts, finds by
// _id, and at a start reads a range of _ids: no update, no transaction, no index but _id.
type MongoStore struct {
	batches   *mongo.Collection
	snapshots *mongo.Collection
}

// storeTimeout bounds one insertion or look-up.
const storeTimeout = 5 * time.Second

// snapshotChunk keeps a snapshot's documents well under MongoDB's 16 MiB.
const snapshotChunk = 1 << 20

type batchDocument struct {
	ID    string `bson:"_id"`
	Batch []byte `bson:"b"`
}

// NewMongoStore uses the collections name and name_snapshots. The database must have majority
// write concern and no driver retries (mongokit.Connect sets both).
func NewMongoStore(db *mongo.Database, name string) *MongoStore {
	return &MongoStore{batches: db.Collection(name), snapshots: db.Collection(name + "_snapshots")}
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

// Range implements Store.
func (m *MongoStore) Range(ctx context.Context, shard int, from uint64, each func(uint64, *journalv1.Batch) error) error {
	filter := bson.D{{Key: "_id", Value: bson.D{{Key: "$gte", Value: slot(shard, from)}, {Key: "$lt", Value: fmt.Sprintf("%d0", shard)}}}}
	cursor, err := m.batches.Find(ctx, filter, options.Find().SetSort(bson.D{{Key: "_id", Value: 1}}).SetBatchSize(500))
	if err != nil {
		return fmt.Errorf("read shard %d from %d: %w", shard, from, err)
	}
	defer func() { _ = cursor.Close(ctx) }()
	for cursor.Next(ctx) {
		var document batchDocument
		if err := cursor.Decode(&document); err != nil {
			return fmt.Errorf("read shard %d: %w", shard, err)
		}
		_, digits, _ := strings.Cut(document.ID, "/")
		seq, err := strconv.ParseUint(digits, 10, 64)
		if err != nil {
			return fmt.Errorf("journal document %q has no place: %w", document.ID, err)
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

type snapshotDocument struct {
	ID    string `bson:"_id"` // "<shard>/<seq>/<chunk>"
	Of    int    `bson:"of"`
	Sum   []byte `bson:"sum"` // SHA-256 of the whole
	Bytes []byte `bson:"b"`
}

// SaveSnapshot implements Store and removes the snapshots before the one before it.
func (m *MongoStore) SaveSnapshot(ctx context.Context, shard int, snapshot *journalv1.Snapshot) error {
	data, err := proto.Marshal(snapshot)
	if err != nil {
		return fmt.Errorf("encode the snapshot of shard %d: %w", shard, err)
	}
	sum := sha256.Sum256(data)
	chunks := slices.Collect(slices.Chunk(data, snapshotChunk))
	for i, chunk := range chunks {
		document := snapshotDocument{ID: fmt.Sprintf("%s/%06d", slot(shard, snapshot.GetSeq()), i), Of: len(chunks), Sum: sum[:], Bytes: chunk}
		if _, err := m.snapshots.InsertOne(ctx, document); err != nil && !mongo.IsDuplicateKeyError(err) {
			return fmt.Errorf("insert snapshot %s: %w", document.ID, err)
		}
	}
	return m.dropOldSnapshots(ctx, shard)
}

// dropOldSnapshots keeps the newest two: the newest may turn out to be torn.
func (m *MongoStore) dropOldSnapshots(ctx context.Context, shard int) error {
	heads, err := m.snapshotHeads(ctx, shard)
	if err != nil {
		return err
	}
	for _, old := range heads[min(2, len(heads)):] {
		prefix := strings.TrimSuffix(old.ID, "000000")
		for i := old.Of - 1; i >= 0; i-- { // the head goes last: it leads to the others after a crash
			if _, err := m.snapshots.DeleteOne(ctx, bson.D{{Key: "_id", Value: fmt.Sprintf("%s%06d", prefix, i)}}); err != nil {
				return fmt.Errorf("delete old snapshot %s: %w", old.ID, err)
			}
		}
	}
	return nil
}

// snapshotHeads lists the first chunks of a shard's snapshots, newest first.
func (m *MongoStore) snapshotHeads(ctx context.Context, shard int) ([]snapshotDocument, error) {
	filter := bson.D{{Key: "_id", Value: bson.D{{Key: "$gte", Value: fmt.Sprintf("%d/", shard)}, {Key: "$lt", Value: fmt.Sprintf("%d0", shard)}}}}
	cursor, err := m.snapshots.Find(ctx, filter, options.Find().SetProjection(bson.D{{Key: "of", Value: 1}, {Key: "sum", Value: 1}}))
	if err != nil {
		return nil, fmt.Errorf("list the snapshots of shard %d: %w", shard, err)
	}
	var all []snapshotDocument
	if err := cursor.All(ctx, &all); err != nil {
		return nil, fmt.Errorf("list the snapshots of shard %d: %w", shard, err)
	}
	heads := slices.DeleteFunc(all, func(d snapshotDocument) bool { return !strings.HasSuffix(d.ID, "/000000") })
	slices.SortFunc(heads, func(a, b snapshotDocument) int { return strings.Compare(b.ID, a.ID) })
	return heads, nil
}

// LatestSnapshot implements Store. A torn or damaged one is passed over for the one before.
func (m *MongoStore) LatestSnapshot(ctx context.Context, shard int) (*journalv1.Snapshot, bool, error) {
	heads, err := m.snapshotHeads(ctx, shard)
	if err != nil {
		return nil, false, err
	}
	for _, head := range heads {
		snapshot, err := m.readSnapshot(ctx, head)
		if err != nil {
			return nil, false, err
		}
		if snapshot != nil {
			return snapshot, true, nil
		}
	}
	return nil, false, nil
}

// readSnapshot returns nil for one that is not whole.
func (m *MongoStore) readSnapshot(ctx context.Context, head snapshotDocument) (*journalv1.Snapshot, error) {
	prefix := strings.TrimSuffix(head.ID, "000000")
	var data []byte
	for i := range head.Of {
		var chunk snapshotDocument
		err := m.snapshots.FindOne(ctx, bson.D{{Key: "_id", Value: fmt.Sprintf("%s%06d", prefix, i)}}).Decode(&chunk)
		if errors.Is(err, mongo.ErrNoDocuments) {
			return nil, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read snapshot %s: %w", head.ID, err)
		}
		data = append(data, chunk.Bytes...)
	}
	sum := sha256.Sum256(data)
	snapshot := &journalv1.Snapshot{}
	if !bytes.Equal(sum[:], head.Sum) || proto.Unmarshal(data, snapshot) != nil {
		return nil, nil //nolint:nilerr // a damaged snapshot counts as none: the fold starts from the journal
	}
	return snapshot, nil
}
