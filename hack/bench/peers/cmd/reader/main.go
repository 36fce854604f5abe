// Command reader is a bare kafka-go consumer of one partition. The bench starts it.
//
//	reader -broker ADDR -topic T -out FILE     writes down when it read each record: a line "KEY NANOSECONDS"
//	reader -broker ADDR -topic T -until N      fetches N records, does nothing with them, and ends
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/segmentio/kafka-go"
)

func main() {
	broker := flag.String("broker", "", "`address` of the broker")
	topic := flag.String("topic", "", "`topic`, of which partition 0 is read")
	out := flag.String("out", "", "`file` to write")
	until := flag.Int64("until", 0, "`number` of records to fetch")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	var err error
	if *until > 0 {
		err = fetch(ctx, *broker, *topic, *until)
	} else {
		err = follow(ctx, *broker, *topic, *out)
	}
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "reader:", err)
		os.Exit(1)
	}
}

const (
	maxBytes = 1 << 20
	// wait is how long a broker may keep a fetch that finds nothing. A Reader takes it for its read
	// deadline too.
	wait = time.Second
	// flushEvery is how old a line may become before it is in the file: when it was read stands in it.
	flushEvery = 20 * time.Millisecond
)

// follow reads with kafka.Reader as most programs do.
func follow(ctx context.Context, broker, topic, out string) (err error) {
	file, err := os.Create(out)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	reader := kafka.NewReader(kafka.ReaderConfig{
		Brokers: []string{broker}, Topic: topic, Partition: 0, MinBytes: 1, MaxBytes: maxBytes, MaxWait: wait,
	})
	defer func() { err = errors.Join(err, reader.Close()) }()
	var mu sync.Mutex
	lines := bufio.NewWriter(file)
	go func() {
		for range time.Tick(flushEvery) {
			mu.Lock()
			_ = lines.Flush() // the writer keeps its error
			mu.Unlock()
		}
	}()
	for {
		message, err := reader.ReadMessage(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		mu.Lock()
		_, err = fmt.Fprintf(lines, "%s %d\n", message.Key, time.Now().UnixNano())
		mu.Unlock()
		if err != nil {
			return err
		}
	}
}

// fetch asks as fast as it can, reads every record through, and keeps none.
func fetch(ctx context.Context, broker, topic string, until int64) error {
	client := &kafka.Client{Addr: kafka.TCP(broker)}
	for offset := int64(0); offset < until; {
		response, err := client.Fetch(ctx, &kafka.FetchRequest{
			Topic: topic, Partition: 0, Offset: offset, MinBytes: 1, MaxBytes: maxBytes, MaxWait: wait,
		})
		if err == nil {
			err = response.Error
		}
		if err != nil {
			return fmt.Errorf("fetch at %d: %w", offset, err)
		}
		for {
			record, err := response.Records.ReadRecord()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return fmt.Errorf("read behind %d: %w", offset, err)
			}
			if _, err := io.Copy(io.Discard, record.Value); err != nil {
				return fmt.Errorf("read %d: %w", record.Offset, err)
			}
			offset = record.Offset + 1
		}
	}
	return nil
}
