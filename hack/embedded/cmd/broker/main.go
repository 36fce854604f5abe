// Command broker serves the Kafka protocol out of files, so that the suite
// runs on one machine without a Kafka cluster. Clients create the topics.
//
// It is one broker on a loopback address without passwords: for demo and
// tests only. What was acknowledged survives the death of the process
// (kill -9); with -fsync it survives the loss of power too.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"strconv"
	"syscall"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/qingcang/qingcang/hack/embedded/internal/loopback"
)

// segmentBytes is the size at which a partition's log file is closed. A start
// reads each file as a whole, for all partitions at once, so a file is small.
const segmentBytes = 16 << 20

func main() {
	logger := slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, logger, os.Args[1:])
	stop()
	if err != nil {
		logger.Error("the broker stopped", slog.Any("error", err))
		os.Exit(1)
	}
}

// run serves until ctx ends and returns after the state is on disk.
func run(ctx context.Context, logger *slog.Logger, args []string) error {
	flags := flag.NewFlagSet("broker", flag.ContinueOnError)
	listen := flags.String("listen", "127.0.0.1:9092", "loopback `address` to serve on and to tell clients")
	advertise := flags.String("advertise", "", "`address` to tell clients instead, of a proxy before this one")
	dir := flags.String("dir", "", "`directory` of the logs, created when missing")
	fsync := flags.Bool("fsync", false, "wait for the disk at each batch")
	if err := flags.Parse(args); err != nil {
		return err
	}
	port, err := loopback.Port(*listen)
	if err != nil {
		return err
	}
	if *dir == "" {
		return errors.New("-dir is required")
	}
	options := []kfake.Opt{
		kfake.Ports(port),
		kfake.ListenFn(listenAs(*listen, *advertise)),
		kfake.DataDir(*dir),
		kfake.BrokerConfigs(map[string]string{"log.segment.bytes": strconv.Itoa(segmentBytes)}),
		kfake.WithLogger(brokerLogger{logger}),
	}
	if *fsync {
		options = append(options, kfake.SyncWrites())
	}
	cluster, err := kfake.NewCluster(options...)
	if err != nil {
		return fmt.Errorf("open the broker: %w", err)
	}
	defer cluster.Close()
	members, err := watchMembers(cluster, *listen, logger)
	if err != nil {
		return err
	}
	members.run(ctx)
	return nil
}

// listenAs listens on one address and tells another, if there is one: clients go where a broker says
// that it is, and so would pass by a proxy before it.
func listenAs(listen, advertise string) func(network, _ string) (net.Listener, error) {
	return func(network, _ string) (net.Listener, error) {
		listener, err := net.Listen(network, listen)
		if err != nil || advertise == "" {
			return listener, err
		}
		told, err := net.ResolveTCPAddr(network, advertise)
		if err != nil {
			return nil, errors.Join(err, listener.Close())
		}
		return advertised{listener, told}, nil
	}
}

// advertised is a listener that is reached at another address than its own.
type advertised struct {
	net.Listener
	addr net.Addr
}

// Addr is what the broker tells its clients.
func (a advertised) Addr() net.Addr { return a.addr }

// brokerLogger hands the broker's warnings and errors to slog; its chatter
// about each request is dropped before it is formatted.
type brokerLogger struct{ logger *slog.Logger }

// Logf implements kfake.Logger.
func (b brokerLogger) Logf(level kfake.LogLevel, message string, values ...any) {
	switch level {
	case kfake.LogLevelError:
		b.logger.Error(fmt.Sprintf(message, values...))
	case kfake.LogLevelWarn:
		b.logger.Warn(fmt.Sprintf(message, values...))
	}
}
