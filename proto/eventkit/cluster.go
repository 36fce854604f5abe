package eventkit

import (
	"context"
	"fmt"
	"net"
	"strconv"

	"github.com/segmentio/kafka-go"
)

// Cluster is the state of a Kafka cluster.
type Cluster struct {
	// Brokers are the addresses of the brokers that take part.
	Brokers []string
	// Partitions counts those of every topic; Behind are those that a replica is missing from.
	Partitions, Behind int
}

// Cluster returns the state as this Conn last heard it, which may be some seconds ago. A new Conn
// hears it at its first call.
func (c *Conn) Cluster(ctx context.Context) (Cluster, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	response, err := c.client.Metadata(ctx, &kafka.MetadataRequest{Addr: c.addr})
	if err != nil {
		return Cluster{}, fmt.Errorf("ask Kafka for its cluster: %w", err)
	}
	var out Cluster
	for _, b := range response.Brokers {
		out.Brokers = append(out.Brokers, net.JoinHostPort(b.Host, strconv.Itoa(b.Port)))
	}
	for _, t := range response.Topics {
		for _, p := range t.Partitions {
			out.Partitions++
			if len(p.Isr) < len(p.Replicas) {
				out.Behind++
			}
		}
	}
	return out, nil
}
