package stack

import (
	"context"
	"fmt"
	"path/filepath"
)

// Embedded are the addresses of the embedded database and broker.
type Embedded struct {
	MongoURI string
	Brokers  string // host:port
}

// Names of the embedded processes in their supervisor.
const (
	DatabaseName = "ferretdb"
	BrokerName   = "broker"
)

const (
	// mongoPool bounds the connections of each client: the database opens an
	// SQLite connection for each request that runs at the same time.
	mongoPool = 8
	// The soft limits of the two processes; see hack/embedded/README.md for what they need.
	databaseMemory = "GOMEMLIMIT=128MiB"
	brokerMemory   = "GOMEMLIMIT=128MiB"
)

// StartEmbedded runs the database and the broker on free ports and keeps their
// data under dir.
func StartEmbedded(ctx context.Context, supervisor *Supervisor, binaries Binaries, dir string) (Embedded, error) {
	uri, err := StartDatabase(ctx, supervisor, binaries, dir)
	if err != nil {
		return Embedded{}, err
	}
	ports, err := FreePorts(1)
	if err != nil {
		return Embedded{}, err
	}
	broker := address(ports[0])
	return Embedded{MongoURI: uri, Brokers: broker}, supervisor.Start(ctx, Process{
		Name: BrokerName, Path: binaries.Path("broker"), Env: []string{brokerMemory},
		Args:  []string{"-listen", broker, "-dir", filepath.Join(dir, BrokerName)},
		Ready: TCPReady(broker),
	})
}

// StartDatabase runs the database alone and returns its URI.
func StartDatabase(ctx context.Context, supervisor *Supervisor, binaries Binaries, dir string) (string, error) {
	ports, err := FreePorts(1)
	if err != nil {
		return "", err
	}
	database := address(ports[0])
	return fmt.Sprintf("mongodb://%s/?maxPoolSize=%d", database, mongoPool), supervisor.Start(ctx, Process{
		Name: DatabaseName, Path: binaries.Path("ferretdb"), Env: []string{databaseMemory},
		Args:  []string{"-listen", database, "-dir", filepath.Join(dir, DatabaseName)},
		Ready: TCPReady(database),
	})
}
