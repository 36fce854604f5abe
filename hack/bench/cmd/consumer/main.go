// Command consumer listens to the lane's events as another service does and writes down when it heard
// of each order that is held: a line "ORDER NANOSECONDS". The bench starts it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/qingcang/qingcang/proto/eventkit"
)

func main() {
	broker := flag.String("broker", "", "`address` of the broker")
	topic := flag.String("topic", "", "`topic` of the events")
	out := flag.String("out", "", "`file` to write")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, *broker, *topic, *out)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "consumer:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, broker, topic, out string) (err error) {
	file, err := os.Create(out)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	conn, err := eventkit.Dial(eventkit.Config{Brokers: []string{broker}})
	if err != nil {
		return err
	}
	defer conn.Close()
	var lines []byte
	return conn.Consume(ctx, eventkit.Group{ID: "bench-fanout", Topics: map[string]eventkit.Role{
		topic: {Handle: func(_ context.Context, records []eventkit.Record) error {
			heard := time.Now().UnixNano() // the handler has them all at once
			lines = lines[:0]
			for _, record := range records {
				if record.Event.Type == "order.v1.OrderHeld" {
					lines = fmt.Appendf(lines, "%s %d\n", record.Event.Subject, heard)
				}
			}
			_, err := file.Write(lines)
			return err
		}},
	}})
}
