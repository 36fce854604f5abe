// Command judge recounts what a cluster sold from the lanes and the journals alone, and prints the
// result as JSON. It runs as a pod, because Kafka is seldom reached from outside of a cluster. What is
// on its way when it comes is waited for. For tests only.
//
//	judge -mongodb URI -kafka HOST:PORT,... [-within 1m]
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"google.golang.org/protobuf/proto"

	"github.com/qingcang/qingcang/hack/endtoend/internal/verdict"
	"github.com/qingcang/qingcang/hack/internal/recount"
	"github.com/qingcang/qingcang/proto/eventkit"
	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
)

// pause lies between two counts while something is on its way.
const pause = 2 * time.Second

func main() {
	uri := flag.String("mongodb", "", "`URI` of the database")
	brokers := flag.String("kafka", "", "`addresses` of Kafka, host:port with commas")
	within := flag.Duration("within", time.Minute, "how `long` money and events may be on their way")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, *uri, *brokers, *within, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "judge:", err)
		os.Exit(1)
	}
}

// run counts until nothing is amiss or the time is over, and prints the last count.
func run(ctx context.Context, uri, brokers string, within time.Duration, out io.Writer) error {
	conn, err := eventkit.Dial(eventkit.Config{Brokers: strings.Split(brokers, ",")})
	if err != nil {
		return err
	}
	defer conn.Close()
	client, err := mongo.Connect(options.Client().ApplyURI(uri))
	if err != nil {
		return fmt.Errorf("connect to the database: %w", err)
	}
	defer func() { _ = client.Disconnect(context.WithoutCancel(ctx)) }() // only read
	dedicated, err := ownLanes(ctx, conn)
	if err != nil {
		return err
	}
	source := recount.Source{Kafka: conn, Mongo: client, Dedicated: dedicated}
	for deadline := time.Now().Add(within); ; {
		log, err := recount.Read(ctx, source)
		if err == nil {
			_, accepted := recount.CountSales(log)
			result := recount.Count(log, nil)
			if result.Clean() || time.Now().After(deadline) {
				return json.NewEncoder(out).Encode(verdict.Verdict{Result: *result, Faults: result.Faults, Accepted: accepted})
			}
		} else if time.Now().After(deadline) {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(pause):
		}
	}
}

// ownLanes are the uids of all campaigns that ever had a lane of their own. A campaign's record stays
// when it has ended.
func ownLanes(ctx context.Context, conn *eventkit.Conn) ([]string, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var uids []string
	read := false
	err := conn.Table(ctx, "campaigns.v1", func(uid string, value []byte) error {
		var desired campaignv1.Desired
		if err := proto.Unmarshal(value, &desired); err != nil {
			return fmt.Errorf("decode the campaign %s: %w", uid, err)
		}
		if topic := desired.GetLane().GetTopic(); topic == "lane."+uid && !slices.Contains(uids, uid) {
			uids = append(uids, uid)
		}
		return nil
	}, func() {
		read = true
		cancel()
	})
	if !read {
		return nil, fmt.Errorf("read the campaigns: %w", err)
	}
	return uids, nil
}
