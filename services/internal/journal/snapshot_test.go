package journal_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	journalv1 "github.com/qingcang/qingcang/proto/gen/journal/v1"
	"github.com/qingcang/qingcang/services/internal/journal"
	"github.com/qingcang/qingcang/services/internal/testkit"
)

func TestADamagedSnapshotIsPassedOver(t *testing.T) {
	for name, damage := range map[string]func(bson.M) any{
		"a torn one, without its last piece": nil,
		"one with a flipped byte": func(d bson.M) any {
			data := d["b"].(bson.Binary).Data //nolint:forcetypeassert // written by the store
			data[0] ^= 1
			d["b"] = data
			return d
		},
	} {
		t.Run(name, func(t *testing.T) {
			db := testkit.Mongo(t)
			store := journal.NewMongoStore(db, "shelf")
			j, stop := started(t, store)
			for n := range 3 {
				if err := j.Do(t.Context(), sell("key", fmt.Sprint(n), 1000)); err != nil {
					t.Fatal(err)
				}
			}
			stop()
			shard := journal.ShardOf("key")
			old := &journalv1.Snapshot{Seq: 1, State: []byte(`{"Sold":{"key":1},"Log":["0"]}`)}
			// JSON ends with spaces so that the snapshot has more than one piece.
			state := []byte(`{"Sold":{"key":2},"Log":["0","1"]}` + strings.Repeat(" ", 3<<20))
			for _, s := range []*journalv1.Snapshot{old, {Seq: 2, State: state}} {
				if err := store.SaveSnapshot(t.Context(), shard, s); err != nil {
					t.Fatal(err)
				}
			}
			lastOfSecond := fmt.Sprintf("%d/2/3", shard)
			pieces := db.Collection("shelf_snapshots")
			var piece bson.M
			if err := pieces.FindOne(t.Context(), bson.D{{Key: "_id", Value: lastOfSecond}}).Decode(&piece); err != nil {
				t.Fatal(err)
			}
			if _, err := pieces.DeleteOne(t.Context(), bson.D{{Key: "_id", Value: lastOfSecond}}); err != nil {
				t.Fatal(err)
			}
			if damage != nil {
				if _, err := pieces.InsertOne(t.Context(), damage(piece)); err != nil {
					t.Fatal(err)
				}
			}
			got, found, err := store.LatestSnapshot(t.Context(), shard)
			if err != nil || !found || got.GetSeq() != 1 {
				t.Errorf("got the snapshot at %d, found %t, %v; want the one at 1", got.GetSeq(), found, err)
			}
			if got := soldOf(t, open(t, store, 0), "key"); got != 3 {
				t.Errorf("sold %d after the start, want 3", got)
			}
		})
	}
}

// newerShelves is the machine of another version: it refuses what shelves encoded.
type newerShelves struct{ shelves }

func (newerShelves) Decode([]byte) (*shelf, error) { return nil, errors.New("another version") }

func TestASnapshotOfAnotherVersionIsPassedOver(t *testing.T) {
	store := journal.NewMemoryStore()
	j := open(t, store, 2)
	for n := range 9 {
		if err := j.Do(t.Context(), sell("key", fmt.Sprint(n), 1000)); err != nil {
			t.Fatal(err)
		}
	}
	testkit.Eventually(t, 10*time.Second, func() error { return snapshotOf(t.Context(), store, "key") })
	newer, err := journal.Open(t.Context(), journal.Config{Name: "shelf", Store: store, Subject: brandOf}, newerShelves{})
	if err != nil {
		t.Fatal(err)
	}
	newer.Each(func(shard int, s *shelf) {
		if shard == journal.ShardOf("key") && s.Sold["key"] != 9 {
			t.Errorf("sold %d after the start, want 9", s.Sold["key"])
		}
	})
}

func snapshotOf(ctx context.Context, store journal.Store, route string) error {
	if _, ok, err := store.LatestSnapshot(ctx, journal.ShardOf(route)); err != nil || !ok {
		return fmt.Errorf("no snapshot yet: %w", err)
	}
	return nil
}

func TestAJournalThatHasLostItsEndIsNotOpened(t *testing.T) {
	store := journal.NewMemoryStore()
	state, err := json.Marshal(&shelf{})
	if err != nil {
		t.Fatal(err)
	}
	if err := store.SaveSnapshot(t.Context(), 0, &journalv1.Snapshot{Seq: 7, State: state}); err != nil {
		t.Fatal(err)
	}
	if _, err := journal.Open(t.Context(), journal.Config{Name: "shelf", Store: store, Subject: brandOf}, shelves{}); err == nil {
		t.Error("the next batch would leave a hole")
	}
}

func TestAJournalWithAHoleIsNotOpened(t *testing.T) {
	store := journal.NewMemoryStore()
	for _, seq := range []uint64{1, 2, 4} {
		if err := store.Insert(t.Context(), 0, seq, &journalv1.Batch{}); err != nil {
			t.Fatal(err)
		}
	}
	_, err := journal.Open(t.Context(), journal.Config{Name: "shelf", Store: store, Subject: brandOf}, shelves{})
	if !errors.Is(err, journal.ErrHole) {
		t.Errorf("it was opened with %v, want it refused for its hole", err)
	}
}
