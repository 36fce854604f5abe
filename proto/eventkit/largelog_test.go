package eventkit

import (
	"bytes"
	"encoding/binary"
	"os"
	"strings"
	"testing"
	"time"
)

// A broker cuts its answer at the size that was asked for, in the middle of a batch.
func TestALogLargerThanOneFetchIsReadWhole(t *testing.T) {
	brokers := os.Getenv("KAFKA_BROKERS")
	if brokers == "" {
		t.Fatal("KAFKA_BROKERS is not set")
	}
	conn, err := Dial(Config{Brokers: strings.Split(brokers, ","), TopicPrefix: "big" + time.Now().Format("150405.000000") + "-"})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	topic, _ := TopicNamed("lanes.shared.v1")
	if err := conn.Ensure(t.Context(), topic); err != nil {
		t.Fatal(err)
	}
	n := 0
	var last Appended
	for batch := range 40 {
		var values [][]byte
		for range 1 + batch%7 {
			values = append(values, append(binary.AppendUvarint(nil, uint64(n)), bytes.Repeat([]byte{byte(n)}, 30_000+n*97%9_000)...))
			n++
		}
		before := time.Now().Add(-2 * time.Second)
		done, err := conn.Append(t.Context(), topic.Name, 1, values)
		if err != nil {
			t.Fatal(err)
		}
		if done.BaseOffset != int64(n-len(values)) || done.At.Before(last.At) || done.At.Before(before) {
			t.Fatalf("appended %v after %v, want offset %d", done, last, n-len(values))
		}
		last = done
	}
	for from := range int64(n) {
		if from > 20 && from%9 != 0 {
			continue
		}
		next := from
		fetches := 0
		for next < int64(n) {
			records, err := conn.Fetch(t.Context(), topic.Name, 1, next)
			if err != nil {
				t.Fatal(err)
			}
			fetches++
			if len(records) == 0 {
				t.Fatalf("nothing at %d of %d", next, n)
			}
			for _, r := range records {
				got, _ := binary.Uvarint(r.Value)
				if r.Offset != next || got != uint64(next) {
					t.Fatalf("at %d stands %d with offset %d", next, got, r.Offset)
				}
				next++
			}
		}
		if from == 0 {
			t.Logf("%d records in %d fetches", n, fetches)
		}
	}
	for _, beyond := range []int64{int64(n) + 1, int64(n) + 1000} {
		began := time.Now()
		_, err := conn.Fetch(t.Context(), topic.Name, 1, beyond)
		t.Logf("beyond the end: %v after %s", err, time.Since(began))
	}
}
