package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/qingcang/qingcang/hack/embedded/internal/crashtest"
)

func TestMain(m *testing.M) { crashtest.Main(m, main) }

func TestAcknowledgedRecordsSurviveAKilledBroker(t *testing.T) {
	server := crashtest.Start(t)
	createTopic(t, connect(t, server.Address), "orders", 2)

	const perRound = 50
	var want []string
	for round := range 3 {
		client := connect(t, server.Address)
		for i := range perRound {
			value := fmt.Sprintf("%d/%d", round, i)
			produce(t, client, "orders", 1, value)
			want = append(want, value)
		}
		server.Crash(t)
	}

	got := fetchAll(t, connect(t, server.Address), "orders", 1)
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("read back %v\nwant %v", got, want)
	}
}

func TestAGroupGoesOnWhereItCommitted(t *testing.T) {
	server := crashtest.Start(t)
	client := connect(t, server.Address)
	createTopic(t, client, "events", 1)
	for i := range 4 {
		produce(t, client, "events", 0, fmt.Sprint(i))
	}
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()

	for i := range 4 {
		reader := kafka.NewReader(kafka.ReaderConfig{
			Brokers: []string{server.Address}, GroupID: "readers", Topic: "events",
			MaxWait: 500 * time.Millisecond, StartOffset: kafka.FirstOffset,
		})
		message, err := reader.FetchMessage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := string(message.Value), fmt.Sprint(i); got != want {
			t.Errorf("reader %d got %q, want %q", i, got, want)
		}
		if err := reader.CommitMessages(ctx, message); err != nil {
			t.Fatal(err)
		}
		if err := reader.Close(); err != nil {
			t.Fatal(err)
		}
		if i == 1 {
			server.Crash(t)
		}
	}
}

// connect returns a client with connections of its own: those of an older
// client are dead after a crash.
func connect(t *testing.T, address string) *kafka.Client {
	t.Helper()
	transport := &kafka.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &kafka.Client{Addr: kafka.TCP(address), Timeout: 10 * time.Second, Transport: transport}
}

func createTopic(t *testing.T, client *kafka.Client, topic string, partitions int) {
	t.Helper()
	answer, err := client.CreateTopics(t.Context(), &kafka.CreateTopicsRequest{
		Topics: []kafka.TopicConfig{{Topic: topic, NumPartitions: partitions, ReplicationFactor: 1}},
	})
	if err == nil {
		err = answer.Errors[topic]
	}
	if err != nil {
		t.Fatalf("create topic %s: %v", topic, err)
	}
}

func produce(t *testing.T, client *kafka.Client, topic string, partition int, value string) {
	t.Helper()
	answer, err := client.Produce(t.Context(), &kafka.ProduceRequest{
		Topic: topic, Partition: partition, RequiredAcks: kafka.RequireAll,
		Records: kafka.NewRecordReader(kafka.Record{Value: kafka.NewBytes([]byte(value))}),
	})
	if err == nil {
		err = answer.Error
	}
	if err != nil {
		t.Fatalf("produce %q: %v", value, err)
	}
}

func fetchAll(t *testing.T, client *kafka.Client, topic string, partition int) []string {
	t.Helper()
	var values []string
	for offset := int64(0); ; {
		answer, err := client.Fetch(t.Context(), &kafka.FetchRequest{
			Topic: topic, Partition: partition, Offset: offset, MinBytes: 1, MaxBytes: 1 << 20, MaxWait: 100 * time.Millisecond,
		})
		if err == nil {
			err = answer.Error
		}
		if err != nil {
			t.Fatalf("fetch at %d: %v", offset, err)
		}
		for {
			record, err := answer.Records.ReadRecord()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("read the record at %d: %v", offset, err)
			}
			value, err := kafka.ReadAll(record.Value)
			if err != nil {
				t.Fatal(err)
			}
			values = append(values, string(value))
			offset = record.Offset + 1
		}
		if offset >= answer.HighWatermark {
			return values
		}
	}
}
