package main

import (
	"context"
	"fmt"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/qingcang/qingcang/hack/embedded/internal/crashtest"
)

// TestAMemberThatDiesWhileItJoinsLeaves: what was assigned to it goes to who is alive. Whether kfake
// misses one is chance, about one in two; so there are several groups.
func TestAMemberThatDiesWhileItJoinsLeaves(t *testing.T) {
	server := crashtest.Start(t)
	client := connect(t, server.Address)
	for n := range 6 {
		group := fmt.Sprint("readers-", n)
		createTopic(t, client, group, 2)
		t.Run(group, func(t *testing.T) {
			t.Parallel()
			haunt(t, client, server.Address, group)
		})
	}
}

// haunt has a reader of a topic that is named like its group, and a ghost.
func haunt(t *testing.T, client *kafka.Client, address, group string) {
	reader := kafka.NewReader(kafka.ReaderConfig{
		Brokers: []string{address}, GroupID: group, Topic: group,
		MaxWait: 500 * time.Millisecond, StartOffset: kafka.FirstOffset,
		SessionTimeout: sessionMillis * time.Millisecond, HeartbeatInterval: 500 * time.Millisecond,
		RebalanceTimeout: rebalanceMillis * time.Millisecond,
	})
	t.Cleanup(func() { _ = reader.Close() })
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	produce(t, client, group, 0, "before")
	if _, err := reader.FetchMessage(ctx); err != nil {
		t.Fatal(err)
	}

	joinAndDie(t, address, group)
	awaitMembers(ctx, t, address, group, 2)
	produce(t, client, group, 0, "after 0")
	produce(t, client, group, 1, "after 1")
	want := map[string]bool{"after 0": true, "after 1": true}
	for len(want) > 0 {
		message, err := reader.FetchMessage(ctx)
		if ctx.Err() != nil {
			t.Fatalf("%v was not read: %v", want, err)
		}
		delete(want, string(message.Value)) // an error is a join that failed; the next may not
	}
}

const sessionMillis, rebalanceMillis = 6_000, 3_000

// joinAndDie asks to be a member and is gone when the answer comes.
func joinAndDie(t *testing.T, address, group string) {
	t.Helper()
	metadata := kmsg.NewConsumerMemberMetadata()
	metadata.Topics = []string{group}
	protocol := kmsg.NewJoinGroupRequestProtocol()
	protocol.Name, protocol.Metadata = "range", metadata.AppendTo(nil)
	join := kmsg.NewPtrJoinGroupRequest()
	join.Group, join.ProtocolType = group, "consumer"
	join.SessionTimeoutMillis, join.RebalanceTimeoutMillis = sessionMillis, rebalanceMillis
	join.Protocols = append(join.Protocols, protocol)
	join.SetVersion(1) // makes a member at once of who asks without a name, as kafka-go does
	ghost, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ghost.Write(kmsg.NewRequestFormatter().AppendRequest(nil, join, 1)); err != nil {
		t.Fatal(err)
	}
	if err := ghost.Close(); err != nil {
		t.Fatal(err)
	}
}

// awaitMembers waits until the group has settled with that many.
func awaitMembers(ctx context.Context, t *testing.T, address string, group string, want int) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(address))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		s := &silent{client: client}
		members, err := s.settled(ctx, client.SeedBrokers()[0])
		if err != nil {
			t.Fatal(err)
		}
		members = slices.DeleteFunc(members, func(m member) bool { return m.group != group })
		if len(members) == want {
			return
		}
		<-ticker.C
	}
}

// versioned keeps a request at the version that it has.
type versioned struct{ *kmsg.JoinGroupRequest }

// MaxVersion implements kmsg.Request.
func (versioned) MaxVersion() int16 { return 3 }
