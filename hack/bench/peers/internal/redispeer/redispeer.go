// Package redispeer reserves in Redis: one Lua script an order, through either of the two clients
// that Go programs use. The order is a key of its own; a repeat finds it.
package redispeer

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
	"github.com/redis/rueidis"

	"github.com/qingcang/qingcang/services/bench-peers/internal/door"
)

// script gets the stock's and the order's key, the units, and what to remember of the order.
const script = `
if redis.call('EXISTS', KEYS[2]) == 1 then return 1 end
local left = tonumber(redis.call('GET', KEYS[1]) or '0')
if left < tonumber(ARGV[1]) then return 0 end
redis.call('DECRBY', KEYS[1], ARGV[1])
redis.call('SET', KEYS[2], ARGV[2])
return 1`

// OrderPrefix begins the keys of orders, StockPrefix those of stock.
const (
	OrderPrefix = "order:"
	StockPrefix = "stock:"
)

// StockKey is where the free units of a campaign's SKU stand.
func StockKey(campaign, sku string) string { return StockPrefix + campaign + "/" + sku }

func orderKey(o door.Order) string { return OrderPrefix + o.Campaign + "/" + o.ID }

// value is what a reservation must be able to give back and to end: units, SKU, deadline, buyer, address.
func value(o door.Order) string {
	return strings.Join([]string{strconv.FormatInt(o.Units, 10), o.SKU, strconv.FormatInt(o.Deadline.Unix(), 10), o.Buyer, o.Address}, "|")
}

// Rueidis pipelines by itself all that is asked for at the same time.
type Rueidis struct {
	client rueidis.Client
	lua    *rueidis.Lua
}

// DialRueidis connects.
func DialRueidis(address string) (*Rueidis, error) {
	client, err := rueidis.NewClient(rueidis.ClientOption{
		InitAddress: []string{address}, DisableCache: true, AlwaysPipelining: true,
	})
	if err != nil {
		return nil, fmt.Errorf("connect to Redis: %w", err)
	}
	return &Rueidis{client: client, lua: rueidis.NewLuaScript(script)}, nil
}

// SetStock makes units free.
func (r *Rueidis) SetStock(ctx context.Context, campaign, sku string, units int64) error {
	return r.client.Do(ctx, r.client.B().Set().Key(StockKey(campaign, sku)).Value(strconv.FormatInt(units, 10)).Build()).Error()
}

// Reserve implements door.Reserver.
func (r *Rueidis) Reserve(ctx context.Context, o door.Order) (bool, error) {
	held, err := r.lua.Exec(ctx, r.client,
		[]string{StockKey(o.Campaign, o.SKU), orderKey(o)}, []string{strconv.FormatInt(o.Units, 10), value(o)}).AsInt64()
	return held == 1, err
}

// GoRedis is the client that most programs use: a pool of connections, one command at a time on each.
type GoRedis struct {
	client *redis.Client
	lua    *redis.Script
}

// DialGoRedis connects.
func DialGoRedis(address string) *GoRedis {
	return &GoRedis{client: redis.NewClient(&redis.Options{Addr: address}), lua: redis.NewScript(script)}
}

// Reserve implements door.Reserver.
func (r *GoRedis) Reserve(ctx context.Context, o door.Order) (bool, error) {
	held, err := r.lua.Run(ctx, r.client, []string{StockKey(o.Campaign, o.SKU), orderKey(o)}, o.Units, value(o)).Int64()
	return held == 1, err
}
