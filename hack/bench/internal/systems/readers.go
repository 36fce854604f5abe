package systems

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/qingcang/qingcang/hack/internal/offers"
	"github.com/qingcang/qingcang/hack/internal/stack"
	"github.com/qingcang/qingcang/proto/eventkit"
)

const (
	// bareTopic has records of the size of the lane's events, and nothing stands between its writer and
	// its reader.
	bareTopic = "bench.bare"
	bareData  = 160
)

// Listener is a process that writes down when it heard of each order.
type Listener struct{ path string }

// StartConsumer runs a consumer of the lane's events: eventkit in a group, as every service has it.
func (us *Ours) StartConsumer(ctx context.Context) (*Listener, error) {
	return us.listener(ctx, "consumer", laneEvents)
}

// StartBareReader runs a kafka-go Reader of what Bare publishes.
func (us *Ours) StartBareReader(ctx context.Context) (*Listener, error) {
	err := us.conn.Ensure(ctx, eventkit.Topic{Name: bareTopic, Partitions: 1, Cleanup: "delete", RetentionMs: -1, MaxMessageBytes: 1 << 20})
	if err != nil {
		return nil, err
	}
	return us.listener(ctx, "reader", bareTopic)
}

func (us *Ours) listener(ctx context.Context, command, topic string) (*Listener, error) {
	l := &Listener{path: us.field.path(us.Name + "-" + command + ".heard")}
	name := us.Name + "-" + command
	us.helpers = append(us.helpers, name)
	return l, us.field.supervisor.Start(ctx, stack.Process{
		Name: name, Path: filepath.Join(us.field.peers, command), Args: []string{"-broker", us.Brokers, "-topic", topic, "-out", l.path},
	})
}

// Heard returns when each of the orders was heard of, and waits until all were.
func (l *Listener) Heard(ctx context.Context, orders map[string]time.Time, limit time.Duration) (map[string]time.Time, error) {
	ticker := time.NewTicker(publishedCheck)
	defer ticker.Stop()
	for end := time.Now().Add(limit); ; {
		heard, err := l.read(orders)
		if err != nil || len(heard) == len(orders) {
			return heard, err
		}
		if time.Now().After(end) {
			return nil, fmt.Errorf("%d of %d orders were heard of within %s", len(heard), len(orders), limit)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-ticker.C:
		}
	}
}

// read goes through the file; its last line may not be whole.
func (l *Listener) read(orders map[string]time.Time) (map[string]time.Time, error) {
	file, err := os.Open(l.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer file.Close() //nolint:errcheck // it was only read
	heard := make(map[string]time.Time, len(orders))
	for lines := bufio.NewReader(file); ; {
		line, err := lines.ReadString('\n')
		if err != nil {
			return heard, nil // the end, or as far as it is written
		}
		order, at, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		if _, asked := orders[order]; !asked {
			continue
		}
		nanos, err := strconv.ParseInt(at, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", l.path, err)
		}
		if _, again := heard[order]; !again {
			heard[order] = time.Unix(0, nanos)
		}
	}
}

// Bare publishes so many records a second at random times, all that is due in one batch and one batch
// in flight, and returns when each was acknowledged.
func (us *Ours) Bare(ctx context.Context, mark string, rate float64, span time.Duration) (map[string]time.Time, error) {
	acknowledged := map[string]time.Time{}
	random := rand.New(rand.NewPCG(1, 1))
	started := time.Now()
	due := started
	for due.Sub(started) < span {
		var events []eventkit.Event
		for now := time.Now(); !due.After(now) && due.Sub(started) < span; {
			n := len(acknowledged) + len(events)
			events = append(events, eventkit.Event{
				ID: eventkit.Position{Source: "bench/0", Seq: uint64(n)}.String(), Type: orderHeld,
				Subject: fmt.Sprintf("%s%024d", mark, n), Time: now, Data: make([]byte, bareData),
			})
			due = due.Add(time.Duration(random.ExpFloat64() / rate * float64(time.Second)))
		}
		if err := us.conn.Publish(ctx, bareTopic, 0, events); err != nil {
			return nil, err
		}
		for _, e := range events {
			acknowledged[e.Subject] = time.Now()
		}
		<-time.After(time.Until(due))
	}
	return acknowledged, nil
}

// FetchAll reads the whole lane with a bare kafka-go client in a process of its own, and returns how long
// the process took for how many records.
func (us *Ours) FetchAll(ctx context.Context) (took time.Duration, records int64, err error) {
	records, err = us.conn.EndOffset(ctx, offers.LaneTopic, lane)
	if err != nil {
		return 0, 0, err
	}
	started := time.Now()
	_, err = us.field.output(ctx, filepath.Join(us.field.peers, "reader"),
		"-broker", us.Brokers, "-topic", offers.LaneTopic, "-until", strconv.FormatInt(records, 10))
	return time.Since(started), records, err
}
