// Command ferretdb serves the MongoDB wire protocol out of SQLite files, so
// that the suite runs on one machine without a MongoDB server.
//
// What was acknowledged survives the death of the process (kill -9), because
// it is in the operating system's page cache by then. The loss of power may
// take the last commits, but leaves the files sound. It is for demo and tests.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/FerretDB/FerretDB/ferretdb"

	"github.com/qingcang/qingcang/hack/embedded/internal/loopback"
)

func main() {
	logger := slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, logger, os.Args[1:])
	stop()
	if err != nil {
		logger.Error("the database stopped", slog.Any("error", err))
		os.Exit(1)
	}
}

// run serves until ctx ends and returns after every file is closed.
func run(ctx context.Context, logger *slog.Logger, args []string) error {
	flags := flag.NewFlagSet("ferretdb", flag.ContinueOnError)
	listen := flags.String("listen", "127.0.0.1:27017", "loopback `address` to serve on")
	dir := flags.String("dir", "", "`directory` of the SQLite files, created when missing")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if _, err := loopback.Port(*listen); err != nil {
		return err
	}
	if *dir == "" {
		return errors.New("-dir is required")
	}
	if err := os.MkdirAll(*dir, 0o700); err != nil {
		return fmt.Errorf("create the data directory: %w", err)
	}
	source, err := sqliteURL(*dir)
	if err != nil {
		return err
	}
	server, err := ferretdb.New(&ferretdb.Config{
		Listener:  ferretdb.ListenerConfig{TCP: *listen},
		Logger:    logger,
		Handler:   "sqlite",
		SQLiteURL: source,
	})
	if err != nil {
		return fmt.Errorf("open the database: %w", err)
	}
	return server.Run(ctx)
}

// sqliteURL names the directory and the pragmas of every connection to a file
// in it. FerretDB keeps up to 100 connections per file, each with a page cache
// of its own, so the cache is kept small and reads go to the page cache of the
// operating system instead.
func sqliteURL(dir string) (string, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("resolve the data directory: %w", err)
	}
	pragmas := url.Values{"_pragma": {
		"busy_timeout(10000)", // milliseconds; must come before the journal mode
		"journal_mode(wal)",
		"synchronous(normal)",          // wait for the disk when the log is folded in, not at each commit
		"cache_size(-512)",             // KiB per connection
		"journal_size_limit(67108864)", // bytes that the log keeps after a checkpoint
	}}
	return (&url.URL{Scheme: "file", Opaque: abs + "/", RawQuery: pragmas.Encode()}).String(), nil
}
