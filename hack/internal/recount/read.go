package recount

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"google.golang.org/protobuf/proto"

	"github.com/qingcang/qingcang/hack/internal/lanelog"
	"github.com/qingcang/qingcang/proto/eventkit"
	_ "github.com/qingcang/qingcang/proto/gen/fulfilment/v1" // facts are decoded by name
	journalv1 "github.com/qingcang/qingcang/proto/gen/journal/v1"
	_ "github.com/qingcang/qingcang/proto/gen/owner/v1" // as above
)

// Source is where a run left its logs.
type Source struct {
	Kafka *eventkit.Conn
	Mongo *mongo.Client
	// Dedicated are the uids of the campaigns that have a lane of their own.
	Dedicated []string
}

// The topics of lanes and of what they decide.
const (
	lanesTopic  = "lanes.shared.v1"
	eventsTopic = "order.lane-events.v1"
	// dedicatedPrefix stands before a campaign's uid in the name of its own lane, which has one partition.
	dedicatedPrefix = "lane."
)

// collections are where the services keep their journals, by database.
var collections = map[string]string{
	OrderBook: "order_journal", OwnerBook: "journal", BrandBook: "brand", "fulfilment": "journal",
}

// Read reads everything. It is quick enough to be done again while the last events are on their way.
func Read(ctx context.Context, s Source) (Log, error) {
	l := Log{Lanes: map[string]Lane{}, Journals: map[string]Journal{}}
	if err := s.entries(ctx, l.Lanes); err != nil {
		return l, err
	}
	if err := s.decisions(ctx, l.Lanes); err != nil {
		return l, err
	}
	for _, database := range sorted(collections) {
		journal, err := s.journal(ctx, database, collections[database])
		if err != nil {
			return l, fmt.Errorf("read the journal of %s: %w", database, err)
		}
		l.Journals[database] = journal
	}
	return l, nil
}

// records reads a topic's partition from the first to the last record that it has now.
func (s Source) records(ctx context.Context, topic string, partition int, each func(eventkit.Record) error) error {
	end, err := s.Kafka.EndOffset(ctx, topic, partition)
	if err != nil {
		return err
	}
	for offset := int64(0); offset < end; {
		records, err := s.Kafka.Fetch(ctx, topic, partition, offset)
		if err != nil {
			return err
		}
		if len(records) == 0 {
			return fmt.Errorf("%s/%d ends at %d, and nothing comes behind %d", topic, partition, end, offset)
		}
		for _, r := range records {
			if err := each(r); err != nil {
				return err
			}
		}
		offset = records[len(records)-1].Offset + 1
	}
	return nil
}

func partitions(topic string) int {
	for _, t := range eventkit.Topics() {
		if t.Name == topic {
			return t.Partitions
		}
	}
	return 0
}

func (s Source) entries(ctx context.Context, lanes map[string]Lane) error {
	for partition := range partitions(lanesTopic) {
		if err := s.lane(ctx, lanesTopic, partition, lanes); err != nil {
			return err
		}
	}
	for _, uid := range s.Dedicated {
		if err := s.lane(ctx, dedicatedPrefix+uid, 0, lanes); err != nil {
			return err
		}
	}
	return nil
}

// lane reads one lane's entries.
func (s Source) lane(ctx context.Context, topic string, partition int, lanes map[string]Lane) error {
	var lane Lane
	err := s.records(ctx, topic, partition, func(r eventkit.Record) error {
		e, err := lanelog.Read(r.Value)
		if err != nil && !errors.Is(err, lanelog.ErrMalformed) { // which every replica skips
			return fmt.Errorf("%s/%d at %d: %w", topic, partition, r.Offset, err)
		}
		lane.Entries = append(lane.Entries, Entry{Offset: r.Offset, Command: e.Command})
		return nil
	})
	lanes[fmt.Sprintf("%s/%d", topic, partition)] = lane
	return err
}

