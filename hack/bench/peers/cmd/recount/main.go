// Command recount lists what a peer's store holds, without the peer's code: a line "left UNITS" and
// a line "order ID UNITS" for each order of the campaign and SKU.
package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"os"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"
)

func main() {
	kind := flag.String("kind", "", "redis or postgres")
	store := flag.String("store", "", "`address` of Redis, or PostgreSQL's connection string")
	campaign := flag.String("campaign", "", "campaign `uid`")
	sku := flag.String("sku", "", "`SKU`")
	flag.Parse()
	ctx, out := context.Background(), bufio.NewWriter(os.Stdout)
	list := listRedis
	if *kind == "postgres" {
		list = listPostgres
	}
	err := list(ctx, out, *store, *campaign, *sku)
	if err == nil {
		err = out.Flush()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "recount:", err)
		os.Exit(1)
	}
}

// scanCount is how many keys one SCAN looks at.
const scanCount = 1_000

// listRedis reads keys as the script wrote them: stock:CAMPAIGN/SKU and order:CAMPAIGN/ID = units|sku|…
func listRedis(ctx context.Context, out *bufio.Writer, store, campaign, sku string) error {
	client := redis.NewClient(&redis.Options{Addr: store})
	defer func() { _ = client.Close() }()
	left, err := client.Get(ctx, "stock:"+campaign+"/"+sku).Int64()
	if err != nil {
		return fmt.Errorf("read the stock: %w", err)
	}
	_, _ = fmt.Fprintln(out, "left", left) // Flush tells
	// SCAN may show a key twice; a key is one order.
	seen := map[string]struct{}{}
	for cursor := uint64(0); ; {
		keys, next, err := client.Scan(ctx, cursor, "order:"+campaign+"/*", scanCount).Result()
		if err != nil {
			return fmt.Errorf("scan: %w", err)
		}
		if len(keys) > 0 {
			values, err := client.MGet(ctx, keys...).Result()
			if err != nil {
				return fmt.Errorf("read orders: %w", err)
			}
			for i, key := range keys {
				units, rest, _ := strings.Cut(fmt.Sprint(values[i]), "|")
				if _, again := seen[key]; again || !strings.HasPrefix(rest, sku+"|") {
					continue
				}
				seen[key] = struct{}{}
				_, _ = fmt.Fprintln(out, "order", strings.TrimPrefix(key, "order:"+campaign+"/"), units)
			}
		}
		if cursor = next; cursor == 0 {
			return nil
		}
	}
}

func listPostgres(ctx context.Context, out *bufio.Writer, store, campaign, sku string) error {
	conn, err := pgx.Connect(ctx, store)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer func() { _ = conn.Close(ctx) }()
	var left int64
	if err := conn.QueryRow(ctx, `SELECT left_units FROM stock WHERE campaign = $1 AND sku = $2`, campaign, sku).Scan(&left); err != nil {
		return fmt.Errorf("read the stock: %w", err)
	}
	_, _ = fmt.Fprintln(out, "left", left) // Flush tells
	rows, err := conn.Query(ctx, `SELECT id, units FROM orders WHERE campaign = $1 AND sku = $2`, campaign, sku)
	if err != nil {
		return fmt.Errorf("read orders: %w", err)
	}
	var id string
	var units int64
	_, err = pgx.ForEachRow(rows, []any{&id, &units}, func() error {
		_, err := fmt.Fprintln(out, "order", id, units)
		return err
	})
	return err
}
