package mongokit_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.opentelemetry.io/otel"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/qingcang/qingcang/services/internal/fault"
	"github.com/qingcang/qingcang/services/internal/mongokit"
	"github.com/qingcang/qingcang/services/internal/testkit"
)

func TestADuplicateInsertSaysSoAndIsTraced(t *testing.T) {
	spans := tracetest.NewInMemoryExporter()
	otel.SetTracerProvider(sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans)))
	mine := testkit.Mongo(t) // drops the database at the end
	db, stop, err := mongokit.Connect(mongokit.Config{URI: os.Getenv("MONGODB_URI"), Database: mine.Name()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := stop(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	if err := mongokit.Ready(db)(httptest.NewRequest(http.MethodGet, "/readyz", nil)); err != nil {
		t.Fatal(err)
	}
	doc := bson.D{{Key: "_id", Value: "0/1"}, {Key: "phone", Value: "13800000000"}}
	if _, err := db.Collection("journal").InsertOne(t.Context(), doc); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Collection("journal").InsertOne(t.Context(), doc); !mongo.IsDuplicateKeyError(err) {
		t.Fatalf("the second insert gave %v", err)
	}
	inserts := 0
	for _, span := range spans.GetSpans() {
		if span.Name == "insert "+mine.Name() {
			inserts++
		}
		for _, a := range span.Attributes {
			if a.Value.AsString() == "13800000000" {
				t.Fatalf("the span %s holds what was stored", span.Name)
			}
		}
	}
	if inserts != 2 {
		t.Fatalf("%d inserts were traced", inserts)
	}
}

func TestAServiceStartsWhileTheDatabaseIsDown(t *testing.T) {
	db, stop, err := mongokit.Connect(mongokit.Config{URI: "mongodb://127.0.0.1:1/", Database: "x"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stop(context.Background()) }()
	if err := mongokit.Ready(db)(httptest.NewRequest(http.MethodGet, "/readyz", nil)); fault.KindOf(err) != fault.Unavailable || !errors.Is(err, mongokit.ErrUnavailable) {
		t.Fatalf("readiness says %v", err)
	}
}

func TestAURIThatIsNoneIsRefused(t *testing.T) {
	if _, _, err := mongokit.Connect(mongokit.Config{URI: "http://x", Database: "x"}); err == nil {
		t.Fatal("it was accepted")
	}
}

func TestFault(t *testing.T) {
	if mongokit.Fault(nil) != nil {
		t.Error("nothing became something")
	}
	if got := fault.KindOf(mongokit.Fault(errors.New("x"))); got != fault.Internal {
		t.Errorf("got %s", got)
	}
	if got := fault.KindOf(mongokit.Fault(context.DeadlineExceeded)); got != fault.Unavailable {
		t.Errorf("got %s", got)
	}
}