// decisions reads what the lanes published: by id, and once where it was published twice.
func (s Source) decisions(ctx context.Context, lanes map[string]Lane) error {
	type published struct {
		at   eventkit.Position
		fact proto.Message
	}
	all := map[string][]published{}
	for partition := range partitions(eventsTopic) {
		err := s.records(ctx, eventsTopic, partition, func(r eventkit.Record) error {
			at, err := r.Event.Position()
			if err != nil {
				return err
			}
			if known := all[at.Source]; len(known) > 0 && !at.After(known[len(known)-1].at) {
				return nil
			}
			fact, err := r.Event.Decode()
			if err != nil {
				return err
			}
			all[at.Source] = append(all[at.Source], published{at, fact})
			return nil
		})
		if err != nil {
			return err
		}
	}
	for source, decisions := range all {
		lane, ok := lanes[source]
		if !ok {
			return fmt.Errorf("%s has decisions of %q, which is no lane", eventsTopic, source)
		}
		for _, d := range decisions {
			lane.Decisions = append(lane.Decisions, Decision{Offset: int64(d.at.Seq), Fact: d.fact})
		}
		lanes[source] = lane
	}
	return nil
}

// journal reads a whole collection and puts its batches in order.
func (s Source) journal(ctx context.Context, database, collection string) (Journal, error) {
	type batch struct {
		shard, seq uint64
		data       []byte
	}
	cursor, err := s.Mongo.Database(database).Collection(collection).Find(ctx, bson.D{})
	if err != nil {
		return nil, err
	}
	defer func() { _ = cursor.Close(ctx) }() // only read
	var batches []batch
	for cursor.Next(ctx) {
		var document struct {
			ID    string `bson:"_id"`
			Batch []byte `bson:"b"`
		}
		if err := cursor.Decode(&document); err != nil {
			return nil, fmt.Errorf("decode a document: %w", err)
		}
		shard, seq, err := slot(document.ID)
		if err != nil {
			return nil, err
		}
		batches = append(batches, batch{shard, seq, document.Batch})
	}
	if err := cursor.Err(); err != nil {
		return nil, err
	}
	slices.SortFunc(batches, func(a, b batch) int { return cmp.Or(cmp.Compare(a.shard, b.shard), cmp.Compare(a.seq, b.seq)) })
	var out Journal
	for i, b := range batches {
		if i == 0 || batches[i-1].shard != b.shard {
			out = append(out, nil)
		} else if batches[i-1].seq+1 != b.seq {
			return nil, fmt.Errorf("shard %d goes from %d to %d", b.shard, batches[i-1].seq, b.seq)
		}
		facts, err := decode(b.data)
		if err != nil {
			return nil, fmt.Errorf("batch %d/%d: %w", b.shard, b.seq, err)
		}
		out[len(out)-1] = append(out[len(out)-1], facts...)
	}
	return out, nil
}

// slot parses "<shard>/<seq>".
func slot(id string) (shard, seq uint64, err error) {
	left, right, _ := strings.Cut(id, "/")
	if shard, err = strconv.ParseUint(left, 10, 32); err == nil {
		seq, err = strconv.ParseUint(right, 10, 64)
	}
	if err != nil {
		return 0, 0, fmt.Errorf("%q is no place in a journal: %w", id, err)
	}
	return shard, seq, nil
}

func decode(data []byte) ([]proto.Message, error) {
	var batch journalv1.Batch
	if err := proto.Unmarshal(data, &batch); err != nil {
		return nil, fmt.Errorf("decode: %w", err)
	}
	facts := make([]proto.Message, 0, len(batch.GetEvents()))
	for _, e := range batch.GetEvents() {
		fact, err := eventkit.Event{ID: e.GetSubject(), Type: e.GetType(), Data: e.GetData()}.Decode()
		if err != nil {
			return nil, err
		}
		facts = append(facts, fact)
	}
	return facts, nil
}
