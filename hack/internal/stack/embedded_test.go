package stack_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/qingcang/qingcang/hack/internal/stack"
)

// Without the correction of its query the database reads the whole collection
// to find one document.
func TestTheDatabaseFindsADocumentByItsIndex(t *testing.T) {
	root, err := stack.Root()
	if err != nil {
		t.Fatal(err)
	}
	binaries, err := stack.BuildEmbedded(t.Context(), root, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	embedded, err := stack.StartEmbedded(t.Context(), newSupervisor(t), binaries, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	client, err := mongo.Connect(options.Client().ApplyURI(embedded.MongoURI))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Disconnect(context.Background()) })
	database := client.Database("story")
	if _, err := database.Collection("journal").InsertOne(t.Context(), bson.D{{Key: "_id", Value: "0/1"}}); err != nil {
		t.Fatal(err)
	}

	var plan bson.M
	err = database.RunCommand(t.Context(), bson.D{{Key: "explain", Value: bson.D{
		{Key: "find", Value: "journal"}, {Key: "filter", Value: bson.D{{Key: "_id", Value: "0/1"}}},
	}}}).Decode(&plan)
	if err != nil {
		t.Fatal(err)
	}

	if got := fmt.Sprint(plan["queryPlanner"]); !strings.Contains(got, "USING INDEX") {
		t.Errorf("the plan of a find by _id is %s, want one that uses the index", got)
	}
}
