// Package mongokit connects to MongoDB the one way that is safe for a journal:
// majority writes, and no retries behind our back.
package mongokit

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readconcern"
	"go.mongodb.org/mongo-driver/v2/mongo/readpref"
	"go.mongodb.org/mongo-driver/v2/mongo/writeconcern"

	"github.com/qingcang/qingcang/services/internal/fault"
)

const (
	maxPoolSize      = 32
	connectTimeout   = 5 * time.Second
	selectionTimeout = 5 * time.Second
	// operationTimeout bounds an operation whose context has no deadline.
	operationTimeout = 10 * time.Second
	pingTimeout      = 2 * time.Second
	closeTimeout     = 5 * time.Second
)

// Config is where the database is. TLS and SASL files are named in the URI
// (tlsCAFile, tlsCertificateKeyFile, authMechanism).
type Config struct {
	URI      string `env:"MONGODB_URI,required,notEmpty"`
	Database string `env:"MONGODB_DATABASE,required,notEmpty"`
}

// Connect returns the database. It does not wait for the server, so that a
// service starts while the database is down; Ready says when it is there. stop
// closes the connections.
//
// Retries are off: a retried insert that had in fact been stored looks like a
// duplicate, and a journal must tell its own insert from somebody else's.
func Connect(cfg Config) (db *mongo.Database, stop func(context.Context) error, err error) {
	client, err := mongo.Connect(options.Client().ApplyURI(cfg.URI).
		SetRetryWrites(false).
		SetRetryReads(false).
		SetWriteConcern(writeconcern.Majority()).
		SetReadConcern(readconcern.Majority()).
		SetReadPreference(readpref.Primary()).
		SetMaxPoolSize(maxPoolSize).
		SetConnectTimeout(connectTimeout).
		SetServerSelectionTimeout(selectionTimeout).
		SetTimeout(operationTimeout).
		SetMonitor(monitor()))
	if err != nil {
		return nil, nil, fmt.Errorf("connect to MongoDB: %w", err)
	}
	stop = func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, closeTimeout)
		defer cancel()
		if err := client.Disconnect(ctx); err != nil {
			return fmt.Errorf("disconnect from MongoDB: %w", err)
		}
		return nil
	}
	return client.Database(cfg.Database), stop, nil
}

// Ready returns a readiness check: the primary answers.
func Ready(db *mongo.Database) func(*http.Request) error {
	return func(r *http.Request) error {
		ctx, cancel := context.WithTimeout(r.Context(), pingTimeout)
		defer cancel()
		if err := db.Client().Ping(ctx, readpref.Primary()); err != nil {
			return Fault(err)
		}
		return nil
	}
}

// ErrUnavailable is the fault of a request that the database did not answer.
var ErrUnavailable = fault.New(fault.Unavailable, "database_unavailable", "the database did not answer; try again soon").RetryAfter(1)

// Fault gives an error of the driver its kind: Unavailable if the server could
// not be reached in time, else Internal. nil stays nil.
func Fault(err error) error {
	switch {
	case err == nil:
		return nil
	case mongo.IsTimeout(err), mongo.IsNetworkError(err):
		return ErrUnavailable.Wrap(err)
	default:
		return fmt.Errorf("mongodb: %w", err)
	}
}
