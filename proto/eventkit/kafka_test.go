package eventkit

import (
	"crypto/rand"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/wrapperspb"
)

// dial connects to the brokers that hack/test starts, under a prefix that nobody else uses.
func dial(t *testing.T) *Conn {
	t.Helper()
	brokers := os.Getenv("KAFKA_BROKERS")
	if brokers == "" {
		t.Fatal("set KAFKA_BROKERS (./hack/test starts the embedded stack and sets it)")
	}
	conn, err := Dial(Config{Brokers: strings.Split(brokers, ","), TopicPrefix: "t" + strings.ToLower(rand.Text()[:16]) + "-"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	return conn
}

const testTopic = "events.v1"

// connWith makes the topic of a test.
func connWith(t *testing.T, partitions int, cleanup string) *Conn {
	t.Helper()
	conn := dial(t)
	topic := Topic{Name: testTopic, Partitions: partitions, Cleanup: cleanup, RetentionMs: -1, MaxMessageBytes: 1 << 20}
	for range 2 { // a topic that is there is left as it is
		if err := conn.Ensure(t.Context(), topic); err != nil {
			t.Fatal(err)
		}
	}
	return conn
}

// chain is the events from..to of a source, each naming the one before.
func chain(source string, from, to int) (out []Event) {
	for seq := from; seq <= to; seq++ {
		e := Event{
			ID:   Position{Source: source, Seq: uint64(seq)}.String(),
			Type: "google.protobuf.Int64Value", Subject: "s", Time: time.Unix(int64(seq), 0),
		}
		if seq > 1 {
			e.Prev = Position{Source: source, Seq: uint64(seq - 1)}.String()
		}
		e.Data = fmt.Appendf(nil, "\x08%c", seq%128)
		out = append(out, e)
	}
	return out
}

func publish(t *testing.T, conn *Conn, partition int, events ...Event) {
	t.Helper()
	if err := conn.Publish(t.Context(), testTopic, partition, events); err != nil {
		t.Fatal(err)
	}
}

// readAll reads a partition from its start to its end.
func readAll(t *testing.T, conn *Conn, partition int) (out []Record) {
	t.Helper()
	end, err := conn.EndOffset(t.Context(), testTopic, partition)
	if err != nil {
		t.Fatal(err)
	}
	for next := int64(0); next < end; {
		records, err := conn.Fetch(t.Context(), testTopic, partition, next)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range records {
			out, next = append(out, r), r.Offset+1
		}
	}
	return out
}

// receive waits for the next thing a reader says.
func receive[T any](t *testing.T, from <-chan T, what string) T {
	t.Helper()
	select {
	case got := <-from:
		return got
	case <-time.After(30 * time.Second):
		t.Fatalf("%s did not come in half a minute", what)
		panic("unreachable")
	}
}

func value(n int64) *wrapperspb.Int64Value { return wrapperspb.Int64(n) }
