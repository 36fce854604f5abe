package stack

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/qingcang/qingcang/proto/eventkit"
)

// KafkaBrokers is the size of a cluster: the least that goes on without one of its brokers.
const KafkaBrokers = 3

// brokerHeap bounds each broker's Java heap; its resident memory stays under twice that.
const brokerHeap = "320m"

// Kafka is a running cluster of Apache Kafka, every broker a voter of the controllers' quorum too.
// Topics have three replicas, and a write is acknowledged when two of them have it: the cluster
// serves on without one broker, and takes no write without two.
//
// A dead broker's partitions move to others within 9 s, Kafka's default session timeout.
type Kafka struct {
	supervisor *Supervisor
	addresses  []string
}

// StartKafka runs a cluster on free ports and keeps its data under dir. The processes are left out
// of PeakRSS. The caller stops the supervisor, also after an error.
func StartKafka(ctx context.Context, supervisor *Supervisor, jars KafkaJars, dir string) (*Kafka, error) {
	ports, err := FreePorts(2 * KafkaBrokers)
	if err != nil {
		return nil, err
	}
	cluster, err := clusterID(filepath.Join(dir, "cluster-id"))
	if err != nil {
		return nil, err
	}
	k := &Kafka{supervisor: supervisor}
	for _, port := range ports[:KafkaBrokers] {
		k.addresses = append(k.addresses, address(port))
	}
	var brokers sync.WaitGroup // at once: one broker alone has no quorum to join
	errs := make([]error, KafkaBrokers)
	for i := range KafkaBrokers {
		settings := kafkaSettings(i+1, ports[:KafkaBrokers], ports[KafkaBrokers:], filepath.Join(dir, kafkaName(i+1)))
		brokers.Go(func() { errs[i] = k.start(ctx, jars, i+1, cluster, settings, filepath.Join(dir, kafkaName(i+1))) })
	}
	brokers.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return k, k.WaitInSync(ctx)
}

func (k *Kafka) start(ctx context.Context, jars KafkaJars, broker int, cluster, settings, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make a broker's directory: %w", err)
	}
	path := filepath.Join(dir, "server.properties")
	if err := os.WriteFile(path, []byte(settings), 0o644); err != nil {
		return fmt.Errorf("write a broker's settings: %w", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "data", "meta.properties")); errors.Is(err, fs.ErrNotExist) {
		if err := jars.run(ctx, "kafka.tools.StorageTool", "format", "--cluster-id", cluster, "--config", path); err != nil {
			return fmt.Errorf("format a broker's storage: %w", err)
		}
	}
	return k.supervisor.Start(ctx, Process{
		Name: kafkaName(broker), Path: jars.java, Args: jars.arguments("kafka.Kafka", path), Dir: dir,
		Ready:     k.joined(broker),
		Group:     "kafka", // the last one alone would wait in vain for a quorum to sign off at
		Uncounted: true,    // it stands in for a cluster that the product does not run
	})
}

// Addresses are the brokers' host:port, with commas between them, as KAFKA_BROKERS has them.
func (k *Kafka) Addresses() string { return strings.Join(k.addresses, ",") }

// Kill ends a broker, 1 to 3, as kill -9 does. It comes back at once, which takes some seconds.
func (k *Kafka) Kill(broker int) error { return k.supervisor.Kill(kafkaName(broker)) }

// Halt ends a broker as kill -9 does, and it stays away until Release.
func (k *Kafka) Halt(broker int) error { return k.supervisor.Halt(kafkaName(broker)) }

// Release has a halted broker come back.
func (k *Kafka) Release(broker int) error { return k.supervisor.Release(kafkaName(broker)) }

// Pause stops a broker with its connections open (SIGSTOP).
func (k *Kafka) Pause(broker int) error { return k.supervisor.Pause(kafkaName(broker)) }

// Resume lets a paused broker go on.
func (k *Kafka) Resume(broker int) error { return k.supervisor.Resume(kafkaName(broker)) }

// Restart has a broker hand its partitions over and come back.
func (k *Kafka) Restart(broker int) error { return k.supervisor.Restart(kafkaName(broker)) }

