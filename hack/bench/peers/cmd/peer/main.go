// Command peer is what an order service is measured against: the same request, the same token
// check, another way to hold stock. The bench starts it.
//
//	peer -kind noop|handler|rueidis|go-redis|pg-row|pg-batch -listen ADDR -keys FILE -store ADDR -stock CAMPAIGN/SKU=UNITS ...
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"

	"github.com/qingcang/qingcang/services/bench-peers/internal/door"
	"github.com/qingcang/qingcang/services/bench-peers/internal/pgpeer"
	"github.com/qingcang/qingcang/services/bench-peers/internal/redispeer"
	"github.com/qingcang/qingcang/services/internal/auth"
	"github.com/qingcang/qingcang/services/internal/run"
)

// rowConnections was the fastest of 2, 4, 8, 16, 32 and 64 for one hot row on 2 cores.
const rowConnections = 8

// batchConnections: one transaction at a time, as they all want the same row.
const batchConnections = 2

type config struct {
	kind, listen, keys, store string
	pool                      int
	stock                     []stock
}

type stock struct {
	campaign, sku string
	units         int64
}

func main() {
	var c config
	flag.StringVar(&c.kind, "kind", "", "noop, handler, rueidis, go-redis, pg-row or pg-batch")
	flag.StringVar(&c.listen, "listen", "127.0.0.1:0", "`address` to serve on")
	flag.StringVar(&c.keys, "keys", "", "key `file` of the buyers' tokens")
	flag.StringVar(&c.store, "store", "", "`address` of Redis, or PostgreSQL's connection string")
	flag.IntVar(&c.pool, "pool", rowConnections, "`connections` to PostgreSQL for a row an order")
	flag.Func("stock", "`campaign/sku=units` to begin with; repeatable", c.addStock)
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := serve(ctx, c)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "peer:", err)
		os.Exit(1)
	}
}

func (c *config) addStock(text string) error {
	where, count, ok := strings.Cut(text, "=")
	campaign, sku, ok2 := strings.Cut(where, "/")
	units, err := strconv.ParseInt(count, 10, 64)
	if !ok || !ok2 || err != nil {
		return errors.New("campaign/sku=units is wanted")
	}
	c.stock = append(c.stock, stock{campaign: campaign, sku: sku, units: units})
	return nil
}

func serve(ctx context.Context, c config) error {
	handler, err := c.handler(ctx)
	if err != nil {
		return err
	}
	// The services' own server: whatever it costs to bound a request, it costs everybody.
	return run.HTTPServer(c.listen, handler)(ctx)
}

func (c *config) handler(ctx context.Context) (http.Handler, error) {
	if c.kind == "noop" {
		return door.NewNoop(), nil
	}
	buyers, err := auth.LoadKeys(c.keys)
	if err != nil {
		return nil, err
	}
	reserver, err := c.reserver(ctx)
	if err != nil {
		return nil, err
	}
	return door.New(buyers, reserver), nil
}

func (c *config) reserver(ctx context.Context) (door.Reserver, error) {
	switch c.kind {
	case "handler":
		return door.Everything{}, nil
	case "rueidis", "go-redis":
		return c.redis(ctx)
	case "pg-row", "pg-batch":
		return c.postgres(ctx)
	}
	return nil, fmt.Errorf("there is no peer %q", c.kind)
}

func (c *config) redis(ctx context.Context) (door.Reserver, error) {
	client, err := redispeer.DialRueidis(c.store)
	if err != nil {
		return nil, err
	}
	for _, s := range c.stock {
		if err := client.SetStock(ctx, s.campaign, s.sku, s.units); err != nil {
			return nil, fmt.Errorf("set the stock: %w", err)
		}
	}
	if c.kind == "go-redis" {
		return redispeer.DialGoRedis(c.store), nil
	}
	return client, nil
}

func (c *config) postgres(ctx context.Context) (door.Reserver, error) {
	connections := int32(c.pool)
	if c.kind == "pg-batch" {
		connections = batchConnections
	}
	pool, err := pgpeer.Dial(ctx, c.store, connections)
	if err != nil {
		return nil, err
	}
	for _, s := range c.stock {
		if err := pgpeer.SetStock(ctx, pool, s.campaign, s.sku, s.units); err != nil {
			return nil, fmt.Errorf("set the stock: %w", err)
		}
	}
	if c.kind == "pg-batch" {
		return pgpeer.NewBatches(ctx, pool), nil
	}
	return pgpeer.Rows{Pool: pool}, nil
}
