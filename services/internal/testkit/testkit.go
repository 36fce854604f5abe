// Package testkit gives tests the addresses of the stack that hack/test
// starts, and names of their own in it, so that all tests share one stack.
package testkit

import (
	"context"
	"crypto/rand"
	"os"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/writeconcern"
)

const dropTimeout = 30 * time.Second

// Mongo returns a database of the test's own, dropped at its end.
func Mongo(t testing.TB) *mongo.Database {
	t.Helper()
	uri := address(t, "MONGODB_URI")
	client, err := mongo.Connect(options.Client().ApplyURI(uri).
		SetRetryWrites(false).SetRetryReads(false).
		SetWriteConcern(writeconcern.Majority()).
		SetServerSelectionTimeout(10 * time.Second))
	if err != nil {
		t.Fatalf("connect to MONGODB_URI: %v", err)
	}
	db := client.Database("test_" + unique())
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), dropTimeout)
		defer cancel()
		if err := db.Drop(ctx); err != nil {
			t.Logf("drop %s: %v", db.Name(), err)
		}
		if err := client.Disconnect(ctx); err != nil {
			t.Logf("disconnect: %v", err)
		}
	})
	return db
}

// Brokers returns the addresses of the Kafka brokers.
func Brokers(t testing.TB) []string {
	t.Helper()
	return strings.Split(address(t, "KAFKA_BROKERS"), ",")
}

// Prefix returns a name that no other test and no earlier run uses, for topics
// and consumer groups.
func Prefix(t testing.TB) string {
	t.Helper()
	return "t" + unique() + "-"
}

// Eventually polls until condition returns nil, and fails the test with its
// last error at the timeout.
func Eventually(t testing.TB, timeout time.Duration, condition func() error) {
	t.Helper()
	deadline := time.Now().Add(timeout)
	for pause := time.Millisecond; ; pause = min(2*pause, 100*time.Millisecond) {
		err := condition()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("not within %s: %v", timeout, err)
		}
		time.Sleep(pause)
	}
}

func address(t testing.TB, name string) string {
	t.Helper()
	value := os.Getenv(name)
	if value == "" {
		t.Fatalf("set %s (./hack/test starts the embedded stack and sets it)", name)
	}
	return value
}

func unique() string { return strings.ToLower(rand.Text()[:16]) }
