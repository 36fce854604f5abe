package main

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/qingcang/qingcang/hack/embedded/internal/crashtest"
)

func TestMain(m *testing.M) { crashtest.Main(m, main) }

func TestAcknowledgedDocumentsSurviveAKilledDatabase(t *testing.T) {
	server := crashtest.Start(t)
	const rounds, perRound = 3, 50
	for round := range rounds {
		journal := connect(t, server.Address)
		for i := range perRound {
			id := fmt.Sprintf("brand-1/%d", round*perRound+i)
			if _, err := journal.InsertOne(t.Context(), bson.D{{Key: "_id", Value: id}, {Key: "round", Value: round}}); err != nil {
				t.Fatalf("insert %s: %v", id, err)
			}
		}
		server.Crash(t)
	}

	journal := connect(t, server.Address)
	for i := range rounds * perRound {
		id := fmt.Sprintf("brand-1/%d", i)
		var got struct{ Round int }
		if err := journal.FindOne(t.Context(), bson.D{{Key: "_id", Value: id}}).Decode(&got); err != nil {
			t.Fatalf("find %s: %v", id, err)
		}
		if want := i / perRound; got.Round != want {
			t.Errorf("%s: round = %d, want %d", id, got.Round, want)
		}
	}
}

// The journal stands on this: of many writers of one slot exactly one wins,
// and the others are told so.
func TestOneOfManyWritersTakesTheSlot(t *testing.T) {
	journal := connect(t, crashtest.Start(t).Address)

	const slots, writers = 10, 20
	for slot := range slots {
		results := make(chan error, writers)
		var writing sync.WaitGroup
		for writer := range writers {
			writing.Go(func() {
				_, err := journal.InsertOne(t.Context(), bson.D{{Key: "_id", Value: fmt.Sprintf("s/%d", slot)}, {Key: "by", Value: writer}})
				results <- err
			})
		}
		writing.Wait()
		close(results)
		won := 0
		for err := range results {
			switch {
			case err == nil:
				won++
			case !mongo.IsDuplicateKeyError(err):
				t.Errorf("slot %d: %v, want a duplicate key", slot, err)
			}
		}
		if won != 1 {
			t.Errorf("slot %d was taken %d times, want once", slot, won)
		}
	}
}

// connect returns a client with connections of its own: those of an older
// client are dead after a crash.
func connect(t *testing.T, address string) *mongo.Collection {
	t.Helper()
	client, err := mongo.Connect(options.Client().ApplyURI("mongodb://" + address))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := client.Disconnect(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return client.Database("crash").Collection("journal")
}