// WaitInSync returns when every broker takes part and every partition has all its replicas. What
// ctx bounds, it needs after a fault before the next one: two faults at once are more than the
// cluster is made for.
func (k *Kafka) WaitInSync(ctx context.Context) error {
	return await(ctx, func(ctx context.Context) error {
		for _, address := range k.addresses {
			state, err := clusterAt(ctx, address)
			if err != nil {
				return err
			}
			if len(state.Brokers) < KafkaBrokers || state.Behind > 0 {
				return fmt.Errorf("to %s there are %d of %d brokers, and %d of %d partitions lack a replica",
					address, len(state.Brokers), KafkaBrokers, state.Behind, state.Partitions)
			}
		}
		return nil
	}, nil)
}

// joined is satisfied when the broker answers and counts itself among the brokers.
func (k *Kafka) joined(broker int) Check {
	own := k.addresses[broker-1]
	return func(ctx context.Context) error {
		state, err := clusterAt(ctx, own)
		if err != nil {
			return err
		}
		for _, member := range state.Brokers {
			if member == own {
				return nil
			}
		}
		return fmt.Errorf("%s has not joined the cluster", own)
	}
}

// clusterAt asks one broker, over a connection of its own: an older one may be to a process that
// is gone, and remembers its answers.
func clusterAt(ctx context.Context, address string) (eventkit.Cluster, error) {
	// A port without a listener is told apart quickly; the Kafka client would try again and again.
	if err := TCPReady(address)(ctx); err != nil {
		return eventkit.Cluster{}, err
	}
	conn, err := eventkit.Dial(eventkit.Config{Brokers: []string{address}})
	if err != nil {
		return eventkit.Cluster{}, err
	}
	defer conn.Close()
	return conn.Cluster(ctx)
}

func kafkaName(broker int) string { return fmt.Sprintf("kafka-%d", broker) }

// clusterID keeps the id that the storage is formatted with: a broker refuses another's data.
func clusterID(path string) (string, error) {
	id, err := os.ReadFile(path)
	if err == nil {
		return string(id), nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("read the cluster's id: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return "", fmt.Errorf("make the cluster's directory: %w", err)
	}
	random := make([]byte, 16) // Kafka's ids are UUIDs in URL-safe base64
	if _, err := rand.Read(random); err != nil {
		return "", fmt.Errorf("make the cluster's id: %w", err)
	}
	made := base64.RawURLEncoding.EncodeToString(random)
	if err := os.WriteFile(path, []byte(made), 0o644); err != nil {
		return "", fmt.Errorf("keep the cluster's id: %w", err)
	}
	return made, nil
}

// kafkaSettings are a broker's server.properties.
func kafkaSettings(broker int, clients, controllers []int, dir string) string {
	voters := make([]string, len(controllers))
	for i, port := range controllers {
		voters[i] = fmt.Sprintf("%d@%s", i+1, address(port))
	}
	return fmt.Sprintf(kafkaSettingsText, broker, strings.Join(voters, ","),
		address(clients[broker-1]), address(controllers[broker-1]), filepath.Join(dir, "data"))
}

// What is not said here is Kafka's default: a session of 9 s, replicas that may lag for 30 s, no
// election of a leader that misses acknowledged records, no fsync (a killed process loses nothing,
// a machine that loses power would).
const kafkaSettingsText = `node.id=%[1]d
process.roles=broker,controller
controller.quorum.voters=%[2]s
listeners=PLAINTEXT://%[3]s,CONTROLLER://%[4]s
advertised.listeners=PLAINTEXT://%[3]s
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs=%[5]s

default.replication.factor=3
min.insync.replicas=2
offsets.topic.replication.factor=3
transaction.state.log.replication.factor=3
transaction.state.log.min.isr=2
share.coordinator.state.topic.replication.factor=3
share.coordinator.state.topic.min.isr=2
# topics.yaml is the only list of topics
auto.create.topics.enable=false

# small enough for one machine
offsets.topic.num.partitions=6
transaction.state.log.num.partitions=3
share.coordinator.state.topic.num.partitions=3
num.network.threads=2
num.io.threads=4
background.threads=2
log.cleaner.dedupe.buffer.size=8388608
# a group starts with its first member, as in the settings that Kafka ships for development
group.initial.rebalance.delay.ms=0
`
